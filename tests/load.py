"""Many answers under faults, beside the bare SDK: `python -m tests.load [--runs 2000] [--streams 200]`.

`--runs`: seeded answers one after the other, each with its own text, reasoning, calls and faults; synchronous and
asynchronous clients take turns. `--streams`: answers at once, with a share of the connections cut and of the requests
refused for a moment.
`python -m tests.load chaos` is another run (`tests/chaos`): every way of asking, through a TCP proxy that breaks
connections.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

import openai

from kimi_openai import create_async_client, create_client, instant, stream
from kimi_openai.emulator import (
    Emulator,
    call,
    drop_after,
    ends_after,
    error_event,
    garbage,
    out_of_quota,
    overloaded,
    rate_limited,
    reset,
    reset_after,
    say,
    stall,
    think,
    unavailable,
)

SAMPLE = "the sky, über dem Fluss; 你好 世界。 😀 and `code` 0 00 000 ha haha"
WORDS = (*SAMPLE.split(), "\n\n- a", "\n", " b ", "")
CALLS_AFTER_TEXT = 0.15


@dataclass(frozen=True)
class Run:
    """What one seed stands for: the answer, and the faults of its requests."""

    text: str
    reasoning: str
    arguments: tuple[str, ...]
    faults: tuple[Any, ...]

    @property
    def script(self) -> list[Any]:
        calls = [call("add", arguments) for arguments in self.arguments]
        return [think(self.reasoning), *([say(self.text)] if self.text else []), *calls]


def run_of(seed: int) -> Run:
    random = Random(seed)
    text = " ".join(random.choices(WORDS, k=random.randint(1, 60)))
    reasoning = " ".join(random.choices(WORDS, k=random.randint(0, 12)))
    has_calls = random.random() < CALLS_AFTER_TEXT
    arguments = ('{"a":1,"b":"ü"}', "{}")[: random.randint(1, 2)] if has_calls else ()
    return Run(text, reasoning, arguments, tuple(fault_of(random) for _ in range(random.choice((0, 1, 1, 2, 3, 6)))))


def fault_of(random: Random) -> Any:
    chunks, nbytes = random.randint(0, 60), random.randint(0, 12_000)
    if random.random() < 0.03:
        return stall(chunks)
    return random.choice(
        [
            reset_after(chunks),
            reset_after(nbytes=nbytes),
            reset_after(nbytes=-1),
            drop_after(chunks),
            drop_after(nbytes=nbytes),
            ends_after(chunks),
            ends_after("finish"),
            ends_after("done"),
            error_event(chunks),
            garbage(chunks),
            reset(),
            rate_limited(),
            overloaded(),
            unavailable(),
        ]
    )


class Reader:
    """What a user has who reads the events; `restarted` makes it forget."""

    def __init__(self) -> None:
        self.text, self.reasoning = "", ""

    def take(self, event: Any) -> None:
        if event.type == "restarted":
            self.text, self.reasoning = "", ""
        elif event.type == "content.delta":
            self.text += event.delta
        elif event.type == "reasoning.delta":
            self.reasoning += event.delta

    def verdict(self, run: Run, completion: Any) -> str:
        message = completion.choices[0].message
        calls = tuple(each.function.arguments for each in message.tool_calls or ())
        if (self.text, self.reasoning) != (message.content, message.reasoning_content or ""):
            return "events and completion differ"
        if (self.text, self.reasoning, calls) == (run.text, run.reasoning, run.arguments):
            return "whole"
        return "doubled" if len(self.text) > len(run.text) else "lost"


def seeded(count: int, first: int = 0) -> Counter[str]:
    """How the runs of so many seeds ended, with the number of requests."""
    found: Counter[str] = Counter()
    loop = asyncio.new_event_loop()
    with Emulator() as kimi, instant():
        options: Any = {"base_url": kimi.base_url, "api_key": kimi.api_key, "timeout": 0.3}
        client, async_client = create_client(**options), create_async_client(**options)
        for seed in range(first, first + count):
            run = run_of(seed)
            kimi.clear()
            kimi.fail(*run.faults)
            kimi.reply = lambda _, run=run: run.script  # type: ignore[misc]
            try:
                verdict = loop.run_until_complete(follow(async_client, run)) if seed % 2 else follow_sync(client, run)
            except openai.OpenAIError as error:
                verdict = f"error: {type(error).__name__}"
            if verdict != "whole":
                print(f"seed {seed}: {verdict}")
            found[verdict] += 1
            found["requests"] += len(kimi.chats)
        client.close()
        loop.run_until_complete(async_client.close())
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    return found


ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


def follow_sync(client: Any, run: Run) -> str:
    reader = Reader()
    with stream(client, **ASK) as answer:
        for event in answer:
            reader.take(event)
        return reader.verdict(run, answer.get_final_completion())


async def follow(client: Any, run: Run) -> str:
    reader = Reader()
    async with stream(client, **ASK) as answer:
        async for event in answer:
            reader.take(event)
        return reader.verdict(run, await answer.get_final_completion())


LONG = Run(" ".join(f"word{number}" for number in range(120)), "Let me think … of it.", (), ())


def chances(cut: float, refused: float) -> dict[Any, float]:
    """Faults with their probabilities: `cut` of all connections are cut, `refused` of all requests are refused.

    The emulator decides on one fault after the other, so each probability is a share of what the ones before it left.
    """
    cuts = (reset_after(40), drop_after(80), ends_after(100), ends_after("finish"))
    refusals = (rate_limited("rpm", seconds=1), rate_limited(retry_after=1), overloaded(retry_after=1))
    shares = [(each, cut / len(cuts)) for each in cuts] + [(each, refused / len(refusals)) for each in refusals]
    return {each: share / (1 - sum(before for _, before in shares[:at])) for at, (each, share) in enumerate(shares)}


async def with_ours(client: Any) -> str:
    try:
        return await follow(client, LONG)
    except openai.OpenAIError as error:
        return type(error).__name__


async def with_bare_sdk(client: Any) -> str:
    """How the answer ended for a user of the SDK, with its own retries."""
    text, finished = "", False
    try:
        async for chunk in await client.chat.completions.create(**ASK, stream=True):
            for choice in chunk.choices:
                text += choice.delta.content or ""
                finished = finished or bool(choice.finish_reason)
    except Exception as error:  # openai 1 and 2 let the HTTP library's own errors through
        return type(error).__name__
    return "whole" if text == LONG.text and finished else "cut without an error"


@contextmanager
def served(cut: float, refused: float, seed: int) -> Iterator[Emulator]:
    with Emulator(seed=seed, chance=chances(cut, refused)) as kimi:
        kimi.reply = lambda _: LONG.script
        yield kimi


@dataclass(frozen=True)
class Load:
    """How the streams ended that were open at once."""

    verdicts: Counter[str]
    requests: int
    seconds: float

    def row(self, name: str) -> str:
        count = self.verdicts.total()
        others = ", ".join(f"{number} {verdict}" for verdict, number in self.verdicts.items() if verdict != "whole")
        return (
            f"{name:12} {self.verdicts['whole'] / count:7.1%} whole, {self.requests / count:.2f} requests per answer, "
            f"{self.seconds:.1f} s{'; ' if others else ''}{others}"
        )


def load(
    ask: Callable[[Any], Awaitable[str]], make: Any, streams: int, cut: float = 0.2, refused: float = 0.2, seed: int = 1
) -> Load:
    """So many streams at once, all with one client made by `make`."""

    async def run(kimi: Emulator) -> Load:
        async with make(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            started = time.perf_counter()
            verdicts = Counter(await asyncio.gather(*(ask(client) for _ in range(streams))))
            return Load(verdicts, len(kimi.chats), time.perf_counter() - started)

    with served(cut, refused, seed) as kimi:
        return asyncio.run(run(kimi))


def empty_account(ask: Callable[[Any], Awaitable[str]], make: Any, calls: int) -> int:
    """How many requests so many calls cost when the account is empty."""

    async def run(kimi: Emulator) -> int:
        async with make(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            await asyncio.gather(*(ask(client) for _ in range(calls)))
        return len(kimi.chats)

    with Emulator(chance={out_of_quota(): 1.0}) as kimi:
        return asyncio.run(run(kimi))


BREAKS: dict[str, tuple[Any, ...]] = {
    "reset in the text": (reset_after(60),),
    "closed in mid-body": (drop_after(60),),
    "clean end, no finish_reason": (ends_after(60),),
    "reset in the reasoning": (reset_after(3),),
    "stall past the read timeout": (stall(60),),
    "error event": (error_event(60),),
    "event that is not JSON": (garbage(60),),
    "reset inside a character": (reset_after(nbytes=-1),),
    "no [DONE]": (ends_after("done"),),
    "reset before the headers": (reset(),),
    "429, wait named": (rate_limited(retry_after=1),) * 4,
    "429, overloaded": (overloaded(retry_after=1),) * 4,
    "503": (unavailable(),) * 4,
    "account empty": (out_of_quota(),) * 20,
}


async def one(ask: Callable[[Any], Awaitable[str]], make: Any, faults: tuple[Any, ...]) -> tuple[str, int]:
    """How an answer with these faults ended, and how many requests it took."""
    with Emulator() as kimi:
        kimi.reply = lambda _: LONG.script
        kimi.fail(*faults)
        async with make(base_url=kimi.base_url, api_key=kimi.api_key, timeout=0.5) as client:
            verdict = await ask(client)
            return verdict, len(kimi.chats)


def table() -> None:
    """What breaks, and how the answer ends with the bare SDK and with this package, with the number of requests."""
    for name, faults in BREAKS.items():
        bare = asyncio.run(one(with_bare_sdk, openai.AsyncOpenAI, faults))
        ours = asyncio.run(one(with_ours, create_async_client, faults))
        print(f"{name:30} {bare[0]} ({bare[1]})".ljust(64), f"{ours[0]} ({ours[1]})")


def main() -> None:
    if sys.argv[1:2] == ["chaos"]:
        from .chaos.__main__ import main as chaos

        raise SystemExit(chaos(sys.argv[2:]))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--streams", type=int, default=200)
    arguments = parser.parse_args()
    print(f"openai {openai.__version__}; what breaks, the bare SDK (requests), kimi_openai (requests):")
    table()
    started = time.perf_counter()
    found = seeded(arguments.runs)
    requests = found.pop("requests")
    print(f"{arguments.runs} seeded runs, {requests} requests, {time.perf_counter() - started:.0f} s: {dict(found)}")
    print(f"{arguments.streams} streams at once, 20 % of connections cut, 20 % of requests answered 429:")
    print(load(with_ours, create_async_client, arguments.streams).row("kimi_openai"))
    print(load(with_bare_sdk, openai.AsyncOpenAI, arguments.streams).row("bare SDK"))
    print("account empty, requests for 20 calls:", end=" ")
    print(f"kimi_openai {empty_account(with_ours, create_async_client, 20)},", end=" ")
    print(f"bare SDK {empty_account(with_bare_sdk, openai.AsyncOpenAI, 20)}")


if __name__ == "__main__":
    main()
