"""`demo`: five things that this package does, each with the openai SDK alone and then with it, on a local emulator.

Each side of a step is a function: its source is printed and then it is run, so the code that is shown is the code that
ran. The calls are real, and go to `kimi_openai.emulator` also where there is a key: the demo never spends money.
`demo_page.py` prints.
"""

from __future__ import annotations

import asyncio
import warnings
from argparse import Namespace
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import openai

from kimi_openai.bulk.run import BulkOptions, bulk
from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.client.factories import create_client
from kimi_openai.errors.exceptions import KimiCompatWarning
from kimi_openai.limits import Limits
from kimi_openai.streaming.chat_stream import stream
from kimi_openai.tools.runner import run_tools
from kimi_openai.usage.ledger import Ledger, track

from .console import Console
from .demo_page import DemoPage

if TYPE_CHECKING:
    from kimi_openai.emulator import Emulator, Request, Step

__all__ = ["run_demo"]

TOKEN_DELAY = 0.02
"""Seconds between two pieces of a stream, so that the reader sees it arrive."""

CONCURRENCY, LATENCY = 3, 0.1
"""Requests at once that the account of the bulk run allows, and the seconds that each of them takes."""

REVIEWS = [f"Number {number}: it works." for number in range(1, 21)]
PRIME: list[Any] = [{"role": "user", "content": "What is a prime?"}]
TIDES: list[Any] = [{"role": "user", "content": "Why do tides come and go?"}]
WEATHER: list[Any] = [{"role": "user", "content": "Is it warmer in Paris or in Oslo?"}]
GET_WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def get_weather(city: str) -> str:
    """The weather in a city."""
    weather = {"Paris": "sunny, 21 degrees", "Oslo": "snow, 0 degrees"}[city]
    print(f"  get_weather({city!r}) -> {weather}")
    return weather


def openai_code(client: openai.OpenAI) -> None:
    """What OpenAI code sends, and Kimi refuses."""
    completion = client.chat.completions.create(
        model="kimi-k3",
        messages=[{"role": "developer", "content": "Be brief."}, *PRIME],
        temperature=0.2,
    )
    print(completion.choices[0].message.content)


def plain_stream(client: openai.OpenAI) -> None:
    """A stream, as the SDK's documentation reads it."""
    chunks = client.chat.completions.create(
        model="kimi-k3",
        messages=TIDES,
        stream=True,
    )
    ended = None
    for chunk in chunks:
        print(chunk.choices[0].delta.content or "", end="", flush=True)
        ended = chunk.choices[0].finish_reason
    print("\nfinish_reason:", ended)


def whole_stream(client: KimiOpenAI) -> None:
    """A stream that is resumed."""
    with stream(client, model="kimi-k3", messages=TIDES) as answer:
        for text in answer.text_stream:
            print(text, end="", flush=True)
    print("\nfinish_reason:", answer.reply.finish_reason)
    print("resumed:", answer.resumptions, "times")


def named_tool(client: openai.OpenAI) -> None:
    """How OpenAI code asks for one tool."""
    completion = client.chat.completions.create(
        model="kimi-k3",
        messages=WEATHER,
        tools=[GET_WEATHER],
        tool_choice={"type": "function", "function": {"name": "get_weather"}},
    )
    print(completion.choices[0].message.tool_calls)


def tool_loop(client: KimiOpenAI) -> None:
    """The whole loop."""
    run = run_tools(
        client,
        model="kimi-k3",
        messages=WEATHER,
        tools=[get_weather],
    )
    print(run.completion.choices[0].message.content)


async def gathered(client: openai.AsyncOpenAI) -> None:
    """All rows at once, as most programs do it."""
    asked = [
        client.chat.completions.create(
            model="kimi-k3",
            messages=[{"role": "user", "content": f"Good or bad? {review}"}],
            max_completion_tokens=99,
        )
        for review in REVIEWS
    ]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    whole = [each for each in answers if not isinstance(each, Exception)]
    print(len(whole), "of", len(answers), "answered")


