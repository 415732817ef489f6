"""`python -m tests.bench`: what our client costs beside the bare SDK, both in one run, in CPU time of this process.

The HTTP answer comes from memory, so that only client code is measured; a row's two sides take turns, and the best turn
counts. Ratios below 1 are ours cheaper. To add rows, write a function that yields `Row`s and name it in `SECTIONS`.
"""

from __future__ import annotations

import asyncio
import functools
import json
import os
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

import openai
from openai.resources.chat.completions import Completions

import kimi_openai
from kimi_openai.compat.pipeline import shape
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.reply import Reply

from . import bulk_bench
from .canned import Canned, answering
from .servers import Answering

ANSWER = {
    "id": "chatcmpl-6a996be08fdef22d6d18f683",
    "object": "chat.completion",
    "created": 1788439520,
    "model": "kimi-k3",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hello."}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 89, "completion_tokens": 2, "total_tokens": 91, "cached_tokens": 89},
}
CHUNKS = 2000
TURNS = 7


@dataclass(frozen=True)
class Row:
    """One line: what was done once, its cost for the bare SDK (`None`: it has no such thing) and for us, in seconds."""

    what: str
    bare: float | None
    ours: float
    goal: str = ""
    unit: str = "s"


Work = Callable[[], int]
"""Does something and says how often."""


def cost(*works: Work, turns: int = TURNS, clock: Callable[[], float] = time.process_time) -> list[float]:
    """The best time for one of each, the works taking turns."""
    best = [float("inf")] * len(works)
    for turn in range(turns + 1):
        for number, work in enumerate(works):
            start = clock()
            times = work()
            if turn:  # the first turn warms up
                best[number] = min(best[number], (clock() - start) / times)
    return best


def bare_client(canned: Canned) -> Any:
    return openai.OpenAI(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=canned.client())


def our_client(canned: Canned) -> Any:
    return kimi_openai.create_client(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=canned.client())


def history(count: int) -> list[dict[str, str]]:
    return [
        {"role": ("user", "assistant")[n % 2], "content": f"This is message {n}, and it says so."} for n in range(count)
    ]


def imports() -> Iterator[Row]:
    """In fresh processes, files cached."""

    def importing(module: str) -> Work:
        code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
        return lambda: taken.append(float(subprocess.check_output([sys.executable, "-c", code]))) or 1

    taken: list[float] = []
    cost(importing("openai"), importing("kimi_openai"))
    yield Row("import", min(taken[::2]), min(taken[1::2]), "1.05")


def construction() -> Iterator[Row]:
    def make(kind: Any, **options: Any) -> Work:
        def work() -> int:
            for _ in range(5):
                kind(api_key="sk-1", **options).close()
            return 5

        return work

    yield Row("client, made and closed", *cost(make(openai.OpenAI), make(kimi_openai.create_client, env_file=None)))


def calls() -> Iterator[Row]:
    for count, goal in ((1, "0.85"), (10, "0.35"), (100, "0.08"), (1000, "0.02")):
        messages, times = history(count), max(3, min(60, 1000 // count))
        works = [asking(make(answering(ANSWER)), times, messages=messages) for make in (bare_client, our_client)]
        yield Row(f"create, {count} message{'s' * (count > 1)}", *cost(*works), goal)
    works = [
        asking(make(answering(ANSWER)), 30, messages=history(10), tools=TOOLS) for make in (bare_client, our_client)
    ]
    yield Row("create, 10 messages, 10 tools", *cost(*works))
    with patched(Completions, "create"):
        for count in (1, 100):
            works = [asking(make(answering(ANSWER)), 10, messages=history(count)) for make in (bare_client, our_client)]
            yield Row(f"create, {count} message{'s' * (count > 1)}, patched", *cost(*works))


def patched(kind: Any, name: str) -> Any:
    """Replaces a method as tracing tools do it."""
    own = getattr(kind, name)

    @functools.wraps(own)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return own(*args, **kwargs)

    return mock.patch.object(kind, name, wrapper)


def sockets() -> Iterator[Row]:
    """With each client's own HTTP client, to a server in a thread, whose time does not count."""
    server = Answering(200, ANSWER, {}, None)
    works = [
        asking(kind(api_key="sk-1", base_url=server.base_url), 30, messages=history(1))
        for kind in (openai.OpenAI, kimi_openai.create_client)
    ]
    yield Row("create, 1 message, over a socket", *cost(*works, clock=time.thread_time))
    server.close()


def asking(client: Any, times: int, **ask: Any) -> Work:
    def work() -> int:
        for _ in range(times):
            client.chat.completions.create(model="kimi-k3", **ask)
        return times

    return work


PARAMETERS = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "where"}},
    "required": ["city"],
}
TOOLS = [
    {"type": "function", "function": {"name": f"tool_{n}", "description": "does it", "parameters": PARAMETERS}}
    for n in range(10)
]


