"""What a client remembers of its responses and conversations, because Kimi stores none of them.

Bounded by number and by bytes: what has not been used for the longest time is forgotten first. Copies of a client share
it. The table is in `store.py`; nothing here knows the shape of an item.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from pydantic_core import from_json, to_json

from kimi_openai._internal.json_values import Json, as_dict, as_list, is_object
from kimi_openai.errors.exceptions import SettingsError

from .store import Entry, ForgottenError, Store

__all__ = ["ForgottenError", "ResponseMemory"]

MAX_RESPONSES = 1000
MAX_BYTES = 64 * 1024 * 1024


class ResponseMemory:
    """The responses and conversations of a client, for `previous_response_id`, `conversation` and `retrieve`.

    `path`: a file that keeps them when the program ends, readable by its owner only; it holds prompts and answers as
    they are. `None` keeps them in this process. `max_responses` and `max_bytes` bound it: what was used last stays, and
    the responses before a response count as used with it. Pass one object to several clients and they share it
    (`create_client(response_memory=...)`); each client makes its own otherwise, shared by its copies.

    Raises `SettingsError` if the file cannot be opened or is not a memory.

    >>> memory = ResponseMemory(max_responses=2)
    >>> for number in "abc":
    ...     memory.remember({"id": number, "output": [{"type": "message", "id": "m"}]}, [{"role": "user"}])
    >>> len(memory), memory.response("a"), memory.history("c")
    (2, None, [{'role': 'user'}, {'type': 'message', 'id': 'm'}])
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        max_responses: int = MAX_RESPONSES,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        if max_responses < 1 or max_bytes < 1:
            raise SettingsError("max_responses and max_bytes of a ResponseMemory are numbers from 1 up")
        self.path = None if path is None else Path(path).expanduser()
        self.max_responses, self.max_bytes = max_responses, max_bytes
        self._store = Store(self.path)
        len(self)  # opens it

    # Responses -------------------------------------------------------------------------------------------------------

    def remember(
        self, response: Json, items: bytes | Iterable[Any], *, previous: str | None = None, conversation: str = ""
    ) -> None:
        """Keep a response with its own input `items` (or their JSON) and the response before it.

        `conversation`: the items of the input and of the output are added to its own. Raises `ForgottenError` if there
        is no such conversation any more.
        """
        own = items if isinstance(items, bytes) else _json(list(items))
        with self._store.transaction() as entries:
            entries.put(Entry(str(response["id"]), "response", previous, _json(response), own))
            if conversation:
                kept = entries.get(conversation, "conversation")
                added = [*from_json(kept.items), *map(_with_id, [*from_json(own), *_output(response)])]
                entries.put(kept._replace(items=_json(added)))
            entries.forget_oldest(self.max_responses, self.max_bytes)

    def response(self, id: str) -> dict[str, Any] | None:
        """The response with this id as JSON, None if it is not known."""
        with self._store.transaction() as entries:
            try:
                head: dict[str, Any] = from_json(entries.get(id, "response").head)
            except ForgottenError:
                return None
            return head

    def history(self, id: str) -> list[Any]:
        """The items of a response and of all before it, input and output, oldest first. Raises `ForgottenError`."""
        items = self.input_items(id)
        return items + _output(self.response(id) or {})

    def input_items(self, id: str) -> list[Any]:
        """The items that the model had read before it wrote the response. Raises `ForgottenError`."""
        with self._store.transaction() as entries:
            last, *before = entries.chain(id)
        turns = [[*from_json(each.items), *_output(from_json(each.head))] for each in reversed(before)]
        return [item for turn in (*turns, from_json(last.items)) for item in turn]

    def forget(self, id: str) -> bool:
        """Remove a response or a conversation. Returns whether it was there."""
        with self._store.transaction() as entries:
            return entries.delete(id)

    def find_item(self, id: str) -> dict[str, Any] | None:
        """The item with this id in any response or conversation, None if there is none."""
        with self._store.transaction() as entries:
            found = entries.containing(_json(id))
        for entry in found:
            output = _output(from_json(entry.head)) if entry.kind == "response" else []
            for item in [*from_json(entry.items), *output]:
                if as_dict(item).get("id") == id:
                    return dict(item)
        return None

    # Conversations ---------------------------------------------------------------------------------------------------

    def new_conversation(self, items: Iterable[Any] = (), metadata: object = None) -> dict[str, Any]:
        """A new conversation with these items, as JSON."""
        id = f"conv_{uuid4().hex}"
        head: dict[str, Any] = {
            "id": id,
            "object": "conversation",
            "created_at": int(time.time()),
            "metadata": metadata or {},
        }
        with self._store.transaction() as entries:
            entries.put(Entry(id, "conversation", None, _json(head), _json([*map(_with_id, items)])))
            entries.forget_oldest(self.max_responses, self.max_bytes)
        return head

    def conversation(self, id: str) -> dict[str, Any]:
        """The conversation as JSON. Raises `ForgottenError`."""
        with self._store.transaction() as entries:
            head: dict[str, Any] = from_json(entries.get(id, "conversation").head)
            return head

    def conversation_items(self, id: str) -> list[Any]:
        """The items of a conversation, oldest first. Raises `ForgottenError`."""
        with self._store.transaction() as entries:
            items: list[Any] = from_json(entries.get(id, "conversation").items)
            return items

    def change_conversation(
        self, id: str, *, metadata: object = None, add: Iterable[Any] = (), remove: str = ""
    ) -> list[Any]:
        """Set the metadata of a conversation, add items, or remove the item with an id. Returns the items that were
        added. Raises `ForgottenError`."""
        added = list(map(_with_id, add))
        with self._store.transaction() as entries:
            entry = entries.get(id, "conversation")
            head = entry.head if metadata is None else _json({**from_json(entry.head), "metadata": metadata})
            kept = [item for item in from_json(entry.items) if not remove or as_dict(item).get("id") != remove]
            entries.put(entry._replace(head=head, items=_json(kept + added)))
            entries.forget_oldest(self.max_responses, self.max_bytes)
        return added

    # The file --------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        self._store.close()

    def __len__(self) -> int:
        with self._store.transaction() as entries:
            return len(entries)

    def __repr__(self) -> str:
        return f"ResponseMemory({str(self.path or '')!r}, max_responses={self.max_responses})"


def _json(value: Any) -> bytes:
    """The value as JSON. What a server wrote may have numbers in it that JSON does not have; they become null."""
    return to_json(value, inf_nan_mode="null")


def _output(response: Mapping[str, Any]) -> list[Any]:
    return as_list(response.get("output"))


def _with_id(item: Any) -> Any:
    """The item, with a new id if it has none."""
    if not is_object(item) or item.get("id"):
        return item
    kind = str(item.get("type") or "message")
    return {"type": kind, **item, "id": f"{'msg' if kind == 'message' else 'item'}_{uuid4().hex}"}
