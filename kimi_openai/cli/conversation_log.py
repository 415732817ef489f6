"""Conversations on disk: a JSONL file for each in the state folder, so that `chat -c` goes on with the last one.

Each answer appends a line: `{"time", "model", "system", "keep", "messages"}`. The messages so far are the first `keep`
of those before, and then `messages`. So a file is only ever appended to, also if an answer is asked for again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

from kimi_openai._internal.counts import count_of
from kimi_openai._internal.json_values import is_array, is_object

from .state_folder import private_file, state_folder

__all__ = ["ConversationLog", "Saved", "last_conversation", "saved_from"]

FOLDER = "conversations"


@dataclass(frozen=True, slots=True)
class Saved:
    """A conversation as it was saved: the messages, the model, and the system text if there was one."""

    messages: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    model: str | None = None
    system: str | None = None


def saved_from(lines: Iterable[str]) -> Saved:
    """The conversation in the lines of a file. A line that is damaged, such as a last one that was cut, is left out.

    >>> saved_from(['{"keep": 0, "messages": [{"role": "user", "content": "Hi"}], "model": "kimi-k3"}', '{"ke']).model
    'kimi-k3'
    """
    saved = Saved()
    for line in lines:
        try:
            record: Any = json.loads(line)
        except ValueError:
            continue
        messages: Any = record.get("messages") if is_object(record) else None
        if is_array(messages) and all(map(is_object, messages)):
            kept = saved.messages[: count_of(record.get("keep")) or 0]
            saved = Saved([*kept, *messages], record.get("model"), record.get("system"))
    return saved


def last_conversation() -> ConversationLog:
    """The log of the conversation that was written to last. Raises `ValueError` if there is none."""
    files = sorted((state_folder() / FOLDER).glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
    if not files:
        raise ValueError(f"there is no conversation to continue: {state_folder() / FOLDER} is empty")
    return ConversationLog(files[-1])


class ConversationLog:
    """The log of one conversation; a new one gets its file with its first answer."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.saved = Saved()
        if path is not None:
            with path.open(encoding="utf-8", errors="replace") as lines:
                self.saved = saved_from(lines)

    def write(self, messages: Sequence[Mapping[str, Any]], *, model: str, system: str | None) -> None:
        """Append what is new since the last time. Raises `OSError`."""
        now = datetime.now(timezone.utc)
        pairs = zip(self.saved.messages, messages, strict=False)
        keep = next((position for position, (old, new) in enumerate(pairs) if old != new), None)
        keep = min(len(self.saved.messages), len(messages)) if keep is None else keep
        record = {
            "time": now.isoformat(timespec="seconds"),
            "model": model,
            "system": system,
            "keep": keep,
            "messages": list(messages[keep:]),
        }
        self._append(json.dumps(record).encode("ascii") + b"\n")
        self.saved = Saved([dict(message) for message in messages], model, system)

    def _append(self, record: bytes) -> None:
        if self.path is None:
            name = f"{datetime.now():%Y-%m-%dT%H-%M-%S}-{uuid4().hex[:8]}.jsonl"
            self.path = private_file(FOLDER, name)
        with self.path.open("a+b") as file:
            file.seek(max(file.tell() - 1, 0))
            is_cut = file.read() not in (b"", b"\n")
            file.write(b"\n" + record if is_cut else record)
