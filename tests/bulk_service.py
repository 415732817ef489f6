"""The emulator in a process of its own, so that its CPU time is not that of the client which is measured.

`Service` starts it; the child is `python -m tests.bulk_service OPTIONS`, with the options of `Emulator` as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from types import TracebackType
from typing import Any

from kimi_openai.emulator import Emulator, drop_after, internal_error, overloaded

FAULTS = {drop_after(nbytes=200): 0.10, overloaded(retry_after=0.1): 0.10, internal_error(): 0.05}
"""The chance of each: an answer that is cut, a 429, a 5xx."""


class Service:
    """An emulator, from `with` to its end. `report` is its `LimitReport` as JSON, with the number of chats asked."""

    def __init__(self, **options: Any) -> None:
        command = [sys.executable, "-m", "tests.bulk_service", json.dumps(options)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.base_url, self.api_key = self._ask("")

    def report(self) -> dict[str, Any]:
        """What the limits have counted, and how many chats were asked."""
        found: dict[str, Any] = self._ask("report\n")
        return found

    def _ask(self, text: str) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Service:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.terminate()
        self._process.communicate()


def main(options: dict[str, Any]) -> None:
    """Answer until stdin ends."""
    chance = FAULTS if options.pop("has_faults", False) else None
    with Emulator(chance=chance, keep=100_000, **options) as kimi:
        print(json.dumps([kimi.base_url, kimi.api_key]), flush=True)
        for _ in sys.stdin:
            report = asdict(kimi.limits)
            report["minutes"] = [asdict(each) for each in kimi.limits.minutes]
            print(json.dumps({**report, "chats": len(kimi.chats)}, default=dict), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