def shaping() -> Iterator[Row]:
    """In the column of ours: pure shaping, a part of `create`."""
    for name, body in (
        ("shaping, 10 messages", {"model": "kimi-k3", "messages": history(10)}),
        ("shaping, 10 messages, 10 tools", {"model": "kimi-k3", "messages": history(10), "tools": TOOLS}),
        ("shaping, 1000 messages", {"model": "kimi-k3", "messages": history(1000)}),
    ):
        yield Row(name, None, *cost(lambda body=body: [shape(body) for _ in range(20)] and 20))


def stream_of(count: int) -> list[bytes]:
    """The events of an answer."""
    frame = {"id": ANSWER["id"], "object": "chat.completion.chunk", "created": 1788439520, "model": "kimi-k3"}

    def event(delta: object, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        text = json.dumps({**frame, "choices": [choice], "system_fingerprint": "fpv0_680ea77f"}, separators=(",", ":"))
        return f"data: {text}\n\n".encode()

    deltas = [event({("content", "reasoning_content")[n % 2]: " word"}) for n in range(count - 1)]
    return [*deltas, event({}, "stop"), b"data: [DONE]\n\n"]


def streams() -> Iterator[Row]:
    events = stream_of(CHUNKS)
    joined = b"".join(events)
    blocks = [joined[at : at + 4096] for at in range(0, len(joined), 4096)]
    for name, pieces in (("an event per read", events), ("4 KB per read", blocks)):
        works = [streaming(make(Canned(*pieces))) for make in (bare_client, our_client)]
        yield Row(f"typed stream, a chunk, {name}", *cost(*works), "0.167")
    for name, pieces in (("an event per read", events), ("4 KB per read", blocks)):
        works = [async_streaming(kind, pieces) for kind in (openai.AsyncOpenAI, kimi_openai.create_async_client)]
        yield Row(f"the same, async, {name}", *cost(*works), "0.167")


def streaming(client: Any) -> Work:
    def work() -> int:
        return sum(1 for _ in client.chat.completions.create(model="kimi-k3", messages=history(1), stream=True))

    return work


def async_streaming(kind: Any, pieces: list[bytes]) -> Work:
    async def read() -> int:
        http = Canned(*pieces).client(is_async=True)
        async with kind(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=http) as client:
            stream = await client.chat.completions.create(model="kimi-k3", messages=history(1), stream=True)
            return len([None async for _ in stream])

    return lambda: asyncio.run(read())


def surviving() -> Iterator[Row]:
    """`kimi_openai.stream` beside `create(stream=True)` and beside the SDK's own `.stream()`, and its parts."""
    events = stream_of(CHUNKS)
    joined = b"".join(events)
    blocks = [joined[at : at + 4096] for at in range(0, len(joined), 4096)]
    for name, pieces in (("an event per read", events), ("4 KB per read", blocks)):
        plain, helper, ours = cost(
            streaming(bare_client(Canned(*pieces))), helper_streaming(Canned(*pieces)), our_streaming(Canned(*pieces))
        )
        yield Row(f"stream, a chunk, {name}", plain, ours, "0.083")
        yield Row("  beside the SDK's .stream()", helper, ours, "0.04")
    plain, ours = cost(async_streaming(openai.AsyncOpenAI, events), async_our_streaming(events))
    yield Row("stream, a chunk, async, an event per read", plain, ours, "0.083")
    yield Row("  streams of 50 chunks/s on one core", 1 / (50 * plain), 1 / (50 * ours), unit="")
    chunks = [json.loads(event[6:]) for event in events[:-1]]
    yield Row("accumulator alone, a chunk (goal: 3 µs)", None, *cost(lambda: accumulated(chunks) and len(chunks)))
    for count in (10_000, 100_000):
        yield Row(f"most memory held, stream of {count} chunks", None, memory(count), unit="MB")


def accumulated(chunks: list[dict[str, Any]]) -> Reply:
    """The reply that the chunks add up to."""
    accumulator = ReplyAccumulator()
    for chunk in chunks:
        accumulator.add(chunk)
    return accumulator.reply()


def our_streaming(canned: Canned) -> Work:
    client = our_client(canned)

    def work() -> int:
        with kimi_openai.stream(client, model="kimi-k3", messages=history(1)) as answer:
            return sum(1 for _ in answer)

    return work


def helper_streaming(canned: Canned) -> Work:
    client = bare_client(canned)

    def work() -> int:
        with client.chat.completions.stream(model="kimi-k3", messages=history(1)) as answer:
            return sum(1 for event in answer if event.type == "chunk")

    return work


def async_our_streaming(pieces: list[bytes]) -> Work:
    async def read() -> int:
        http = Canned(*pieces).client(is_async=True)
        options: Any = {"api_key": "sk-1", "base_url": "http://127.0.0.1/v1", "http_client": http}
        client = kimi_openai.create_async_client(**options)
        async with client, kimi_openai.stream(client, model="kimi-k3", messages=history(1)) as answer:
            return len([None async for _ in answer])

    return lambda: asyncio.run(read())


def memory(count: int) -> float:
    """Megabytes at the worst moment of a stream, beyond the bytes of the server."""
    client = our_client(Canned(*stream_of(count)))
    tracemalloc.start()
    with kimi_openai.stream(client, model="kimi-k3", messages=history(1)) as answer:
        for _ in answer:
            pass
    most = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return most


SERVE = "from kimi_openai.emulator import *; k = Emulator().start(); print(k.base_url, k.api_key, flush=True); k.wait()"


def at_once() -> Iterator[Row]:
    """Calls of 100 tasks to an emulator in a process of its own."""
    with served([sys.executable, "-c", SERVE]) as (line, *_):
        base_url, api_key = line.split()
        kinds = (openai.AsyncOpenAI, kimi_openai.create_async_client)
        works = [calling_at_once(kind, base_url=base_url, api_key=api_key) for kind in kinds]
        yield Row("async calls at concurrency 100", *cost(*works), "0.5")


def calling_at_once(kind: Any, **options: Any) -> Work:
    async def worker(client: Any) -> None:
        for _ in range(10):
            await client.chat.completions.create(model="kimi-k3", messages=history(1))

    async def run() -> int:
        async with kind(**options) as client:
            await asyncio.gather(*(worker(client) for _ in range(100)))
        return 1000

    return lambda: asyncio.run(run())


def proxy() -> Iterator[Row]:
    """A bare client that streams from the emulator, and through the proxy; each in a process of its own. Wall time."""
    with served([sys.executable, "-c", SERVE]) as (line, *_):
        url, key = line.split()
        environ = {**os.environ, "MOONSHOT_BASE_URL": url, "MOONSHOT_API_KEY": key}
        with served([sys.executable, "-m", "kimi_openai", "proxy", "--port", "0"], 2, environ) as lines:
            by_proxy = [line.partition("=")[2] for line in lines]
            clients = [openai.OpenAI(base_url=each[0], api_key=each[1]) for each in ((url, key), by_proxy)]
            direct, through = cost(*map(first_chunk, clients), turns=100, clock=time.perf_counter)
            yield Row("first chunk, directly and by the proxy", direct, through)
            yield Row("  added time to first token", None, through - direct)
            whole = [asyncio.run(whole_answers(str(each.base_url), each.api_key)) for each in clients]
            yield Row("  of 200 streams at once, whole", *map(float, whole), "1", unit="")
            for each in clients:
                each.close()


@contextmanager
def served(command: list[str], lines: int = 1, environ: Mapping[str, str] | None = None) -> Iterator[list[str]]:
    """The first lines that a server prints in a process of its own, which is ended afterwards."""
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environ)
    out = server.stdout or sys.stdin
    try:
        yield [out.readline().strip() for _ in range(lines)]
    finally:
        server.terminate()
        server.wait()
        out.close()


