"""One call of the SDK's through all its attempts: its time, its permit, its waits, and what is said of them at the end.

`client.py` says when an attempt starts and when the next is to be waited for; the hook in `arrivals.py` says what came.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import copy
from dataclasses import dataclass, field
from random import random
from typing import Any

import openai

from .errors import cause_of, explain, fault_of, refusal_of
from .faults import Refusal
from .gate import Permit
from .options import Options
from .waits import LONGEST_WAIT, RetryEvent, advice, announce, named_wait, now, real_wait

__all__ = ["CALL", "Call", "next_wait"]

CALL = "kimi_openai"
"""The name of the mark in `request.extensions`."""


@dataclass(slots=True)
class Call:
    """`attempts` counts those begun; `request`, `response`, `refusal`, `wait`, `permit` are the last one's; `stopped`
    is why there is no other, where that is not plain."""

    options: Options
    started: float = field(default_factory=now)
    attempts: int = 0
    request: Any = None
    response: Any = None
    refusal: Refusal | None = None
    wait: float | None = None
    permit: Permit | None = None
    stopped: str = ""
    is_sent_once: bool = False

    @staticmethod
    @contextmanager
    def begin(options: Options) -> Generator[Call, None, None]:
        """Make a call current for what runs inside: the attempts that the SDK makes for it."""
        call = Call(options)
        token = _current.set(call)
        try:
            yield call
        except BaseException as error:
            call.release()
            if isinstance(error, openai.APIConnectionError):
                call.say_more(error)
            raise
        finally:
            _current.reset(token)
            if call.response is None:
                call.release()
            call.request = call.response = None  # which hold the call: a cycle would keep both until a collection

    @staticmethod
    def current() -> Call | None:
        """The call that is being made in this thread or task."""
        return _current.get()

    def left(self) -> float | None:
        """The seconds that are left of the caller's patience, `None` if it has no limit."""
        patience = self.options.patience
        return None if patience is None else max(patience - (now() - self.started), 0.001)

    def sendable(self, options: Any) -> Any:
        """The SDK's options of the call; without retries where an upload cannot be read twice, since SDKs before 3.19
        send what is left of it."""
        if all(map(_can_be_read_again, _uploads(options))):
            return options
        self.is_sent_once = True
        options = copy(options)
        options.max_retries = 0
        return options

    # An attempt ----------------------------------------------------------------------------------------------------

    def enter(self, request: Any) -> None:
        """Begin an attempt, with a permit."""
        self._begin_attempt(request)
        if self.options.max_concurrency is not None:
            try:
                self.permit = self.options.max_concurrency.enter(self.left())
            except TimeoutError as error:
                raise self._no_permit() from error

    async def enter_async(self, request: Any) -> None:
        """`enter` for a task."""
        self._begin_attempt(request)
        if self.options.max_concurrency is not None:
            try:
                self.permit = await self.options.max_concurrency.enter_async(self.left())
            except TimeoutError as error:
                raise self._no_permit() from error

    def _begin_attempt(self, request: Any) -> None:
        self.attempts += 1
        self.request, self.response, self.refusal, self.wait = request, None, None, None
        request.extensions[CALL] = self
        if self.options.patience is not None:
            request.extensions["timeout"] = _TimeLeft(self, request.extensions.get("timeout") or {})

    def _no_permit(self) -> openai.APITimeoutError:
        self.stopped = f"no permit of max_concurrency={self.options.max_concurrency} came free in time"
        return openai.APITimeoutError(request=self.request)

    def answered(self, response: Any, close: str) -> None:
        """An answer has come, whose permit ends with it; nothing of it has been read."""
        self.response = response
        if self.permit is not None:
            self.permit.release_with(response, close)

    def refused(self, response: Any) -> Mapping[str, str]:
        """An error answer has come and has been read: the headers that tell the SDK's loop what to do about it."""
        refusal = self.refusal = refusal_of(response.status_code, response.content, response.request.url.path)
        named = named_wait(refusal, response.headers) or 0
        if named > LONGEST_WAIT and fault_of(refusal).retry:
            self.stopped = f"Kimi asks to wait {named:g} s; more than {LONGEST_WAIT:g} s are not waited for"
        headers = advice(refusal, response.headers, attempt=self.attempts - 1, jitter=random())
        self.wait = float(headers["retry-after-ms"]) / 1000 if "retry-after-ms" in headers else None
        return headers

    def release(self) -> None:
        """Give the permit back, if there is one and it was not."""
        if self.permit is not None:
            self.permit.release()

    # What is said --------------------------------------------------------------------------------------------------

    def outcome(self) -> str:
        """Whether it was retried, how often, and why no more."""
        count = self.attempts - 1
        tried = "not retried" if count < 1 else "retried once" if count == 1 else f"retried {count} times"
        if self.is_sent_once and (self.refusal is None or fault_of(self.refusal).retry):
            return f"{tried}; the upload cannot be read twice"
        return f"{tried}; {self.stopped}" if self.stopped else tried

    def say_more(self, error: openai.APIConnectionError) -> None:
        """Let "Connection error." say what it means. Only the name of the cause: its text may hold headers."""
        cause = cause_of(error)
        named = f" ({type(cause).__name__})" if cause else ""
        error.message = f"{error.message}{named} -- {explain(error, outcome=self.outcome())}"
        error.args = (error.message,)


