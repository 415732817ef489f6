"""The readings that the emulator can take where the documentation is silent or contradicts itself.

Only switches live here, each with its default, the reading and its source; every other room reads them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kimi_openai.models import CURRENT

__all__ = ["Behaviour"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How this Kimi behaves where more than one reading is possible. The defaults follow measurements, then the docs.

    >>> Behaviour().strict_thinking
    False
    """

    models: tuple[str, ...] = CURRENT
    """Ids the key may use and `/v1/models` lists. Accounts registered from 2026-10-31 are said to get no K2 model."""

    any_key: bool = False
    """Accept every key. Off: another key, such as one of the other region, is a 401 "Invalid Authentication"."""

    strict_thinking: bool = False
    """Read the docs literally for the K3 family: 400 for thinking disabled, for an effort other than low/high/max and
    for a tool call replayed without its reasoning. Live receipts of 2026-09-03 show all three answered with 200."""

    require_reasoning: bool = True
    """K2.x: 400 for a tool-call message without `reasoning_content`. Many user reports; last measured on k2.5."""

    accept_empty_reasoning: bool = True
    """Whether `reasoning_content: ""` satisfies that rule: official clients rely on it, one report says it did not."""

    partial_elsewhere: Literal["ignore", "reject"] = "ignore"
    """`partial` on a message that is not the last assistant message: not documented."""

    rethink_partial: bool = True
    """Whether a prefix without its `reasoning_content` is reasoned about anew: one report of K3 doing so."""

    repeat_prefix: bool = False
    """Send the partial-mode prefix again before the continuation, as one 2025 report shows; not so in the docs."""

    whole_scripts: bool = True
    """A scripted answer that begins with the partial-mode prefix is the whole answer, and only its rest is sent."""

    mfjs: Literal["strict", "lite", "off"] = "strict"
    """How tool schemas are checked: the older and stricter texts that users quote, the validator's newest default level
    (readable, resolvable, finite), or not at all. Which of them the server runs is unknown."""

    mfjs_response_format: bool = False
    """Check response_format schemas as well. The docs say the service mostly answers 200 there."""

    estimate_counts_tools: bool = False
    """Whether the token estimate counts top-level tools: not documented."""

    cache_write_tokens: bool = False
    """Report `prompt_tokens_details.cache_write_tokens` (reading notes of late September; never measured)."""

    file_content: Literal["text", "document"] = "text"
    """Extracted text as such (the docs), or inside a JSON document (official 2025 samples)."""

    file_status: str = "ready"
    """`status` of a file: the docs' example says "ready", older captures "ok"."""

    file_list_honours_after: bool = False
    """Whether the file list obeys `after`: the docs name no parameter. The list has no `has_more` either way."""

    max_files: int = 1000
    """Files per user (docs, files page)."""

    max_file_bytes: int = 100 * 1024 * 1024
    """Size of one file (docs, files page)."""

    max_total_bytes: int = 10 * 1024**3
    """Size of all files of a user (docs, files page)."""

    request_id_header: str | None = "Msh-Request-Id"
    """Header of the request id: seen in captures, not documented; `x-msh-trace-id` and `x-trace-id` were too."""

    retry_after: bool = True
    """Whether a 429 fault may carry `Retry-After` and `x-retry-after`: seen on one measured 429, not promised."""

    quota_status: int = 429
    """Status of an empty account: 429 in the newest docs and reports, 403 on the help centre and in a 2025 report."""

    batch_polls: int = 1
    """How many retrievals a batch stays in each state, so that tests decide the pace and not the clock."""
