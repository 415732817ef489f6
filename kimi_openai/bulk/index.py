"""Which requests are done, in little memory: 64-bit hashes in sorted arrays, 17 bytes a request.

The arrays are many and short, by the first byte of the hash, because a sort takes 80 bytes more for each entry.

Two ids of a million have the same hash with a probability of 3 in 100 million. Repeated ids of an input are compared
as text before they are reported.
"""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from itertools import pairwise
from typing import Any

__all__ = ["Index", "fingerprint", "hash_of", "hash_of_body"]

SHIFT = 56
BUCKETS = 1 << (64 - SHIFT)

CAPS = ("max_completion_tokens", "max_tokens")


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
        self._keys = [array("Q") for _ in range(BUCKETS)]
        self._values = [array("Q") for _ in range(BUCKETS)]

    def add(self, key: int, value: int = 0) -> None:
        """Add an entry. Of two with the same key, the later one counts."""
        self._keys[key >> SHIFT].append(key)
        self._values[key >> SHIFT].append(value)

    def update(self, other: Index) -> None:
        """Add the entries of another one."""
        for bucket in range(BUCKETS):
            self._keys[bucket] += other._keys[bucket]
            self._values[bucket] += other._values[bucket]

    def sort(self) -> None:
        """Sort the entries."""
        for bucket, (keys, values) in enumerate(zip(self._keys, self._values, strict=True)):
            order = sorted(range(len(keys)), key=keys.__getitem__)
            self._keys[bucket] = array("Q", map(keys.__getitem__, order))
            self._values[bucket] = array("Q", map(values.__getitem__, order))

    def get(self, key: int) -> int | None:
        """The last value of a key, `None` if it is not there."""
        keys = self._keys[key >> SHIFT]
        after = bisect_right(keys, key)
        return self._values[key >> SHIFT][after - 1] if after and keys[after - 1] == key else None

    def first(self, key: int) -> int | None:
        """The first value of a key, `None` if it is not there."""
        keys = self._keys[key >> SHIFT]
        place = bisect_left(keys, key)
        return self._values[key >> SHIFT][place] if place < len(keys) and keys[place] == key else None

    def repeated(self) -> Iterator[int]:
        """The keys that were added more than once."""
        for keys in self._keys:
            yield from (key for key, next_one in pairwise(keys) if key == next_one)

    def __len__(self) -> int:
        return sum(map(len, self._keys))
