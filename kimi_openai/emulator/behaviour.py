"""Switches for what the documentation leaves open or contradicts, each with its default and its source.

Users pass a `Behaviour` to `Emulator`; all other modules read it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kimi_openai.models.catalog import CURRENT

__all__ = ["Behaviour"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How the emulator behaves where more than one reading is possible. Defaults follow measurements, then the docs.

    >>> Behaviour().strict_thinking
    False
    """

    models: tuple[str, ...] = CURRENT
    """Ids that the key may use and `/v1/models` lists. One report: accounts created from 2026-10-31 get no K2 model."""

    any_key: bool = False
    """Accept every key. If False, any key but `api_key` gets 401 "Invalid Authentication"."""

    strict_thinking: bool = False
    """Follow the docs literally for the K3 family: 400 for thinking disabled, for an effort other than low/high/max and
    for a tool call replayed without its reasoning. Measurements of 2026-09-03 show all three answered with 200."""

    require_reasoning: bool = True
    """K2.x: 400 for a tool-call message without `reasoning_content`. Many user reports; last measured on k2.5."""

    accept_empty_reasoning: bool = False
    """Whether `reasoning_content: ""` satisfies that rule: two measurements say no, an official client relies on it."""

    accept_empty_results: bool = True
    """Whether the content of a tool message may be empty: no source says. Empty messages of all other roles are a 400
    (reports; measured for user and system in 2026-08)."""

    partial_elsewhere: Literal["ignore", "reject"] = "ignore"
    """`partial` on a message that is not the last assistant message: not documented."""

    rethink_partial: bool = True
    """Whether the model reasons again when a prefix comes without `reasoning_content`: one report of K3 doing so."""

    repeat_prefix: bool = False
    """Send the partial-mode prefix again before the continuation: one report of 2025; the docs do not show it."""

    whole_scripts: bool = True
    """A scripted answer that begins with the partial-mode prefix is the whole answer, and only its rest is sent."""

    schema_level: Literal["loose", "lite", "strict", "ultra"] = "strict"
    """The level of Moonshot's published validator at which tool schemas are checked; "loose" checks nothing. Staff
    advise "strict", the validator's default is "ultra"; which one the service uses is unknown."""

    mfjs_response_format: bool = False
    """Check response_format schemas as well. The docs say the service mostly answers 200 there."""

    estimate_dynamic_tools: Literal["count", "reject"] = "count"
    """What the token estimate does with tools in a message: not documented."""

    estimate_counts_tools: bool = False
    """Whether the token estimate counts top-level tools: not documented."""

    cache_write_tokens: bool = True
    """Report `prompt_tokens_details.cache_write_tokens` for models that bill writes (documented since late September;
    the requests measured on 2026-09-03 did not have it in chat, and 0 in `/v1/responses`)."""

    cache_hour_works: bool = True
    """Whether `ttl: "1h"` keeps a prefix for an hour. Offered by staff; a relay's test of 2026-10-25 did not see it."""

    cache_without_write_price: float | None = None
    """Seconds after which a prefix of a model without a write price (K2) is forgotten, or never: not documented."""

    file_content: Literal["text", "document"] = "text"
    """Extracted text as plain text (the docs), or inside a JSON document (official samples of 2025)."""

    file_status: str = "ready"
    """`status` of a file: the docs' example says "ready", older captures "ok"."""

    file_list_honours_after: bool = False
    """Whether the file list supports `after`: the docs name no parameter. The list never has `has_more`."""

    max_body_bytes: int = 100 * 1024 * 1024
    """Size of the body of a chat or Responses request (docs, vision guide); above it the answer is a 413."""

    too_large: Literal["html", "json"] = "html"
    """Whether a 413 is a page of the gateway or an error of the API: not documented."""

    date_offset: float = 0.0
    """Seconds by which the `Date` header is off, as on a server whose clock is wrong."""

    max_files: int = 1000
    """Files per user (docs, files page)."""

    max_file_bytes: int = 100 * 1024 * 1024
    """Size of one file (docs, files page)."""

    max_total_bytes: int = 10 * 1024**3
    """Size of all files of a user (docs, files page)."""

    request_id_header: str | None = "Msh-Request-Id"
    """Header of the request id, or None: seen in captures, not documented, as are `x-msh-trace-id` and `x-trace-id`."""

    retry_after: bool = True
    """Whether a 429 fault may carry `Retry-After` and `x-retry-after`: seen on one measured 429, not promised."""

    has_responses: bool = True
    """Whether `/v1/responses` is there; a 404 of an unknown path if not."""

    responses_on_k2: bool = True
    """Whether `/v1/responses` answers for K2 models: the docs list kimi-k3 only, kimi-k2.6 was measured with 200."""

    responses_unsupported: Literal["ignore", "reject"] = "ignore"
    """`previous_response_id`, `conversation`, `store`, `background` and unknown values of `include`. Unknown fields are
    ignored; that these are too is inferred."""

    responses_system_role: bool = False
    """Whether an input message may have the role "system"; the docs list user, assistant and developer."""

    responses_failure: Literal["failed", "error"] = "failed"
    """How a stream of `/v1/responses` says that it failed: both events are documented, neither was captured."""

    max_nonce: int = 4096
    """The longest nonce, in characters, that gets a signature: not documented."""

    sign_errors: bool = False
    """Whether an answer with an error is signed: not documented."""

    signature_lifetime: float | None = None
    """Seconds after which a signature is no longer valid; the docs name no end."""

    reject_malformed_signatures: bool = False
    """Whether a text that is no signature is a 400 or just not valid: not documented."""

    formula_list: bool = True
    """Whether `GET /v1/formulas` is there: one client reads it, no page documents it."""

    formula_plugins: bool = True
    """Whether excel is declared as a plugin (a live report of 2026-07-09) or as functions, as the docs say of all."""

    formula_encrypted: tuple[str, ...] = ("web_search",)
    """Functions whose output comes encrypted: not documented which."""

    formula_references: Literal["none", "texts", "objects"] = "objects"
    """`context.references` of a web search: one client reads texts and objects with `url`."""

    formula_failure_status: str = "failed"
    """`status` of a failed run: only "succeeded" is documented."""

    formula_failure_http: int = 200
    """HTTP status of a failed run."""

    formula_error_at: Literal["error", "context"] = "error"
    """Whether the text of a failure is in `error` or in `context.error`; an official client of 2025 reads both."""

    formula_unknown_function: Literal["fiber", "400", "404"] = "fiber"
    """How a function that a formula does not have is refused: by a run that failed, or by an error: not documented."""

    formula_bad_arguments: Literal["fiber", "400"] = "fiber"
    """How arguments that are not the text of a JSON object are refused: by a run that failed, or by an error: not
    documented."""

    call_ids: Literal["turn", "conversation"] = "turn"
    """Whether the ids of tool calls (`name_0`) begin with 0 in every answer, or go on over the conversation. Both chat
    and responses were measured with one answer only; reports of duplicates suggest the former."""

    speaks_beside_call: bool = True
    """Whether the default answer has a text beside a call that `tool_choice` requires: measured of K3 on 2026-09-03."""

    exact_retry_after: bool = False
    """A 429 of the limits names the time until the request fits; if False always a second (all that was measured)."""

    limit_window: Literal["sliding", "fixed"] = "sliding"
    """Whether a minute of the limits is the last 60 seconds or begins anew every 60 seconds: not documented."""

    refused_count: bool = True
    """Whether requests that got a 429 count toward the requests a minute. The docs say that retries count."""

    refunds: bool = False
    """Whether an answer that is shorter than what its request reserved gives back the rest. The docs count what is
    reserved, whatever is produced."""

    quota_status: int = 429
    """Status of an empty account: 429 in the newest docs and reports, 403 in the help centre and a report of 2025."""

    batch_error_line: Literal["response", "error"] = "response"
    """Whether the error of a line is in `response.body.error` or in `error`: the docs show a good line only."""

    batch_errors_in: Literal["error_file", "both"] = "error_file"
    """Whether lines with errors are in the output file, too: not documented."""

    batch_empty_error_file: bool = False
    """Whether there is an error file without errors, or null."""

    batch_keeps_partial: bool = True
    """Whether a cancelled or expired batch keeps the lines that were done: not documented."""

    batch_order: Literal["shuffled", "input"] = "shuffled"
    """Order of the output; the docs promise none, and the default shows whoever matches by position."""

    batch_expires: bool = False
    """Every batch expires while it is in progress, with half of its lines done."""

    batch_model: Literal["failed", "create", "line"] = "failed"
    """How a model without batches (K3) is refused: the batch fails, its creation does, or each line has an error."""

    batch_sampling: Literal["failed", "line"] = "failed"
    """How a line with sampling parameters is refused: the batch fails, or the line has an error."""

    batch_output_listed: bool = True
    """Whether the list of files has the output files: not documented."""

    batch_output_counts: bool = True
    """Whether the output files of batches count toward `max_files`: not documented."""

    batch_page_limit: int | None = None
    """The highest `limit` of the list of batches, or None: not documented."""

    batch_polls: int = 1
    """How many retrievals a batch stays in each state. Retrievals move it on, not the clock."""