def first_chunk(client: openai.OpenAI) -> Work:
    def work() -> int:
        with client.chat.completions.create(model="kimi-k3", messages=history(1), stream=True) as stream:
            next(iter(stream))
            return 1

    return work


async def whole_answers(base_url: str, api_key: str) -> int:
    """How many of 200 answers that are read at once are whole."""

    async def ask(client: openai.AsyncOpenAI, number: int) -> bool:
        messages: Any = [{"role": "user", "content": f"number {number}"}]
        stream = await client.chat.completions.create(model="kimi-k3", messages=messages, stream=True)
        chunks = [chunk async for chunk in stream]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
        return f'"number {number}"' in text and chunks[-1].choices[0].finish_reason == "stop"

    async with openai.AsyncOpenAI(base_url=base_url, api_key=api_key, max_retries=0) as client:
        return sum(await asyncio.gather(*(ask(client, number) for number in range(200))))


def others() -> Iterator[Row]:
    """Frameworks over the bare SDK, where they are installed; the left column is the bare SDK alone."""
    messages = history(10)
    alone = asking(bare_client(answering(ANSWER)), 20, messages=messages)
    for name, make in (("litellm", litellm), ("langchain-openai", langchain), ("pydantic-ai", pydantic_ai)):
        try:
            call = make(messages)
        except ImportError:
            continue
        bare, theirs = cost(alone, lambda call=call: [call() for _ in range(20)] and 20)
        yield Row(f"create, 10 messages, by {name}", bare, theirs)


