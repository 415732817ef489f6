"""The reasoning of answers that called tools, kept until the same calls are sent back without it.

Kimi wants `reasoning_content` back with the tool calls that it came with: K2 refuses the request without it, K3 answers
better with it (platform docs, tool calls guide). Many frameworks drop the field. A client keeps it here, in memory
only; `compat/recall.py` puts it back.
"""

from __future__ import annotations

import json
import os
import re
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from threading import Lock
from typing import Any
from weakref import WeakSet

from kimi_openai._internal.json_values import as_dict, as_list, is_array, is_dict

__all__ = ["ReasoningMemory"]

MAX_ENTRIES = 2_000
MAX_BYTES = 16_000_000

RENUMBERED = re.compile(r"call_0{16,}[0-9a-f]{1,8}")
"""The ids that agno 3.1 sends instead of Kimi's: numbered from 0 in each conversation, in the form of OpenAI's."""

SAME_ROLES = {"developer": "system", "function": "tool"}


class ReasoningMemory:
    """Reasoning by the tool calls that it came with and the conversation before them.

    An entry holds the reasoning, and one digest of the calls (ids, names, arguments) and of all messages before them.
    Kimi's ids, such as `get_weather_0`, are the same in many conversations; the messages keep those apart, so reasoning
    is sent only where it was made of nothing else. Calls whose ids a framework has numbered anew are found without the
    ids. The entries used least recently are forgotten: at most `max_entries` and `max_bytes` (of reasoning, as UTF-8)
    are kept. Safe for threads and forks. A copy or a pickle of it is empty.
    """

    def __init__(self, *, max_entries: int = MAX_ENTRIES, max_bytes: int = MAX_BYTES) -> None:
        self._max_entries, self._max_bytes = max_entries, max_bytes
        self._entries: OrderedDict[bytes, tuple[str, int, bytes | None]] = OrderedDict()
        self._keys_without_ids: dict[bytes | None, bytes] = {}
        self._bytes = 0
        self._lock = Lock()
        _memories.add(self)

    def __len__(self) -> int:
        return len(self._entries)

    def __reduce__(self) -> tuple[Any, ...]:
        return _new, (self._max_entries, self._max_bytes)

    def remember(self, messages: Sequence[Any], tool_calls: Iterable[Any], reasoning: str | None) -> None:
        """Keep the reasoning of the answer to `messages` that made these calls, in place of an earlier one. Without
        reasoning, the earlier one is forgotten."""
        if not (reasoning or self._entries):
            return
        before, calls = _conversation(messages), list(tool_calls)
        key = _key(before, calls)
        size = len((reasoning or "").encode(errors="replace"))
        if key is None:
            return
        without_ids = _key(before, calls, with_ids=False)
        with self._lock:
            self._forget(key)
            if reasoning and size <= self._max_bytes:
                self._entries[key] = reasoning, size, without_ids
                self._keys_without_ids[without_ids] = key
                self._bytes += size
            while len(self._entries) > self._max_entries or self._bytes > self._max_bytes:
                self._forget(next(iter(self._entries)))

    def recalled(self, messages: Sequence[Any], *, replace_empty: Callable[[], bool] = lambda: False) -> dict[int, str]:
        """The remembered reasoning of the messages that have tool calls and no `reasoning_content`, by their index.

        `replace_empty` is asked, if there is such a message, whether an empty text counts as none.

        >>> call = {"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}
        >>> question = {"role": "user", "content": "Hi"}
        >>> memory = ReasoningMemory()
        >>> memory.remember([question], [call], "hm")
        >>> memory.recalled([question, {"role": "assistant", "tool_calls": [call]}])
        {1: 'hm'}
        """
        if not self._entries:
            return {}
        lacking = {index for index, message in enumerate(messages) if _lacks_reasoning(message)}
        if any(messages[index].get("reasoning_content") == "" for index in lacking) and not replace_empty():
            lacking = {index for index in lacking if messages[index].get("reasoning_content") is None}
        found: dict[int, str] = {}
        digest = blake2b(digest_size=16)
        for index in range(max(lacking, default=-1) + 1):
            if index in lacking and (reasoning := self._look_up(digest, messages[index]["tool_calls"])):
                found[index] = reasoning
            _add_message(digest, messages[index])
        return found

    def _look_up(self, before: blake2b, calls: list[Any]) -> str | None:
        key = _key(before, calls)
        without_ids = _key(before, calls, with_ids=False) if _are_renumbered(calls) else None
        with self._lock:
            if key not in self._entries:
                key = self._keys_without_ids.get(without_ids)
            if key is None:
                return None
            self._entries.move_to_end(key)
            return self._entries[key][0]

    def _forget(self, key: bytes) -> None:
        _, size, without_ids = self._entries.pop(key, ("", 0, None))
        self._bytes -= size
        if self._keys_without_ids.get(without_ids) == key:
            del self._keys_without_ids[without_ids]

    def renew_lock(self) -> None:
        """For a forked child, in which the lock may be held by a thread that the child does not have."""
        self._lock = Lock()


