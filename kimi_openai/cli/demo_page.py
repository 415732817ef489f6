"""How `demo` looks: titles, the code of each side, what it prints or raises, and the commands to type next.

Plain text with a few ANSI colours, which are for terminals only: none in a pipe, with `NO_COLOR` or with a dumb `TERM`.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Awaitable, Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, TextIO

import openai

from kimi_openai._internal.json_values import as_dict
from kimi_openai.client.settings import resolve
from kimi_openai.errors.exceptions import MissingKeyError, Note, SettingsError

__all__ = ["DemoPage", "next_commands"]

RESET, BOLD, DIM, RED, GREEN = "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m"

MAX_COLUMNS = 100


class DemoPage:
    """Prints the demo to `out`. `note` takes the notes of the client, which are printed below the next result."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._has_colour = out.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
        self._columns = min(shutil.get_terminal_size().columns, MAX_COLUMNS)
        self._begun = time.monotonic()
        self._steps = 0
        self._shown: object = None
        self._notes: list[Note] = []

    def note(self, note: Note) -> None:
        """Keep a note for the end of this side."""
        self._notes.append(note)

    def begin(self) -> None:
        """Say where the calls go."""
        self._text("Kimi, played by a local emulator: no key, no network, no cost. The calls and the errors are real.")

    def step(self, title: str) -> None:
        """Begin a step."""
        self._steps += 1
        self._text(f"\n{self._steps}. {title}", BOLD)

    def before(self, code: Callable[..., Any], *arguments: Any) -> None:
        """Show and run the code with the SDK alone."""
        self._side("before", RED, code, arguments)

    def after(self, code: Callable[..., Any], *arguments: Any) -> None:
        """Show and run the code with this package; code that was shown before is not shown again."""
        self._side("after", GREEN, code, arguments)

    def _side(self, label: str, colour: str, code: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
        if code is not self._shown:
            self._text("")
            self._text(body_of(code), DIM, is_code=True)
        self._shown = code
        self._notes.clear()
        self._text(f"  {label}: {'openai' if label == 'before' else 'kimi_openai'}", colour)
        writer: Any = _Indented(self._out)
        with redirect_stdout(writer):
            try:
                result = code(*arguments)
                if inspect.iscoroutine(result):
                    asyncio.run(_closing(result, arguments[0]))
            except openai.APIStatusError as error:
                print(
                    f"{type(error).__name__}: {error.status_code} {as_dict(error.body).get('message', error.message)}"
                )
        writer.end()
        for note in dict.fromkeys(self._notes):
            self._text(f"    changed: {note.where}: {note.change}, because {note.why}", DIM)

    def end(self) -> None:
        """The time that it took, and what to type next."""
        self._text(f"\nThat took {time.monotonic() - self._begun:.0f} s. Next:", BOLD)
        for line in next_commands(command_name()):
            self._text(f"  {line}", is_code=True)

    def _text(self, text: str, style: str = "", *, is_code: bool = False) -> None:
        lines = text.splitlines() or [""]
        for line in lines:
            indent = " " * (len(line) - len(line.lstrip()))
            wrapped = [line] if is_code else textwrap.wrap(line, self._columns, subsequent_indent=indent) or [""]
            for each in wrapped:
                print(f"{style}{each}{RESET}" if style and self._has_colour else each, file=self._out)
        self._out.flush()


class _Indented:
    """A text file that indents what is written through it."""

    def __init__(self, out: TextIO, indent: str = "    ") -> None:
        self._out, self._indent = out, indent
        self._is_new_line = True

    def write(self, text: str) -> int:
        """Write the text, with the indent at the beginning of each line."""
        for line in text.splitlines(keepends=True):
            self._out.write(self._indent + line if self._is_new_line else line)
            self._is_new_line = line.endswith("\n")
        return len(text)

    def flush(self) -> None:
        """Flush the file beneath."""
        self._out.flush()

    def end(self) -> None:
        """End the last line."""
        if not self._is_new_line:
            self.write("\n")


async def _closing(call: Awaitable[None], client: openai.AsyncOpenAI) -> None:
    async with client:
        await call


def body_of(code: Callable[..., Any]) -> str:
    """The body of a function, without its definition line and its one-line docstring, indented by four."""
    lines = inspect.getsource(code).rstrip().splitlines()
    return textwrap.indent(textwrap.dedent("\n".join(lines[2:])).strip("\n"), "    ")


def command_name() -> str:
    """How `kimi-openai` is typed here: its name if it is on the path, else where it is, else Python's `-m`."""
    if shutil.which("kimi-openai"):
        return "kimi-openai"
    script = Path(sys.executable).with_name("kimi-openai")
    if not script.exists():
        return f"{shlex.quote(sys.executable)} -m kimi_openai"
    here = Path.cwd()
    return shlex.quote(str(script.relative_to(here) if script.is_relative_to(here) else script))


def next_commands(name: str) -> list[str]:
    """What to type after the demo: with a key, a question; without one, where keys are made, and then the same."""
    chat = f'{name} chat "What is 1+1?"'
    try:
        resolve()
    except MissingKeyError:
        return [
            "export MOONSHOT_API_KEY=sk-...   # made at platform.kimi.ai",
            "export MOONSHOT_REGION=cn        # only if it was made at platform.kimi.com (mainland China)",
            chat,
        ]
    except SettingsError:
        return [f"{name} doctor   # the settings of this machine cannot work; it says why"]
    return [chat]
