"""The fault table: which error answer means which fault, by status, `error.type` and message; the first row that fits.

Pure data with sources, and the lookup `row_of`. In the sources, "errors page" is the one in platform.kimi.ai/docs, and
"kimi-code" is what Moonshot's own client recognises (`errors.ts`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from .faults import (
    ACCOUNT_EMPTY,
    BAD_REQUEST,
    CONTENT_FILTER,
    CONTEXT_OVERFLOW,
    DAILY_LIMIT,
    FORBIDDEN,
    GATEWAY_TIMEOUT,
    NO_MODEL,
    NO_URL,
    NOT_FOUND,
    NOT_OPEN,
    OVERLOADED,
    RATE_LIMIT,
    REDIRECTED,
    SERVER_ERROR,
    TOKEN_LIMIT,
    TOO_LARGE,
    UNKNOWN,
    WRONG_KEY,
    Fault,
    Refusal,
)

__all__ = ["TABLE", "Row", "row_of"]

DOCS = "errors page, 2026-09-03"
DOCS_2025 = "errors page, copy of 2025-12-11"
LIVE = "live requests, 2026-09-01"
RESPONSES = "live requests to the Responses API, 2026-09-03"
KIMI_CODE = "kimi-code, 2026-08-22"
PROJECTS = "docs, guide on organizations, 2026-09-03"
RECORDED = "texts that another client recorded, 2026-09"
HTTP = "RFC 9110, 2022-06"


@dataclass(frozen=True, slots=True)
class Row:
    """Fits an error answer with one of `statuses` and, if the row names them, one of `types` and `pattern` in the text.

    The first status is the one that the type has outside a stream; an error inside a stream has none.
    """

    statuses: tuple[int, ...]
    fault: Fault
    source: str
    types: tuple[str, ...] = ()
    pattern: str = ""

    def fits(self, refusal: Refusal) -> bool:
        """Whether this row is about `refusal`."""
        has_no_status = refusal.status in (None, 200)
        return (
            (bool(self.types or self.pattern) if has_no_status else refusal.status in self.statuses)
            and (not self.types or refusal.type in self.types)
            and (not self.pattern or re.search(self.pattern, refusal.message, re.IGNORECASE) is not None)
        )


PROJECT_TOKEN_LIMIT = replace(
    TOKEN_LIMIT,
    meaning="too many tokens per minute for the project (prompt plus max_completion_tokens count before generation)",
    advice="lower max_completion_tokens, send less at once, or raise the project's own TPM in its settings",
)
PROJECT_BUDGET = replace(
    ACCOUNT_EMPTY,
    meaning="the project's budget of the day or month is used up",
    advice="raise it in the project's settings (that takes about 10 minutes), or use the key of another project",
)

EMPTY_WORDS = (
    "exceeded (your )?current (token )?quota|check your account balance|insufficient balance"
    "|recharge your account|account in arrears|is suspended"
)
LIMIT = ("rate_limit_reached_error",)

TABLE: tuple[Row, ...] = (
    Row(
        (429, 403),
        PROJECT_BUDGET,
        f"{PROJECTS}: requests are denied; status and text are not documented",
        pattern=r"project\b.{0,40}\bbudget|budget\b.{0,40}\bproject",
    ),
    Row(
        (429, 403, 402),
        ACCOUNT_EMPTY,
        f"429: {DOCS}; 403: help center, 2026-07-28; 402: {HTTP}",
        ("exceeded_current_quota_error",),
    ),
    Row(
        (429, 403, 402),
        ACCOUNT_EMPTY,
        f"{KIMI_CODE}; 'is suspended': {DOCS_2025}; 'exceeded current quota': {RECORDED}",
        pattern=EMPTY_WORDS,
    ),
    Row((429,), DAILY_LIMIT, DOCS_2025, pattern=r"\bTPD\b"),
    Row((429, 500, 503, 529), OVERLOADED, f"429: {DOCS}; others: {KIMI_CODE}", ("engine_overloaded_error",)),
    Row((429, 500, 503, 529), OVERLOADED, KIMI_CODE, pattern="overloaded"),
    Row((529,), OVERLOADED, KIMI_CODE),
    Row((429,), PROJECT_TOKEN_LIMIT, f"{PROJECTS}; text: {RECORDED}", LIMIT, r"\bproject TPM\b"),
    Row((429,), TOKEN_LIMIT, DOCS, LIMIT, r"\bTPM\b"),
    Row((429,), RATE_LIMIT, f"{DOCS_2025}; {LIVE}", LIMIT),
    Row((429,), RATE_LIMIT, KIMI_CODE),
    Row((400,), CONTENT_FILTER, DOCS, ("content_filter",)),
    Row((400,), CONTENT_FILTER, DOCS, pattern="considered high risk"),
    Row(
        (400,),
        CONTEXT_OVERFLOW,
        f"{DOCS}; 'exceeded': {DOCS_2025}",
        pattern="exceeded model token limit|input token length too long|exceeds the model specification",
    ),
    Row((401,), WRONG_KEY, f"{DOCS}; {LIVE}", ("invalid_authentication_error", "incorrect_api_key_error")),
    Row((401,), WRONG_KEY, HTTP),
    Row((403,), NOT_OPEN, DOCS, pattern="is not open"),
    Row((403,), FORBIDDEN, DOCS, ("permission_denied_error",)),
    Row((403,), FORBIDDEN, HTTP),
    Row((404, 400), NO_MODEL, f"404: {DOCS}; {LIVE}; 400: {RESPONSES}", pattern="^not found the model "),
    Row((404,), NO_URL, f"MoonshotAI/moonpalace#5; {LIVE}", ("url.not_found",)),
    Row((404,), NOT_FOUND, DOCS, ("resource_not_found_error",)),
    Row((404,), NOT_FOUND, HTTP),
    Row((413,), TOO_LARGE, f"vision guide, 2026-09-03; status: {HTTP}"),
    Row((400, 422), BAD_REQUEST, f"400: {DOCS}; 422: {HTTP}", ("invalid_request_error",)),
    Row((400, 405, 415, 422), BAD_REQUEST, HTTP),
    Row((504,), GATEWAY_TIMEOUT, DOCS),
    Row((503,), SERVER_ERROR, DOCS, ("server_unavailable",)),
    Row((500,), SERVER_ERROR, DOCS, ("server_error", "unexpected_output")),
    Row((408, 409, *range(500, 600)), SERVER_ERROR, f"{KIMI_CODE}; others: {HTTP}"),
    Row((301, 302, 303, 307, 308), REDIRECTED, HTTP),
)

OFFERED = frozenset(
    (
        *(
            "chat",
            "responses",
            "messages",
            "models",
            "tokenizers",
            "users",
            "files",
            "batches",
            "signatures",
            "formulas",
        ),
        "conversations",  # which the client keeps itself
    )
)
"""The resources that Kimi has; the SDK has more with every release. Source: platform docs, API overview, 2026-09-03."""


def row_of(refusal: Refusal) -> Row:
    """The first row of the table that fits, or a row with `UNKNOWN` if none does.

    A "not found" of a resource that only OpenAI has is a row with `NOT_OPEN`, which names the resource.

    >>> row_of(Refusal(429, "rate_limit_reached_error", "... TPD rate limit, current:2, limit:1")).fault.kind
    'daily_limit'
    """
    found = next((row for row in TABLE if row.fits(refusal)), Row((), UNKNOWN, "no row fits"))
    resource = refusal.path.rpartition("/v1/")[2].strip("/").partition("/")[0]
    if found.fault in (NO_URL, NOT_OPEN, NOT_FOUND) and resource and resource not in OFFERED:
        meaning = f"{resource}: Kimi does not have this part of OpenAI's API"
        return replace(found, fault=replace(NOT_OPEN, meaning=meaning, advice="use another provider for it"))
    return found