def bulk_run(client: KimiOpenAI, output: Path) -> None:
    """All rows under the limit of the account."""
    limited = client.with_options(limits=Limits(concurrency=3))
    rows = [{"review": review} for review in REVIEWS]
    options = BulkOptions(
        messages="Good or bad? {review}",
        model="kimi-k3",
        params={"max_completion_tokens": 99},
    )
    report = bulk(limited, rows, output, **options)
    print(report.answered, "of", report.total, "answered")
    print(report.refused, "requests refused with 429")
    again = bulk(limited, rows, output, **options)  # its output is its checkpoint
    print("once more:", again.resumed, "found,", again.answered, "asked")


def tokens_only(client: openai.OpenAI) -> None:
    """What the SDK knows of the cost."""
    completion = client.chat.completions.create(
        model="kimi-k3",
        messages=PRIME,
    )
    print(completion.usage and completion.usage.total_tokens, "tokens")


def costs(ledger: Ledger) -> None:
    """What `track(client)` knows."""
    print(ledger)  # ledger = track(client), at the beginning


def scripted(request: Request) -> list[Step]:
    """What the emulator answers."""
    from kimi_openai.emulator import call, cut, say, think

    messages = request.json["messages"]
    asked = next(message["content"] for message in reversed(messages) if message["role"] == "user")
    if asked == TIDES[0]["content"]:
        return [
            think("The Moon."),
            say("The Moon pulls the sea,"),
            cut("end"),
            say(" the Earth turns below,"),
            cut("reset"),
            say(" and so they come and go."),
        ]
    if asked == WEATHER[0]["content"]:
        if not any(message["role"] == "tool" for message in messages):
            return [think("Two."), call("get_weather", {"city": "Paris"}), call("get_weather", {"city": "Oslo"})]
        return [say("It is warmer in Paris, by 21 degrees.")]
    return [say("A whole number above 1 that only 1 and itself divide." if "prime" in asked else "good")]


@contextmanager
def emulators() -> Generator[tuple[Emulator, Emulator, Emulator], None, None]:
    """One that streams slowly enough to be watched, and for each side of the bulk run one with a narrow account."""
    from kimi_openai.emulator import AccountLimits, Emulator

    with ExitStack() as stack:
        narrow = AccountLimits(concurrency=CONCURRENCY)
        kimi = stack.enter_context(Emulator(token_delay=TOKEN_DELAY))
        busy, other = (stack.enter_context(Emulator(latency=LATENCY, limits=narrow)) for _ in range(2))
        kimi.reply = busy.reply = other.reply = scripted
        yield kimi, busy, other


def run_demo(_: Namespace, console: Console) -> int:
    """Run `kimi-openai demo`."""
    page = DemoPage(console.out)
    with emulators() as (kimi, busy, other), TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", KimiCompatWarning)  # the page shows the notes
        bare = openai.OpenAI(**reach(kimi), http_client=openai.DefaultHttpxClient(trust_env=False))
        many = openai.AsyncOpenAI(**reach(busy), http_client=openai.DefaultAsyncHttpxClient(trust_env=False))
        with bare, create_client(**reach(kimi), **OPTIONS, on_note=page.note) as client:
            ledger = track(client)
            page.begin()
            page.step("Your OpenAI code runs as it is")
            page.before(openai_code, bare)
            page.after(openai_code, client)
            page.step("A stream that breaks twice comes whole")
            page.before(plain_stream, bare)
            page.after(whole_stream, client)
            page.step("Tools: functions are enough")
            page.before(named_tool, bare)
            page.after(tool_loop, client)
            page.step(f"{len(REVIEWS)} rows, and an account that allows {CONCURRENCY} requests at once")
            page.before(gathered, many)
            page.after(bulk_run, client.with_options(**reach(other)), Path(folder, "answers.jsonl"))
            page.step("What it cost, had it been Kimi")
            page.before(tokens_only, bare)
            page.after(costs, ledger)
            page.end()
    return 0


OPTIONS: Any = {"region": "ai", "env_file": None, "compat": "adapt", "model_aliases": {}}
"""What the environment could say otherwise."""


def reach(kimi: Emulator) -> Any:
    """The options of a client for the emulator."""
    return {"base_url": kimi.base_url, "api_key": kimi.api_key}
