"""`client.files` whose `wait_for_processing` ends: Kimi's statuses for a file that can be used are not OpenAI's.

The method is set on the SDK's own object and leaves its class alone. `base` calls `end_waits`.
"""

from __future__ import annotations

from functools import wraps
from types import MethodType
from typing import Any

from openai.resources.files import Files
from openai.types import FileObject

from kimi_openai._internal.clock import now, pause
from kimi_openai._internal.flow import Flow, run

__all__ = ["end_waits"]

READY = ("ready", "ok")
"""Kimi's statuses of a file that can be used. Source: docs, files page, 2026-09-03 ("ready"); official samples of 2025
("ok"). No list of statuses is documented."""

FINAL = frozenset((*READY, "processed", "error", "deleted"))
"""With OpenAI's, which the SDK waits for."""


def end_waits(files: Any) -> None:
    """Give an object of the SDK's, `client.files`, a `wait_for_processing` that knows Kimi's statuses."""
    files.wait_for_processing = MethodType(_wait_for_processing, files)


@wraps(Files.wait_for_processing)
def _wait_for_processing(
    self: Any, id: str, *, poll_interval: float = 5.0, max_wait_seconds: float = 30 * 60
) -> FileObject | Any:
    return run(self._client, _processed(self, id, poll_interval, max_wait_seconds))


def _processed(files: Any, id: str, poll_interval: float, max_wait_seconds: float) -> Flow[FileObject]:
    start = now()
    while True:
        file: FileObject = yield files.retrieve(id)
        if file.status in FINAL:
            return file
        if now() - start > max_wait_seconds:
            raise RuntimeError(f"file {id} still has the status {file.status!r} after {max_wait_seconds} seconds")
        yield pause(files._client, poll_interval)
