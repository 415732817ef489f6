"""Runs one command: `kimi-openai COMMAND`, or `python -m kimi_openai COMMAND`.

`parser.py` has the list of commands. Here exceptions become an exit code and a line on stderr. Answers go to stdout,
everything else to stderr. Exit codes: 0 fine (also if the reader of a pipe has closed it), 1 the service said no, 2
wrong usage, 130 Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import warnings
from argparse import Namespace
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from io import TextIOWrapper
from typing import Any, TextIO

import openai

from kimi_openai._internal.secrets import mask_keys
from kimi_openai.client.factories import create_client
from kimi_openai.client.settings import resolve
from kimi_openai.errors.exceptions import CompatError, KimiCompatWarning
from kimi_openai.retry.events import RetryEvent

from . import batch, chat, commands
from .console import Console
from .doctor import doctor
from .parser import parser
from .proxy import run_proxy

__all__ = ["main"]

LONG_WAIT = 2.0
"""Seconds; a shorter wait is not worth a note."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. `arguments`: those of the process by default."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):
            output.reconfigure(errors="backslashreplace")  # for characters that the terminal's encoding lacks
    try:
        code = _run(arguments)
        print(end="", flush=True)
    except BrokenPipeError:
        _discard(sys.stdout, sys.stderr)
        return 0
    except OSError as problem:  # such as a full disk
        _discard(sys.stdout)
        Console().note(str(problem))
        return 2
    return code


def _run(arguments: Sequence[str] | None) -> int:
    console = Console()
    try:
        options = parser().parse_args(arguments)
        with _print_warnings(console):
            return COMMANDS[options.command](options, console)
    except SystemExit as end:  # argparse's, which has printed why
        return end.code if isinstance(end.code, int) else 2
    except KeyboardInterrupt:
        return chat.INTERRUPTED
    except ModuleNotFoundError as missing:
        if missing.name != "aiohttp":
            raise
        console.note(str(missing))  # which names the extra to install
        return 2
    except (ValueError, CompatError, FileNotFoundError, PermissionError) as problem:  # SettingsError is a ValueError
        console.note(mask_keys(str(problem)))
        return 2
    except openai.OpenAIError as error:
        console.note(str(error))
        return 1


@contextlib.contextmanager
def _print_warnings(console: Console) -> Generator[None, None, None]:
    """Print each warning about a changed request as a note, and not in Python's form."""

    def note(*warning: Any, **_: Any) -> None:
        console.note(str(warning[0]))

    with warnings.catch_warnings():
        warnings.simplefilter("always", KimiCompatWarning)
        warnings.showwarning = note
        yield


def _discard(*outputs: TextIO) -> None:
    """Send what is still buffered to the null device, also at exit: nobody reads these outputs any more."""
    null = os.open(os.devnull, os.O_WRONLY)
    for output in outputs:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(null, output.fileno())


def _with_client(run: Callable[..., int], *, reads_stdin: bool = False) -> Callable[[Namespace, Console], int]:
    """A command that gets a client, made from the settings of this process."""

    def command(options: Namespace, console: Console) -> int:
        with create_client(on_retry=partial(_note_wait, console)) as client:
            return run(client, options, console, *([sys.stdin] if reads_stdin else []))

    return command


def _note_wait(console: Console, event: RetryEvent) -> None:
    if event.wait >= LONG_WAIT:
        console.note(f"{event.kind.replace('_', ' ')}: asking again in {event.wait:.0f} s")


def run_demo(options: Namespace, console: Console) -> int:
    """Run `kimi-openai demo`."""
    from . import demo  # imported with the command: the others do not need it

    return demo.run_demo(options, console)


def run_bulk(options: Namespace, console: Console) -> int:
    """Run `kimi-openai bulk`."""
    from . import bulk  # imported with the command: the others do not need it

    return bulk.run_bulk(options, console, sys.stdin)


def run_emulator(options: Namespace, console: Console) -> int:
    """Run `kimi-openai emulator`: print what to export, then serve until Ctrl-C or SIGTERM.

    A process that was started with SIGINT ignored (`nohup`, a background job) keeps ignoring it.
    """
    from kimi_openai.emulator import Emulator

    try:
        kimi = Emulator(options.port, token_delay=options.token_delay, limits=options.limits).start()
    except OSError as problem:
        console.note(f"port {options.port}: {problem.strerror or problem}; choose another with --port")
        return 2
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # it raises KeyboardInterrupt, as Ctrl-C does
    with contextlib.suppress(KeyboardInterrupt):
        console.note("a local Kimi is listening; Ctrl-C ends it")
        console.line(f"export MOONSHOT_BASE_URL={kimi.base_url}\nexport MOONSHOT_API_KEY={kimi.api_key}")
        kimi.wait()
    kimi.stop()
    return 0


COMMANDS: Mapping[str, Callable[[Namespace, Console], int]] = {
    "chat": _with_client(chat.chat, reads_stdin=True),
    "balance": _with_client(commands.balance),
    "models": _with_client(commands.models),
    "tokens": _with_client(commands.tokens, reads_stdin=True),
    "files": _with_client(commands.files, reads_stdin=True),
    "batch": _with_client(batch.batch),
    "env": lambda options, console: commands.env(resolve(), options, console, os.environ),
    "doctor": lambda options, console: doctor(options, console, os.environ),
    "demo": run_demo,
    "bulk": run_bulk,
    "emulator": run_emulator,
    "proxy": run_proxy,
}
