"""`python -m tests.bench`: what our client costs beside the bare SDK, both in one run, in CPU time of this process.

The HTTP answer comes from memory, so that only client code is measured; a row's two sides take turns, and the best turn
counts. Ratios below 1 are ours cheaper. To add rows, write a function that yields `Row`s and name it in `SECTIONS`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import openai

import kimi_openai
from kimi_openai.shaping import shape

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


SECTIONS: tuple[Callable[[], Iterator[Row]], ...] = (imports, construction, calls, sockets, shaping, streams, others)


def readable(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    print(f"openai {openai.__version__}, Python {sys.version.split()[0]}\n")
    print(f"{'':44}{'bare':>12}{'ours':>12}{'ours/bare':>11}{'goal':>8}")
    for section in SECTIONS:
        if names and section.__name__ not in names:
            continue
        for row in section():
            ratio = "" if row.bare is None else f"{row.ours / row.bare:.3f}"
            line = f"{row.what:44}{readable(row.bare):>12}{readable(row.ours):>12}{ratio:>11}{row.goal:>8}"
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
