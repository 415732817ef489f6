"""What a Kimi client is told beyond the SDK's own options: one frozen record that every copy of the client carries on.

`client.py` takes these keywords out of its arguments and hands them back at `with_options()`; the rooms that act on one
read it from here. A default stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from .settings import Region

__all__ = ["Options"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`region`: of the account, `None` if unknown. `allow_http`: `http://` to a host that is not loopback is meant."""

    region: Region | None = None
    allow_http: bool = False

    @classmethod
    def names(cls) -> frozenset[str]:
        """The keywords that are ours and not the SDK's."""
        return frozenset(field.name for field in fields(cls))

    def as_keywords(self) -> Mapping[str, Any]:
        """What a copy's constructor is given; the values themselves, not copies of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
