"""Faults of the emulator that no further attempt can mend, by what is wrong."""

from __future__ import annotations

from kimi_openai.emulator import bad_key, content_filtered, out_of_quota, rate_limited, refuse

__all__ = ["LASTING"]

LASTING = {
    "empty account": out_of_quota(),
    "TPD": rate_limited("tpd"),
    "content": content_filtered(),
    "key": bad_key(),
    "context": refuse("Your request exceeded model token limit : 9"),
    "too long": rate_limited(retry_after=121),
}
