"""Commands in children of a process that has imported the SDK already: each starts in 0.1 s of CPU time instead of 1 s.

What a command imports by itself (rich, prompt_toolkit) is imported by the child, as in a process of its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

__all__ = ["started_on"]

ROOT = str(Path(__file__).parents[1])
PRELOADED = ["tests.forked", "openai.resources.chat.completions", "kimi_openai.client", "kimi_openai.cli.chat"]


def started_on(
    terminal: str, arguments: Sequence[str], environment: Mapping[str, str], *, hidden: Sequence[str], stdin: str
) -> BaseProcess:
    """`python -W error -m kimi_openai ...` whose three files are the terminal with this path, and which it controls.

    `hidden`: packages that cannot be imported. `stdin`: a shell command whose output is its stdin instead, if given.
    """
    if ROOT not in sys.path:
        sys.path.append(ROOT)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(
        target=_run, args=(terminal, [*arguments], {**environment}, [*hidden], stdin, os.getcwd()), daemon=True
    )
    process.start()
    return process


def _run(
    terminal: str, arguments: list[str], environment: dict[str, str], hidden: list[str], stdin: str, folder: str
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    os.setsid()
    opened = os.open(terminal, os.O_RDWR)  # by the leader of a session: it becomes the controlling terminal
    for number in range(3):
        os.dup2(opened, number)
    if stdin:
        pipe = subprocess.Popen(stdin, shell=True, stdout=subprocess.PIPE).stdout
        assert pipe is not None
        os.dup2(pipe.fileno(), 0)
    sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
    imported = [name for name in sys.modules if name.partition(".")[0] in hidden]  # by httpx, for one
    sys.modules.update(dict.fromkeys([*hidden, *imported]))  # type: ignore[arg-type] - None: cannot be imported
    sys.argv[1:] = arguments
    signal.signal(signal.SIGINT, signal.default_int_handler)
    warnings.resetwarnings()
    warnings.simplefilter("error")

    from kimi_openai.cli.main import main

    sys.exit(main())
