"""The prompt cache: which prefixes were seen before, and how many tokens of a prompt are read or written.

Prefixes are cached in blocks of 256 tokens and as whole prompts (measured). A lifetime is fixed at the first write, and
hits renew it (docs of late September 2026).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

__all__ = ["BLOCK", "CacheUse", "PromptCache"]

BLOCK = 256
SIZE = 10_000
"""How many prefixes are remembered."""


class CacheUse(NamedTuple):
    """Tokens of one prompt that were read and written; the rest is neither."""

    read: int
    written: int


class _Prefix(NamedTuple):
    expires: float
    lifetime: float


@dataclass(slots=True)
class PromptCache:
    """Hashes of prefixes and of whole prompts with their lifetimes, the least recently used first."""

    seen: OrderedDict[int, _Prefix] = field(default_factory=OrderedDict[int, _Prefix])

    def use(
        self,
        salt: object,
        prompt: Sequence[tuple[str, int]],
        overhead: int,
        *,
        now: float = 0,
        lifetime: float = inf,
    ) -> CacheUse:
        """What of the prompt is read from the cache, and what is written to it for `lifetime` seconds.

        `prompt` holds the text of each message and its tokens, `overhead` the other tokens. Prompts with another `salt`
        share nothing.

        >>> cache = PromptCache()
        >>> cache.use("k3", [("hi", 80)], 9), cache.use("k3", [("hi", 80)], 9)
        (CacheUse(read=0, written=89), CacheUse(read=89, written=0))
        >>> cache.use("k3", [("hi", 80), ("long", 500)], 9)
        CacheUse(read=0, written=512)
        """
        key, total, read = hash(salt), overhead, 0
        for text, tokens in prompt:
            key, total = hash((key, text)), total + tokens
            known = self.seen.get(key)
            if known is not None and known.expires > now:
                read, kept = total, known.lifetime
            else:
                kept = lifetime
            self.seen[key] = _Prefix(now + kept, kept)
            self.seen.move_to_end(key)
        while len(self.seen) > SIZE:
            self.seen.popitem(last=False)
        is_small = total <= BLOCK
        read = read if is_small and read == total else read // BLOCK * BLOCK
        cached = total if is_small else total // BLOCK * BLOCK
        return CacheUse(read, max(0, cached - read))
