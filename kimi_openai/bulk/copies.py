"""Requests that are the same as another one (`dedupe`): one of them is asked, and its answer is written for all.

Two requests are the same if their bodies are, as they are sent. In memory are 25 bytes for each request.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from .index import Index, hash_of, hash_of_body
from .output import OutputFile
from .records import COPY_OF
from .requests import Request, Requests

__all__ = ["Copies"]


@dataclass(slots=True)
class Copies:
    """Knows which requests are to be asked and which are copies. `adapted` makes the body that is sent."""

    requests: Requests
    adapted: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    _keys: array[int] = field(default_factory=lambda: array("Q"))
    _first: Index = field(default_factory=Index)

    def read(self, *known: Index) -> None:
        """Read the requests. Of those that are the same, the first is asked, unless one of them is in an index."""
        is_done = bytearray()
        for request in self.requests:
            self._keys.append(0 if request.problem else hash_of_body(self.adapted(request.body)))
            place = hash_of(request.custom_id)
            is_done.append(any(index.get(place) is not None for index in known))
        for wanted in (True, False):
            for place, key in enumerate(self._keys):
                if is_done[place] == wanted:
                    self._first.add(key, place)
        self._first.sort()

    def is_copy(self, place: int, request: Request) -> bool:
        """Whether the request at this place, from 0, gets the answer of another one."""
        return not request.problem and self._first.first(self._keys[place]) != place

    def __iter__(self) -> Iterator[Request]:
        """The requests without the copies."""
        for place, request in enumerate(self.requests):
            if not self.is_copy(place, request):
                yield request

    def write(self, source: OutputFile, done: Index) -> int:
        """Write copies of the lines of a file below them, for the requests that are not in `done`; returns how many."""
        offsets, written = Index(), 0
        for offset, record in source.records():
            offsets.add(hash_of(record["custom_id"]), offset)
        offsets.sort()
        found = Index()
        for place, request in enumerate(self.requests):
            known = offsets.get(hash_of(request.custom_id))
            if known is not None:
                found.add(self._keys[place], known)
        found.sort()
        for place, request in enumerate(self.requests):
            same = found.first(self._keys[place])
            if same is not None and done.get(hash_of(request.custom_id)) is None:
                source.append(_copied(source.record_at(same), request))
                written += 1
        return written


def _copied(record: dict[str, Any], request: Request) -> str:
    own = {"id": request.custom_id, "custom_id": request.custom_id, "cost": "0"}
    number = {"line": request.number} if "line" in record else {}
    return json.dumps(
        {**record, **own, **number, COPY_OF: record.get(COPY_OF) or record["custom_id"]}, ensure_ascii=False
    )
