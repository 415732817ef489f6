"""The command `kimi-openai proxy`: prints where the proxy listens, then its log, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import shlex
import signal
from argparse import Namespace
from typing import Any

from kimi_openai._internal.secrets import mask_keys

from .console import Console

__all__ = ["TOKEN_NAME", "run_proxy"]

TOKEN_NAME = "KIMI_PROXY_TOKEN"


class _ConsoleLog(logging.Handler):
    """Writes the log to stderr, without anything that looks like a key."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        self._console.note(mask_keys(self.format(record)))


def run_proxy(options: Namespace, console: Console) -> int:
    """Run `kimi-openai proxy`."""
    from kimi_openai.proxy import Proxy

    proxy = Proxy(
        options.port,
        host=options.host,
        token=options.token or os.environ.get(TOKEN_NAME) or None,
        fetch_images=options.inline_images,
        max_concurrency=options.max_concurrency,
        limits=options.limits,
    )
    log, handler = logging.getLogger("kimi_openai"), _ConsoleLog(console)
    level = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # where the event loop cannot handle signals
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_serve(proxy, console))
    except OSError as problem:
        console.note(f"port {options.port}: {problem.strerror or problem}; choose another with --port")
        return 2
    finally:
        log.removeHandler(handler)
        log.setLevel(level)
    return 0


async def _serve(proxy: Any, console: Console) -> None:
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    with contextlib.suppress(NotImplementedError):  # Windows
        for number in (signal.SIGINT, signal.SIGTERM):
            if signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, stopped.set)
    async with proxy:
        console.note(f"a proxy for {proxy.kimi_url} is listening; Ctrl-C ends it")
        if not proxy.is_local:
            console.note(f"other machines can reach it at {proxy.host}, and nothing is encrypted, nor is the token")
        console.line(f"export OPENAI_BASE_URL={proxy.base_url}\nexport OPENAI_API_KEY={shlex.quote(proxy.token)}")
        await stopped.wait()
