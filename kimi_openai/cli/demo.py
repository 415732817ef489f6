"""`demo`: six things that Kimi does, each as a user would write it, with the result.

Each example is a function. Its source is printed and then it is run, so the code that is shown is the code that ran.
`run` is called with a client for the real service or for the emulator.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from contextlib import redirect_stdout
from typing import Any, TextIO

from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.client.factories import create_client
from kimi_openai.endpoints.balance import get_balance
from kimi_openai.endpoints.files import extract_text
from kimi_openai.endpoints.token_estimate import estimate_tokens
from kimi_openai.errors.exceptions import MissingKeyError
from kimi_openai.messages.builders import file_message, join_partial, partial_message

from .console import Console, EscapingWriter

__all__ = ["EXAMPLES", "run", "run_demo"]

MODEL = "kimi-k3"


def plain_call(client: KimiOpenAI) -> None:
    """A plain call: the SDK's own method, Kimi's model"""
    completion = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "What is 1+1?"}], reasoning_effort="low"
    )
    print(completion.choices[0].message.content)


def streamed_reasoning(client: KimiOpenAI) -> None:
    """A stream: the reasoning comes before the answer"""
    stream = client.chat.completions.create(
        model=MODEL, messages=[{"role": "user", "content": "Name a prime."}], reasoning_effort="low", stream=True
    )
    for chunk in stream:
        for choice in chunk.choices:
            thought = getattr(choice.delta, "reasoning_content", None)
            print("\n" if thought == "" else thought or choice.delta.content or "", end="")  # "" ends the reasoning
    print()


def partial_answer(client: KimiOpenAI) -> None:
    """Partial mode: Kimi continues the beginning you give it"""
    prefix = "Dear customer,\n"
    completion = client.chat.completions.create(
        model=MODEL,
        messages=[{"role": "user", "content": "Write a one-line greeting."}, partial_message(prefix)],
        reasoning_effort="low",
    )
    print(join_partial(prefix, completion))


def token_estimate(client: KimiOpenAI) -> None:
    """A token estimate, before anything is spent"""
    print(estimate_tokens(client, model=MODEL, messages=[{"role": "user", "content": "How many tokens is this?"}]))


def balance(client: KimiOpenAI) -> None:
    """The balance of the account"""
    left = get_balance(client)
    print(left.available, left.currency or "(currency unknown: neither of Moonshot's two regions)")


def file_extraction(client: KimiOpenAI) -> None:
    """A document: its text goes into the prompt, the remote copy is deleted"""
    text = extract_text(client, b"The meeting is on Tuesday at ten.", filename="note.txt")
    completion = client.chat.completions.create(
        model=MODEL,
        messages=[file_message(text), {"role": "user", "content": "When is the meeting?"}],
        reasoning_effort="low",
    )
    print(completion.choices[0].message.content)


EXAMPLES: tuple[Callable[[KimiOpenAI], None], ...] = (
    plain_call,
    streamed_reasoning,
    partial_answer,
    token_estimate,
    balance,
    file_extraction,
)


def run_demo(_: object, console: Console) -> int:
    """Run `kimi-openai demo`, on the service that the settings name or, without a key, on the emulator."""
    try:
        client = create_client()
    except MissingKeyError:
        from kimi_openai.emulator import Emulator

        console.line("No key found (MOONSHOT_API_KEY is not set): this is a local emulator, not Kimi.")
        with Emulator() as kimi, create_client(base_url=kimi.base_url, api_key=kimi.api_key, region="ai") as client:
            return _run_examples(client, console)
    console.line(f"This is Kimi at {client.base_url}: the calls below use your account.")
    with client:
        return _run_examples(client, console)


def _run_examples(client: KimiOpenAI, console: Console) -> int:
    out: Any = EscapingWriter(console.out)
    with redirect_stdout(out):
        run(client, out)
    return 0


def run(client: KimiOpenAI, out: TextIO) -> None:
    """Print and run each example. Raises the first SDK error; the rest is not run then."""
    for number, example in enumerate(EXAMPLES, 1):
        print(f"\n{number}. {inspect.getdoc(example)}\n", file=out)
        print(textwrap.indent(source_of(example), "    "), file=out)
        print(file=out, flush=True)
        example(client)


def source_of(example: Callable[[KimiOpenAI], None]) -> str:
    """The body of an example, without its definition line and docstring."""
    lines = inspect.getsource(example).rstrip().splitlines()
    return textwrap.dedent("\n".join(lines[2:]))
