"""Which requests are done, in little memory: 64-bit hashes in sorted arrays, 16 bytes a request.

Two ids of a million have the same hash with a probability of 3 in 100 million. Repeated ids of an input are compared
as text before they are reported.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from heapq import merge
from typing import Any

__all__ = ["Index", "fingerprint", "hash_of", "hash_of_body"]

CAPS = ("max_completion_tokens", "max_tokens")
RUN = 1 << 16


def hash_of(text: str) -> int:
    """A 64-bit hash that is the same in every process."""
    return int.from_bytes(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def fingerprint(body: Mapping[str, Any]) -> str:
    """Stands for a request in the output file, so that another request with the same id is noticed.

    The output limit is not part of it: a run may go on with another one, for the lines that were cut off for example.

    >>> fingerprint({"model": "kimi-k3", "messages": []}) == fingerprint({"messages": [], "model": "kimi-k3"})
    True
    """
    return f"{hash_of_body({name: value for name, value in body.items() if name not in CAPS}):016x}"


def hash_of_body(body: Mapping[str, Any]) -> int:
    """A 64-bit hash of all of a body."""
    return hash_of(json.dumps(body, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str))


class Index:
    """Maps hashes to numbers. Entries are added first; after `sort` they can be looked up."""

    def __init__(self) -> None:
        self._keys, self._values = array("Q"), array("Q")

    def add(self, key: int, value: int = 0) -> None:
        """Add an entry. Of two with the same key, the later one counts."""
        self._keys.append(key)
        self._values.append(value)

    def sort(self) -> None:
        """Sort the entries, run by run: only the numbers of one run are Python objects at a time."""
        count, key = len(self._keys), self._keys.__getitem__
        runs = [array("Q", sorted(range(start, min(start + RUN, count)), key=key)) for start in range(0, count, RUN)]
        order = array("Q", merge(*runs, key=key))
        self._keys = array("Q", (self._keys[place] for place in order))
        self._values = array("Q", (self._values[place] for place in order))

    def get(self, key: int) -> int | None:
        """The last value of a key, `None` if it is not there."""
        place = bisect_left(self._keys, key)
        found = None
        while place < len(self._keys) and self._keys[place] == key:
            found, place = self._values[place], place + 1
        return found

    def first(self, key: int) -> int | None:
        """The first value of a key, `None` if it is not there."""
        place = bisect_left(self._keys, key)
        return self._values[place] if place < len(self._keys) and self._keys[place] == key else None

    def repeated(self) -> Iterator[int]:
        """The keys that were added more than once."""
        keys = self._keys
        for place in range(1, len(keys)):
            if keys[place] == keys[place - 1]:
                yield keys[place]

    def __len__(self) -> int:
        return len(self._keys)
