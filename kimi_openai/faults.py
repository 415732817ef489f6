"""The fault table: what came over the wire, as kind, whose side, whether to retry, how long to wait, what to do.

Pure data and the lookup; the first row that fits decides. Read in two places: `waits.py` makes waits and headers of
it, `errors.py` the text that an exception carries. Source: platform docs, errors page, and reports of what it does not
say; the wire's own words are the patterns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

__all__ = ["TABLE", "UNKNOWN", "Backoff", "Fault", "Kind", "Refusal", "Row", "row_of"]

AccountKind = Literal["account_empty", "daily_limit", "rate_limit", "wrong_key", "permission_denied"]
RequestKind = Literal["content_filter", "context_overflow", "not_offered", "model_not_found", "bad_request"]
PlaceKind = Literal["url_not_found", "not_found", "redirected"]
ServerKind = Literal["overloaded", "gateway_timeout", "server_error", "no_answer"]
NetworkKind = Literal["timeout", "connection", "stream_cut"]
Kind = AccountKind | RequestKind | PlaceKind | ServerKind | NetworkKind | Literal["unknown"]


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait where nobody says: `first` seconds, doubled at each attempt, at most `most`, and up to half as
    long again by jitter."""

    first: float
    most: float

    def seconds(self, attempt: int, jitter: float = 0.0) -> float:
        """The wait after the attempt of that number, counted from 0; `jitter` is from 0 to 1.

        >>> Backoff(3, 30).seconds(0), Backoff(3, 30).seconds(1, jitter=1), Backoff(3, 30).seconds(9)
        (3.0, 9.0, 30.0)
        """
        return min(self.first * 2.0 ** min(attempt, 30), self.most) * (1 + jitter / 2)


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error means. `whose` names the side that can mend it; `wait` is for where no time is named, `None` there
    leaves it to the SDK (0.5 to 8 seconds)."""

    kind: Kind
    whose: str
    retry: bool
    meaning: str
    advice: str
    wait: Backoff | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error as it came: HTTP status (`None` inside a stream), `error.type`, message, and the path asked for."""

    status: int | None
    type: str | None = None
    message: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """Fits where all that it names fits: one of `statuses`, one of `types`, `pattern` in the message. The first status
    is the one that the type has outside a stream."""

    statuses: tuple[int, ...]
    fault: Fault
    types: tuple[str, ...] = ()
    pattern: str = ""

    def fits(self, refusal: Refusal) -> bool:
        """Whether this row is about `refusal`."""
        known = refusal.status in self.statuses or (refusal.status in (None, 200) and (self.types or self.pattern))
        return (
            bool(known)
            and (not self.types or refusal.type in self.types)
            and (not self.pattern or re.search(self.pattern, refusal.message, re.IGNORECASE) is not None)
        )


LIMIT = ("rate_limit_reached_error",)
ACCOUNT_EMPTY = Fault(
    "account_empty",
    "the account's",
    False,
    "the account has no balance left",
    "top up or use the key of another account; waiting does not help",
)
RATE_LIMIT = Fault(
    "rate_limit",
    "the account's",
    True,
    "too many requests at once or per minute for the account's tier (all of its keys and models share the limit)",
    "send fewer (max_concurrency=... on the client), or raise the tier by topping up",
    Backoff(3, 30),
)
TOKEN_LIMIT = Fault(
    "rate_limit",
    "the account's",
    True,
    "too many tokens per minute for the account's tier (prompt plus max_completion_tokens count before generation)",
    "lower max_completion_tokens, send less at once, or raise the tier by topping up",
    Backoff(10, 60),
)
DAILY_LIMIT = Fault(
    "daily_limit",
    "the account's",
    False,
    "the day's tokens (TPD) are used up",
    "go on tomorrow, or top up to a higher tier",
)
OVERLOADED = Fault(
    "overloaded",
    "Kimi's",
    True,
    "the engine is overloaded",
    "try again later, topping up does not help",
    Backoff(3, 30),
)
CONTENT_FILTER = Fault(
    "content_filter",
    "the request's",
    False,
    "the content filter refused the prompt or the answer",
    "change what is asked; the same request is refused again",
)
CONTEXT_OVERFLOW = Fault(
    "context_overflow",
    "the request's",
    False,
    "prompt and max_completion_tokens do not fit the model's context",
    "shorten the messages or lower max_completion_tokens (estimate_tokens counts before sending)",
)
WRONG_KEY = Fault(
    "wrong_key",
    "the key's",
    False,
    "this key is not accepted here",
    "check it: keys of platform.kimi.ai, of platform.kimi.com and of Kimi Code work only on their own host "
    "(region='ai' or 'cn')",
)
FORBIDDEN = Fault(
    "permission_denied",
    "the account's",
    False,
    "the account may not do this, or not from this address",
    "check the key's organization and its IP allow-list in the platform's console",
)
NOT_OPEN = Fault(
    "not_offered",
    "the request's",
    False,
    "this API is not open to the account, or Kimi does not have it",
    "use what Kimi offers: chat completions, files, batches, models",
)
NO_MODEL = Fault("model_not_found", "the request's", False, "there is no such model for this key", "use a current id")
NO_URL = Fault(
    "url_not_found",
    "the request's",
    False,
    "nothing is at this URL and method",
    "check the path, the method and base_url's /v1",
)
NOT_FOUND = Fault("not_found", "the request's", False, "no such object in this account", "check its id")
BAD_REQUEST = Fault(
    "bad_request", "the request's", False, "Kimi does not accept this request", "see its own words above"
)
GATEWAY_TIMEOUT = Fault(
    "gateway_timeout",
    "Kimi's",
    True,
    "the gateway gave up before an answer came (its limit is 900 s)",
    "use stream=True",
)
SERVER_ERROR = Fault("server_error", "Kimi's", True, "Kimi failed to answer", "try again later")
REDIRECTED = Fault(
    "redirected", "the server's", False, "a redirect, not followed elsewhere with the prompt", "check base_url"
)
NO_ANSWER = Fault(
    "no_answer", "Kimi's or a proxy's", False, "a 200 that is no answer", "check that base_url is Kimi's and ask again"
)
TIMEOUT = Fault(
    "timeout", "the connection's or Kimi's", True, "no answer in time", "raise timeout=..., or use stream=True"
)
CONNECTION = Fault(
    "connection", "the connection's", True, "no answer came through", "check the network, proxies and base_url"
)
STREAM_CUT = Fault(
    "stream_cut", "the connection's or Kimi's", True, "the stream ended before its finish_reason", "ask again"
)
UNKNOWN = Fault("unknown", "an unknown", False, "an error that Kimi does not document", "see its own words above")