def litellm(messages: list[dict[str, str]]) -> Callable[[], object]:
    from litellm import completion

    client = bare_client(answering(ANSWER))
    return lambda: completion(model="openai/kimi-k3", messages=messages, client=client, api_key="sk-1")


def langchain(messages: list[dict[str, str]]) -> Callable[[], object]:
    from langchain_openai import ChatOpenAI

    http = answering(ANSWER).client()
    chat = ChatOpenAI(model="kimi-k3", api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=http)
    return lambda: chat.invoke(messages)


def pydantic_ai(messages: list[dict[str, str]]) -> Callable[[], object]:
    from pydantic_ai.direct import model_request_sync
    from pydantic_ai.messages import ModelRequest, ModelResponse, TextPart, UserPromptPart
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    http = answering(ANSWER).client(is_async=True)
    client = openai.AsyncOpenAI(api_key="sk-1", base_url="http://127.0.0.1/v1", http_client=http)
    model = OpenAIChatModel("kimi-k3", provider=OpenAIProvider(openai_client=client))
    turns = [
        ModelRequest(parts=[UserPromptPart(each["content"])])
        if each["role"] == "user"
        else ModelResponse(parts=[TextPart(each["content"])])
        for each in messages
    ]
    return lambda: model_request_sync(model, turns)


SECTIONS: tuple[Callable[[], Iterator[Row]], ...] = (
    imports,
    construction,
    calls,
    sockets,
    shaping,
    streams,
    surviving,
    at_once,
    proxy,
    others,
)
"""Those that are run if none is named. `bulk` is another table, of `bulk_bench`, which takes some minutes."""


def readable(seconds: float | None, unit: str = "s") -> str:
    if seconds is None:
        return "-"
    if unit != "s":
        return f"{seconds:.1f} {unit}"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    print(f"openai {openai.__version__}, Python {sys.version.split()[0]}\n")
    if names == ["bulk"]:
        bulk_bench.show()
        return
    print(f"{'':44}{'bare':>12}{'ours':>12}{'ours/bare':>11}{'goal':>8}")
    for section in SECTIONS:
        if names and section.__name__ not in names:
            continue
        for row in section():
            ratio = "" if not row.bare else f"{row.ours / row.bare:.3f}"
            bare, ours = readable(row.bare, row.unit), readable(row.ours, row.unit)
            print(f"{row.what:44}{bare:>12}{ours:>12}{ratio:>11}{row.goal:>8}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