_current: ContextVar[Call | None] = ContextVar("kimi_openai_call", default=None)


class _TimeLeft(dict[str, Any]):
    """The timeouts of a request, none longer than what is left of its call when it is looked up."""

    def __init__(self, call: Call, timeouts: Mapping[str, Any]) -> None:
        self.call = call
        super().__init__({name: self._limited(timeouts.get(name)) for name in ("connect", "read", "write", "pool")})

    def get(self, name: str, default: Any = None) -> Any:
        return self._limited(super().get(name, default))

    def _limited(self, seconds: float | None) -> float | None:
        left = self.call.left()
        return seconds if left is None else left if seconds is None else min(seconds, left)


def next_wait(client: Any, usual: float) -> float:
    """How long the SDK's loop sleeps before the next attempt of the current call; `usual` is what it would itself.

    Called in the `except` block of what went wrong. Raises the error of the last attempt where patience would end.
    """
    call, broken = Call.current(), sys.exc_info()[1]
    if call is None:
        return usual
    call.release()
    wait, left = usual if call.wait is None else call.wait, call.left()
    error = None if call.refusal else _connection_error(broken, call.request)
    if left is not None and wait >= left:
        call.stopped = f"the next wait, {wait:.1f} s, would end beyond patience={call.options.patience:g}"
        raise error or client._make_status_error_from_response(call.response) from (broken if error else None)
    event = RetryEvent(
        attempt=call.attempts,
        wait=wait,
        elapsed=now() - call.started,
        kind=fault_of(error or call.refusal or Refusal(None)).kind,
        status=call.refusal.status if call.refusal else None,
        request_id=call.response.headers.get("x-request-id") if call.refusal else None,
    )
    announce(event, call.options.on_retry)
    return real_wait(wait)


def _connection_error(broken: BaseException | None, request: Any) -> openai.APIConnectionError:
    is_timeout = any(kind.__name__ == "TimeoutException" for kind in type(broken).__mro__)  # of either HTTP library
    error = openai.APITimeoutError(request) if is_timeout else openai.APIConnectionError(request=request)
    error.__cause__ = broken
    return error


def _uploads(options: Any) -> Iterable[Any]:
    files: Any = getattr(options, "files", None) or ()
    yield getattr(options, "content", None)
    for entry in files.items() if hasattr(files, "items") else files:
        file: Any = entry[1]
        yield file[1] if type(file) is tuple else file


def _can_be_read_again(content: Any) -> bool:
    if hasattr(content, "read"):
        try:
            return bool(content.seekable())
        except (AttributeError, OSError, ValueError):
            return False
    return content is None or isinstance(content, str | bytes | bytearray | list | tuple)