TABLE: tuple[Row, ...] = (
    Row((429, 403, 402), ACCOUNT_EMPTY, ("exceeded_current_quota_error",)),
    Row(
        (429, 403, 402),
        ACCOUNT_EMPTY,
        pattern="exceeded your current (token )?quota|check your account balance|insufficient balance"
        "|recharge your account|account in arrears|is suspended",
    ),
    Row((429,), DAILY_LIMIT, pattern=r"\bTPD\b"),
    Row((429, 500, 503, 529), OVERLOADED, ("engine_overloaded_error",)),
    Row((429, 500, 503, 529), OVERLOADED, pattern="overloaded"),
    Row((529,), OVERLOADED),
    Row((429,), TOKEN_LIMIT, LIMIT, r"\bTPM\b"),
    Row((429,), RATE_LIMIT, LIMIT),
    Row((429,), RATE_LIMIT),
    Row((400,), CONTENT_FILTER, ("content_filter",)),
    Row((400,), CONTENT_FILTER, pattern="considered high risk"),
    Row((400,), CONTEXT_OVERFLOW, pattern="exceeded model token limit|input token length too long"),
    Row((401,), WRONG_KEY, ("invalid_authentication_error", "incorrect_api_key_error")),
    Row((401,), WRONG_KEY),
    Row((403,), NOT_OPEN, pattern="is not open"),
    Row((403,), FORBIDDEN, ("permission_denied_error",)),
    Row((403,), FORBIDDEN),
    Row((404,), NO_MODEL, pattern="^not found the model "),
    Row((404,), NO_URL, ("url.not_found",)),
    Row((404,), NOT_FOUND, ("resource_not_found_error",)),
    Row((404,), NOT_FOUND),
    Row((400, 422), BAD_REQUEST, ("invalid_request_error",)),
    Row((400, 405, 413, 415, 422), BAD_REQUEST),
    Row((504,), GATEWAY_TIMEOUT),
    Row((503,), SERVER_ERROR, ("server_unavailable",)),
    Row((500,), SERVER_ERROR, ("server_error", "unexpected_output")),
    Row((408, 409, *range(500, 600)), SERVER_ERROR),
    Row((301, 302, 303, 307, 308), REDIRECTED),
)

OFFERED = frozenset(
    ("chat", "responses", "messages", "models", "tokenizers", "users", "files", "batches", "signatures", "formulas")
)
"""The resources that the platform has (platform docs, API overview); the SDK's others grow with every release."""


def row_of(refusal: Refusal) -> Row:
    """The first row of the table that fits; one with `UNKNOWN` where none does.

    >>> row_of(Refusal(429, "rate_limit_reached_error", "... TPD rate limit, current:2, limit:1")).fault.kind
    'daily_limit'
    """
    found = next((row for row in TABLE if row.fits(refusal)), Row((), UNKNOWN))
    resource = refusal.path.rpartition("/v1/")[2].strip("/").partition("/")[0]
    if found.fault in (NO_URL, NOT_OPEN, NOT_FOUND) and resource and resource not in OFFERED:
        meaning = f"{resource}: Kimi does not have this part of OpenAI's API"
        return Row(found.statuses, replace(NOT_OPEN, meaning=meaning, advice="use another provider for it"))
    return found
