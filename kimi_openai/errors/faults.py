"""What can go wrong, as values: the kinds of fault, and for each what it means, whose side it is on and what to do.

Pure data. `fault_table` finds the fault of an error answer; `retry` reads whether to retry and how long to wait;
`explanations` makes the text of an exception from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["UNKNOWN", "Backoff", "Fault", "Kind", "Refusal"]

AccountKind = Literal["account_empty", "daily_limit", "rate_limit", "token_limit", "wrong_key", "permission_denied"]
RequestKind = Literal[
    "content_filter", "context_overflow", "too_large", "not_offered", "model_not_found", "bad_request"
]
PlaceKind = Literal["url_not_found", "not_found", "redirected"]
ServerKind = Literal["overloaded", "gateway_timeout", "server_error", "no_answer"]
NetworkKind = Literal["timeout", "connection", "stream_cut"]
Kind = AccountKind | RequestKind | PlaceKind | ServerKind | NetworkKind | Literal["unknown"]
"""The name of a fault; each `Fault` below has its own."""


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait if the answer names no time: `first` seconds, doubled after each attempt up to `most`, and up to
    half of that more as jitter."""

    first: float
    most: float

    def seconds(self, attempt: int, jitter: float = 0.0) -> float:
        """The wait after an attempt; `attempt` counts from 0, `jitter` is from 0 to 1.

        >>> Backoff(3, 30).seconds(0), Backoff(3, 30).seconds(1, jitter=1), Backoff(3, 30).seconds(9)
        (3.0, 9.0, 30.0)
        """
        return min(self.first * 2.0 ** min(attempt, 30), self.most) * (1 + jitter / 2)


@dataclass(frozen=True, slots=True)
class Fault:
    """What an error means: its `kind`, whose side can fix it, whether a `retry` can help, and what to do.

    `wait` is used if the answer names no time; with `None` the wait is that of the SDK (0.5 to 8 seconds).
    """

    kind: Kind
    whose: str
    retry: bool
    meaning: str
    advice: str
    wait: Backoff | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: HTTP status (`None` inside a stream), `error.type`, message, and the path of the request."""

    status: int | None
    type: str | None = None
    message: str = ""
    path: str = ""


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
    "token_limit",
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
TOO_LARGE = Fault(
    "too_large",
    "the request's",
    False,
    "the request is larger than the 100 MB that Kimi takes, with its images and videos",
    "upload images and videos and send their references (upload_media), or send fewer; split a larger file",
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
    "no_answer",
    "Kimi's or a proxy's",
    False,
    "an answer with status 200 that cannot be used",
    "check that base_url is Kimi's and ask again",
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