_memories: WeakSet[ReasoningMemory] = WeakSet()


def _new(max_entries: int, max_bytes: int) -> ReasoningMemory:
    return ReasoningMemory(max_entries=max_entries, max_bytes=max_bytes)


def _renew_locks() -> None:
    for memory in _memories:
        memory.renew_lock()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_renew_locks)


def _lacks_reasoning(message: Any) -> bool:
    return (
        is_dict(message)  # much faster than `is_object`, for each message of each request
        and message.get("role") == "assistant"
        and is_array(message.get("tool_calls"))
        and message.get("reasoning_content") in (None, "")
    )


# Digests -------------------------------------------------------------------------------------------------------------


def _conversation(messages: Iterable[Any]) -> blake2b:
    digest = blake2b(digest_size=16)
    for message in messages:
        _add_message(digest, message)
    return digest


def _key(before: blake2b, calls: list[Any], *, with_ids: bool = True) -> bytes | None:
    """The key of these calls after a conversation; None if one of them is not as documented."""
    parts = [_call_parts(call) for call in calls]
    if not parts or None in parts:
        return None
    digest = before.copy()
    digest.update(_encoded([part if with_ids else part[1:] for part in parts if part is not None]))
    return digest.digest()


def _are_renumbered(calls: list[Any]) -> bool:
    return all(RENUMBERED.fullmatch(str(as_dict(call).get("id"))) for call in calls)


def _add_message(digest: blake2b, message: Any) -> None:
    """What the model reads of a message, but for its reasoning; nothing for an empty one."""
    fields = as_dict(message)
    role, text = fields.get("role"), _text(fields.get("content"))
    calls = [_call_parts(call) for call in as_list(fields.get("tool_calls"))]
    if text or calls:
        digest.update(_encoded([SAME_ROLES.get(role, role) if isinstance(role, str) else None, text, calls]))


def _call_parts(call: Any) -> list[str] | None:
    fields = as_dict(call)
    function = as_dict(fields.get("function"))
    id, name = fields.get("id"), function.get("name")
    if not (isinstance(id, str) and isinstance(name, str)):
        return None
    return [id, name, _canonical(function.get("arguments"))]


def _canonical(arguments: Any) -> str:
    """The arguments without the spelling of their JSON, which frameworks write anew."""
    try:
        value = json.loads(arguments or "{}", strict=False) if isinstance(arguments, str | None) else arguments
        return json.dumps(value, sort_keys=True)
    except (TypeError, ValueError, RecursionError):
        return str(arguments)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content.strip()
    return "".join(_part_text(part) for part in as_list(content)).strip()


def _part_text(part: Any) -> str:
    text = part if isinstance(part, str) else as_dict(part).get("text")
    return text if isinstance(text, str) else _canonical(part)


def _encoded(parts: list[Any]) -> bytes:
    return json.dumps(parts).encode() + b"\n"
