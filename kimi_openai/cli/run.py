"""Runs a command that was parsed: makes its client, and makes an exit code and a line on stderr of an exception.

`main.py` calls `run`, and says what the exit codes mean.
"""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable, Generator, Mapping
from functools import partial
from importlib import import_module
from io import StringIO
from typing import Any

import openai

from kimi_openai.client.factories import create_client
from kimi_openai.client.settings import resolve
from kimi_openai.errors.exceptions import KimiCompatWarning
from kimi_openai.retry.events import RetryEvent

from . import batch, chat, commands
from .console import Console
from .doctor import doctor
from .flags import error_text, in_flags

__all__ = ["COMMANDS", "run"]

LONG_WAIT = 2.0
"""Seconds; a shorter wait is not worth a note."""

Run = Callable[[Namespace, Console], int]


def run(options: Namespace, console: Console) -> int:
    """Run a command; returns the exit code."""
    try:
        with _print_warnings(console):
            return COMMANDS[options.command](options, console)
    except ModuleNotFoundError as missing:
        if missing.name != "aiohttp":
            raise
        console.note(str(missing))  # which names the extra to install
        return 2
    except (ValueError, FileNotFoundError, PermissionError) as problem:  # SettingsError and CompatError are ValueErrors
        console.note(error_text(problem))
        return 2
    except openai.OpenAIError as error:
        console.note(in_flags(str(error)))
        return 1


@contextlib.contextmanager
def _print_warnings(console: Console) -> Generator[None, None, None]:
    """Print each warning about a changed request as a note, and not in Python's form."""

    def note(*warning: Any, **_: Any) -> None:
        console.note(in_flags(str(warning[0])))

    with warnings.catch_warnings():
        warnings.simplefilter("always", KimiCompatWarning)
        warnings.showwarning = note
        yield


def _with_client(command: Callable[..., int], *, reads_stdin: bool = False) -> Run:
    """A command that gets a client, made from the settings of this process."""

    def with_client(options: Namespace, console: Console) -> int:
        with create_client(on_retry=partial(_note_wait, console)) as client:
            return command(client, options, console, *([sys.stdin or StringIO()] if reads_stdin else []))

    return with_client


def _note_wait(console: Console, event: RetryEvent) -> None:
    if event.wait >= LONG_WAIT:
        console.note(f"{event.kind.replace('_', ' ')}: asking again in {event.wait:.0f} s")


def _imported(module: str, function: str) -> Run:
    """A command whose module is imported with it, because the others do not need it."""

    def command(options: Namespace, console: Console) -> int:
        code: int = getattr(import_module(f".{module}", __package__), function)(options, console)
        return code

    return command


COMMANDS: Mapping[str, Run] = {
    "chat": _with_client(chat.chat, reads_stdin=True),
    "balance": _with_client(commands.balance),
    "models": _with_client(commands.models),
    "tokens": _with_client(commands.tokens, reads_stdin=True),
    "files": _with_client(commands.files, reads_stdin=True),
    "batch": _with_client(batch.batch),
    "env": lambda options, console: commands.env(resolve(), options, console, os.environ),
    "doctor": lambda options, console: doctor(options, console, os.environ),
    "demo": _imported("demo", "run_demo"),
    "bulk": _imported("bulk", "run_bulk"),
    "emulator": _imported("emulator", "run_emulator"),
    "proxy": _imported("proxy", "run_proxy"),
}
