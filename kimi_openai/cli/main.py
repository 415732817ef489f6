"""Runs one command: `kimi-openai COMMAND`, or `python -m kimi_openai COMMAND`.

`parser.py` has the list of commands; `run.py` is imported after the arguments are parsed, so that help and completion
do not wait for the SDK. Answers go to stdout, everything else to stderr. Exit codes: 0 fine (also if the reader of a
pipe has closed it), 1 the service said no, 2 wrong usage, 130 Ctrl-C.
"""

from __future__ import annotations

import contextlib
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from typing import TextIO

from .completion import complete, print_completion
from .console import Console
from .flags import error_text
from .parser import parser, with_command
from .versions import unfit_packages

__all__ = ["INTERRUPTED", "main"]

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. `arguments`: those of the process by default."""
    for output in (sys.stdout, sys.stderr):
        if isinstance(output, TextIOWrapper):
            output.reconfigure(errors="backslashreplace")  # for characters that the terminal's encoding lacks
    try:
        code = _run(sys.argv[1:] if arguments is None else arguments)
        print(end="", flush=True)
    except BrokenPipeError:
        _discard(sys.stdout, sys.stderr)
        return 0
    except OSError as problem:  # such as a full disk
        _discard(sys.stdout)
        Console().note(error_text(problem))
        return 2
    return code


def _run(arguments: Sequence[str]) -> int:
    console = Console()
    try:
        root = parser()
        complete(root)
        if not arguments:
            root.print_help(console.err)
            return 2
        options = root.parse_args(with_command(arguments))
        if options.command == "completion":  # a shell runs it each time that it starts
            return print_completion(options, console)
        return _imported_run(console)(options, console)
    except SystemExit as end:  # argparse's, which has printed why
        return end.code if isinstance(end.code, int) else 2
    except KeyboardInterrupt:
        return INTERRUPTED


def _imported_run(console: Console) -> Callable[[Namespace, Console], int]:
    """The function that runs a command. Notes name the packages that are too old to be imported."""
    try:
        from .run import run
    except Exception:  # what an old package lacks is an ImportError, an AttributeError or a TypeError
        unfit = unfit_packages()
        if not unfit:
            raise
        for each in unfit:
            console.note(f"{each}: {each.todo}")
        raise SystemExit(2) from None
    return run


def _discard(*outputs: TextIO) -> None:
    """Send what is still buffered to the null device, also at exit: the reader of these outputs has closed them."""
    null = os.open(os.devnull, os.O_WRONLY)
    for output in outputs:
        with contextlib.suppress(OSError, ValueError):
            os.dup2(null, output.fileno())
