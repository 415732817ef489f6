"""Makes all calls with the SDK's client and with ours under one tracing tool, and writes down what the tool recorded.

Run by the fixture `recorded` in a process of its own, because most tools cannot be removed again: `python -m
tests.tracing.recording MODULE FILE`. The module is one of the tests here. Its `set_up()` starts the tool and returns a
function that returns what was recorded since it was last called. `wrap(client)`, if the module has it, wraps a client.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai

from kimi_openai import AsyncKimiOpenAI, KimiOpenAI
from kimi_openai.emulator import Behaviour, Emulator

from .calls import CALLS, USED_BEFORE, prepare

CLIENTS = {"sync": (openai.OpenAI, KimiOpenAI), "async": (openai.AsyncOpenAI, AsyncKimiOpenAI)}


def main(module: str, file: str) -> None:
    """Write a list of what was recorded of the SDK's client and of ours, for each "call, mode"."""
    tool: Any = importlib.import_module(module)
    early = {kind: Session(kind) for kinds in CLIENTS.values() for kind in kinds}
    for mode, kinds in CLIENTS.items():
        for kind in kinds:
            prepare(early[kind].kimi, "create")
            early[kind].make(CALLS["create"][mode == "async"])
    collect: Callable[[], list[Any]] = tool.set_up()
    wrap: Callable[[Any], Any] = getattr(tool, "wrap", lambda client: client)
    gc.freeze()  # `gc.collect()` would look at every module otherwise
    found: dict[str, list[Any]] = {}
    for name, calls in CALLS.items():
        for (mode, kinds), call in zip(CLIENTS.items(), calls, strict=True):
            sessions = [early[kind] if name == USED_BEFORE else Session(kind) for kind in kinds]
            found[f"{name}, {mode}"] = [record(name, call, session, wrap, collect) for session in sessions]
    Path(file).write_text(json.dumps(found))


class Session:
    """An emulator and a client for it; an event loop too if the client is asynchronous."""

    def __init__(self, kind: Any) -> None:
        self.kimi = Emulator(behaviour=Behaviour(cache_write_tokens=False), seed=1, clock=1_760_000_000).start()
        self.host = f"127.0.0.1:{self.kimi.port}"
        self.client = kind(base_url=self.kimi.base_url, api_key=self.kimi.api_key, max_retries=0)
        self._loop = asyncio.new_event_loop() if issubclass(kind, openai.AsyncOpenAI) else None

    def make(self, call: Callable[[Any], Any], wrap: Callable[[Any], Any] = lambda client: client) -> Any:
        """The result of a call with the wrapped client."""
        if self._loop is None:
            return call(wrap(self.client))
        return self._loop.run_until_complete(call(wrap(self.client)))

    def close(self) -> None:
        """Close the client and the loop; stop the emulator."""
        if self._loop is None:
            self.client.close()
        else:
            self._loop.run_until_complete(self.client.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.close()
        self.kimi.stop()


def record(
    name: str, call: Callable[[Any], Any], session: Session, wrap: Callable[[Any], Any], collect: Callable[[], Any]
) -> Any:
    """What the program sees of one call ("result" or "error"), what the tool recorded ("spans"), and the requests."""
    found: dict[str, Any] = {}
    prepare(session.kimi, name)
    try:
        found["result"] = session.make(call, wrap)
    except Exception as error:
        found["error"] = type(error).__name__
    session.close()
    gc.collect()  # some tools record a stream that was left early when it is collected
    found["spans"] = collect()
    found["requests"] = len(session.kimi.requests)
    return json.loads(json.dumps(found, default=str).replace(session.host, "HOST"))


if __name__ == "__main__":
    main(*sys.argv[1:])
