"""What a Kimi client is told beyond the SDK's own options: one frozen record that every copy of the client carries on.

`client.py` takes these keywords out of its arguments and hands them back at `with_options()`; the rooms that act on one
read it from here. A default stands here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from .errors import Note
from .settings import Region

__all__ = ["Compat", "Options"]

Compat = Literal["adapt", "strict", "off"]
"""What becomes of a request that Kimi does not accept as it is: the nearest one that it does, an error, or itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """`region`: of the account, `None` if unknown. `allow_http`: `http://` to a host that is not loopback is meant.
    `compat`: what becomes of what Kimi does not accept, `None` for the environment's word. `on_note`: called with each
    `Note` of a change. `model_aliases`: ids to send for others, `None` for the environment's. `fetch_images`: https
    images are fetched and put into the request."""

    region: Region | None = None
    allow_http: bool = False
    compat: Compat | None = None
    on_note: Callable[[Note], object] | None = None
    model_aliases: Mapping[str, str] | None = None
    fetch_images: bool = False

    @classmethod
    def names(cls) -> frozenset[str]:
        """The keywords that are ours and not the SDK's."""
        return frozenset(field.name for field in fields(cls))

    def as_keywords(self) -> Mapping[str, Any]:
        """What a copy's constructor is given; the values themselves, not copies of them."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
