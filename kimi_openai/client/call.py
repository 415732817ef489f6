"""One call through all its attempts: its time limit, its permit, its waits, and what an error says about them.

The clients report when an attempt begins and when the SDK wants to wait for the next one. The hook in `hooks.py`
reports responses. Which errors are retried and how long a wait is, is decided in `kimi_openai.errors` and
`kimi_openai.retry`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass
from random import random
from typing import Any, TypeVar

import anyio
import openai

from kimi_openai.compat.answers import NAMES_EXTENSION, AnswerNames, NameRestorer
from kimi_openai.errors.explanations import cause_of, explain, refusal_of
from kimi_openai.errors.redaction import redact_request
from kimi_openai.retry.backoff import LONGEST_WAIT, advice
from kimi_openai.retry.deadline import Deadline
from kimi_openai.retry.failure import FAILURE_EXTENSION, Failure, failure_of

from .foreign_errors import as_sdk_error
from .http_library import http_library
from .limits import LimitedTimeouts
from .network import Limit, waiting_under
from .options import Options
from .permits import Permits
from .uploads import can_be_sent_again

__all__ = ["CALL_EXTENSION", "Call", "stoppable"]

CALL_EXTENSION = "kimi_openai"
"""The key in `request.extensions` under which a request carries its `Call`."""

GRACE = 0.05
"""Seconds after which an asynchronous call is cancelled beyond its patience: its own waits end first, and say more."""

Result = TypeVar("Result")


@dataclass(slots=True)
class Call:
    """One call of a client, with all its attempts. `attempts` counts those that began. `request`, `response`,
    `failure`, `wait` and the permit belong to the last one. `messages` are those of a chat request, as the caller sent
    them; `reasoning.py` sets and reads them. `names` are restored in the answer. `is_json`: a chat answer should be
    JSON, so a fence around it is removed. `is_response`: it is a Responses request, with its `exchange`
    (`responses.exchange`) unless `compat="off"`. `stop_reason` says why there is no further attempt, unless the error
    does."""

    options: Options
    deadline: Deadline
    permits: Permits
    attempts: int = 0
    request: Any = None
    response: Any = None
    failure: Failure | None = None
    wait: float | None = None
    stop_reason: str = ""
    is_upload_read_once: bool = False
    scope: anyio.CancelScope | None = None
    messages: Sequence[Any] = ()
    names: AnswerNames | None = None
    is_json: bool = False
    is_response: bool = False
    exchange: Any = None

    @staticmethod
    @contextmanager
    def begin(options: Options) -> Generator[Call, None, None]:
        """Make a new call the current one while the SDK makes its attempts.

        What is raised in the `with` block leaves it as an exception of the SDK, with an explanation.
        """
        call = Call(options, Deadline(options.patience), Permits(options.limiters))
        limit = _offered.get() or Limit()
        limit.deadline = call.deadline
        tokens = _current.set(call), _offered.set(None)
        try:
            with call._explaining(), waiting_under(limit):
                yield call
        except openai.APIConnectionError as error:
            error.__context__ = None  # the HTTP library's exception: aiohttp's may hold the key
            raise
        finally:
            _current.reset(tokens[0])
            _offered.reset(tokens[1])
            if call.response is None:
                call.permits.release()
            call.request = call.response = call.scope = None  # the call would be in a cycle until a collection

    @staticmethod
    def current() -> Call | None:
        """The current call of this thread or task."""
        return _current.get()

    @staticmethod
    def of(response: Any) -> Call | None:
        """The call that a response belongs to, `None` for requests of other clients."""
        call: Call | None = response.request.extensions.get(CALL_EXTENSION)
        return call

    async def in_time(self, answer: Awaitable[Result], url: str) -> Result:
        """The answer, awaited for no longer than `patience`. Cancellation by the caller passes unchanged."""
        if self.options.patience is None:
            return await answer
        with anyio.CancelScope() as self.scope:
            self._move_scope()
            return await answer
        raise openai.APITimeoutError(self.request or http_library().Request("POST", url))

    def with_safe_retries(self, options: Any) -> Any:
        """The SDK's options for the call, without retries if an upload cannot be read twice.

        SDKs before 3.19 would send what is left of the upload and report success.
        """
        if can_be_sent_again(options):
            return options
        self.is_upload_read_once = True
        options = copy(options)
        options.max_retries = 0
        return options

    # Attempts ------------------------------------------------------------------------------------------------------

    def begin_attempt(self, request: Any) -> None:
        """Mark the request of an attempt, and wait for a permit if the client has limits."""
        self._mark(request)
        try:
            self.permits.enter(request, self.deadline.left())
        except TimeoutError as error:
            raise self._no_permit() from error

    async def begin_attempt_async(self, request: Any) -> None:
        """`begin_attempt` for a task."""
        self._mark(request)
        try:
            await self.permits.enter_async(request, self.deadline.left())
        except TimeoutError as error:
            raise self._no_permit() from error

    def _mark(self, request: Any) -> None:
        self.attempts = max(self.attempts, _retries_before(request)) + 1
        self.request, self.response, self.failure, self.wait = request, None, None, None
        self._move_scope()  # the wait before this attempt may have been skipped
        request.extensions[CALL_EXTENSION] = self
        if self.options.patience is not None:
            request.extensions["timeout"] = LimitedTimeouts(self.deadline, request.extensions.get("timeout") or {})

    def _move_scope(self) -> None:
        left = self.deadline.left()
        if self.scope is not None and left is not None:
            self.scope.deadline = anyio.current_time() + left + GRACE

    def _no_permit(self) -> openai.APITimeoutError:
        self.stop_reason = f"no permit of {self.permits} came free in time"
        return openai.APITimeoutError(request=self.request)

    def take_response(self, response: Any, close_method: str) -> None:
        """Note a response whose body is not read yet. Its permit is given back when it is closed."""
        self.response = response
        if self.names is not None:
            response.extensions[NAMES_EXTENSION] = NameRestorer(self.names)
        self.permits.release_with(response, close_method)

    def retry_headers(self, response: Any) -> Mapping[str, str]:
        """The headers that tell the SDK's retry loop what to do about an error response whose body has been read."""
        refusal = refusal_of(response.status_code, response.content, response.request.url.path)
        failure = self.failure = failure_of(refusal, response.headers)
        response.extensions[FAILURE_EXTENSION] = failure
        self.permits.learn(failure, self.attempts - 1)
        wait = failure.named_wait or 0
        if wait > LONGEST_WAIT and (failure.fault.retry or failure.fault.kind == "unknown"):
            self.stop_reason = f"Kimi asks to wait {wait:g} s; more than {LONGEST_WAIT:g} s are not waited for"
        headers = advice(failure, attempt=self.attempts - 1, jitter=random())
        self.wait = float(headers["retry-after-ms"]) / 1000 if "retry-after-ms" in headers else None
        return headers

    # Texts and events ----------------------------------------------------------------------------------------------

    def outcome(self) -> str:
        """How often the call was retried, and why not more often."""
        count = self.attempts - 1
        tried = "not retried" if count < 1 else "retried once" if count == 1 else f"retried {count} times"
        if self.is_upload_read_once and (self.failure is None or self.failure.fault.retry):
            return f"{tried}; the upload cannot be read twice"
        return f"{tried}; {self.stop_reason}" if self.stop_reason else tried

    def end_of_patience(self) -> str:
        """That the time of the call is over, "" if it is not."""
        return f"patience={self.options.patience:g} is over" if self.deadline.is_over else ""

    @contextmanager
    def _explaining(self) -> Generator[None, None, None]:
        try:
            yield
        except BaseException as error:
            self.permits.release()
            told = error if self.request is None else as_sdk_error(error, self.request)
            if isinstance(told, openai.APIError):
                redact_request(told.request)  # it is not sent again
            if isinstance(told, openai.APIConnectionError):
                self._explain_connection_error(told)
            if told is error:
                raise
            raise told from told.__cause__

    def _explain_connection_error(self, error: openai.APIConnectionError) -> None:
        """Extend the message "Connection error." Only the cause's name is added: its text may contain headers."""
        if not self.stop_reason:
            self.stop_reason = self.end_of_patience()
        cause = cause_of(error)
        named = f" ({type(cause).__name__})" if cause else ""
        error.message = f"{error.message}{named} -- {explain(error, outcome=self.outcome())}"
        error.args = (error.message,)


def _retries_before(request: Any) -> int:
    """How often the call was retried before this attempt, by the SDK's header: that of another client, whose request
    `kimi_openai.adapting` sends, counts too."""
    count = request.headers.get("x-stainless-retry-count", "")
    return int(count) if count.isdecimal() and len(count) < 4 else 0


@contextmanager
def stoppable(limit: Limit) -> Generator[None, None, None]:
    """The next call of this thread in the `with` block waits under `limit`, by which another thread can end it."""
    token = _offered.set(limit)
    try:
        yield
    finally:
        _offered.reset(token)


_offered: ContextVar[Limit | None] = ContextVar("kimi_openai_offered_limit", default=None)
_current: ContextVar[Call | None] = ContextVar("kimi_openai_call", default=None)
