"""The commands: `kimi-openai COMMAND`, or `python -m kimi_openai COMMAND`.

`arguments.py` says which there are; here they are run, and what they raise becomes an exit code and words on stderr.
Answers go to stdout, everything else to stderr. Exit codes: 0 fine (also when the reader of a pipe has had enough), 1
the service said no, 2 wrong usage, 130 Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from io import TextIOWrapper
from typing import Any, TextIO

import openai

from . import KimiOpenAI, chatting, commands, create_client, demo
from .arguments import parser
from .doctor import doctor
from .errors import CompatError, KimiCompatWarning, MissingKeyError
from .screen import HarmlessWriter, Screen
from .settings import resolve
from .waits import RetryEvent

__all__ = ["main"]

NEEDS_EMULATOR = "the emulator needs aiohttp: pip install 'kimi-openai[emulator]'"

LONG = 2.0
"""Seconds of a wait that is worth a line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):
            output.reconfigure(errors="backslashreplace")  # what the terminal's encoding lacks is written out
    try:
        code = _outcome(arguments)
        print(end="", flush=True)
    except BrokenPipeError:
        _let_go_of(sys.stdout, sys.stderr)
        return 0
    except OSError as problem:  # a full disk
        _let_go_of(sys.stdout)
        Screen().note(str(problem))
        return 2
    return code


def _outcome(arguments: Sequence[str] | None) -> int:
    screen = Screen()
    try:
        wanted = parser().parse_args(arguments)
        with _warnings_as_notes(screen):
            return COMMANDS[wanted.command](wanted, screen)
    except SystemExit as end:  # argparse's: its words are written
        return end.code if isinstance(end.code, int) else 2
    except KeyboardInterrupt:
        return chatting.INTERRUPTED
    except ModuleNotFoundError as missing:
        if missing.name != "aiohttp":
            raise
        screen.note(NEEDS_EMULATOR)
        return 2
    except (ValueError, CompatError, FileNotFoundError, PermissionError) as problem:  # SettingsError is a ValueError
        screen.note(str(problem))
        return 2
    except openai.OpenAIError as error:
        screen.note(str(error))
        return 1


@contextlib.contextmanager
def _warnings_as_notes(screen: Screen) -> Generator[None, None, None]:
    """What is changed for Kimi is said in a line of our own."""

    def note(*warning: Any, **_: Any) -> None:
        screen.note(str(warning[0]))

    with warnings.catch_warnings():
        warnings.simplefilter("always", KimiCompatWarning)
        warnings.showwarning = note
        yield


def _let_go_of(*outputs: TextIO) -> None:
    """Nobody reads them any more; what is still buffered goes nowhere, also at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for output in outputs:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, output.fileno())


def _with_client(run: Callable[..., int], *, reads_stdin: bool = False) -> Callable[[Namespace, Screen], int]:
    """A command that needs a client."""

    def command(wanted: Namespace, screen: Screen) -> int:
        with create_client(on_retry=partial(_note_wait, screen)) as client:
            return run(client, wanted, screen, *([sys.stdin] if reads_stdin else []))

    return command


def _note_wait(screen: Screen, event: RetryEvent) -> None:
    if event.wait >= LONG:
        screen.note(f"{event.kind.replace('_', ' ')}: asking again in {event.wait:.0f} s")


def run_demo(_: Namespace, screen: Screen) -> int:
    """The tour, on the service that the settings name or on the emulator."""
    try:
        client = create_client()
    except MissingKeyError:
        from .emulator import Emulator

        screen.line("No key found (MOONSHOT_API_KEY is not set): this is a local emulator, not Kimi.")
        with Emulator() as kimi, create_client(base_url=kimi.base_url, api_key=kimi.api_key, region="ai") as client:
            return _tour(client, screen)
    screen.line(f"This is Kimi at {client.base_url}: the calls below use your account.")
    with client:
        return _tour(client, screen)


def _tour(client: KimiOpenAI, screen: Screen) -> int:
    out: Any = HarmlessWriter(screen.out)
    with contextlib.redirect_stdout(out):
        demo.run(client, out)
    return 0


def run_emulator(wanted: Namespace, screen: Screen) -> int:
    """Serve until Ctrl-C, after printing what to export."""
    from .emulator import Emulator

    try:
        kimi = Emulator(wanted.port, token_delay=wanted.token_delay).start()
    except OSError as problem:
        screen.note(f"port {wanted.port}: {problem.strerror or problem}; choose another with --port")
        return 2
    screen.line(f"export MOONSHOT_BASE_URL={kimi.base_url}\nexport MOONSHOT_API_KEY={kimi.api_key}")
    screen.note("a local Kimi is listening; Ctrl-C ends it")
    kimi.wait()
    return 0


COMMANDS: Mapping[str, Callable[[Namespace, Screen], int]] = {
    "chat": _with_client(chatting.chat, reads_stdin=True),
    "balance": _with_client(commands.balance),
    "models": _with_client(commands.models),
    "tokens": _with_client(commands.tokens, reads_stdin=True),
    "files": _with_client(commands.files, reads_stdin=True),
    "env": lambda wanted, screen: commands.env(resolve(), wanted, screen, os.environ),
    "doctor": lambda wanted, screen: doctor(wanted, screen, os.environ),
    "demo": run_demo,
    "emulator": run_emulator,
}


if __name__ == "__main__":
    sys.exit(main())
