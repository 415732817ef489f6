"""The command `kimi-openai emulator`: prints what to export, then serves until Ctrl-C or SIGTERM."""

from __future__ import annotations

import contextlib
import signal
from argparse import Namespace

from .console import Console

__all__ = ["run_emulator"]


def run_emulator(options: Namespace, console: Console) -> int:
    """Run `kimi-openai emulator`.

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
