"""Limits the waits of synchronous connection pools, each read and write of them, to the time that a call has left.

A timeout of the HTTP library is for one read or write. An answer that drips, or an upload that the server takes slowly,
can last any time with it, and nothing limits the look-up of a host name. So `limit_waits` puts a backend of ours
between a pool and its sockets. It also lets another thread end a read. An asynchronous call needs none of this: it can
be cancelled.

Private names of the HTTP library in use, each with a test that names it: `_transport` and `_mounts` of its client,
`_pool` of a transport, `_network_backend` of a pool. Where a future library or the caller's own transport does not have
them, it stays as it is, and `limits.py` limits the reading of an answer.
"""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Generator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Thread
from typing import Any

from kimi_openai.retry.deadline import Deadline, shut_down, shut_down_after, shut_down_socket

__all__ = ["Limit", "ends_after", "is_limited", "limit_waits", "waiting_under"]

SLICE = 64 * 1024
"""Bytes of one write. The library sends what it is given in as many steps as it takes, each with the whole timeout."""


class Limit:
    """Until when the waits of a call may last, and of the answer that is read after it. `stop` ends them at once."""

    __slots__ = ("_stream", "_wake", "deadline", "is_stopped", "response")

    def __init__(self) -> None:
        self.deadline = Deadline()
        self.response: Any = None
        """The answer that is read. Its connection is shut down by `stop` if it is not one of ours."""
        self.is_stopped = False
        """Whether `stop` was called."""
        self._wake: Event | None = None
        self._stream: weakref.ref[_Stream] | None = None

    def stop(self) -> None:
        """End the current wait and all that would follow. To be called from another thread."""
        self.is_stopped = True
        if self._wake is not None:
            self._wake.set()
        stream = None if self._stream is None else self._stream()
        if stream is None:
            if self.response is not None:
                shut_down(self.response)
        elif stream.limit is self:  # else it is used by another call by now
            stream.close()

    def sleep(self, seconds: float) -> None:
        """Wait so many seconds, or until `stop`."""
        if seconds > 0:
            self._wake = Event()  # made before the look at `is_stopped`, so `stop` does not miss it
            if not self.is_stopped:
                self._wake.wait(seconds)

    def hold(self, stream: _Stream) -> None:
        """Note the connection that is used under this limit."""
        self._stream = weakref.ref(stream)


_current: ContextVar[Limit | None] = ContextVar("kimi_openai_limit", default=None)


@contextmanager
def waiting_under(limit: Limit) -> Generator[None, None, None]:
    """Requests that are sent in the `with` block by this thread wait under `limit`, and so do the reads of their
    answers later."""
    token = _current.set(limit)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def ends_after(seconds: float | None, response: Any) -> Generator[None, None, None]:
    """Reads of `response` in the `with` block fail after so many seconds."""
    stream = _stream_of(response)
    if stream is None:
        with shut_down_after(seconds, response):
            yield
        return
    limit, before = stream.limit, stream.limit.deadline
    limit.deadline = before.at_most(seconds)
    try:
        yield
    finally:
        limit.deadline = before


def is_limited(response: Any) -> bool:
    """Whether reads of `response` end by themselves when its call has no time left."""
    return _stream_of(response) is not None


def _stream_of(response: Any) -> _Stream | None:
    stream = response.extensions.get("network_stream")
    return stream if isinstance(stream, _Stream) else None


def limit_waits(http: Any) -> bool:
    """Put our backend into all pools of an HTTP client. Returns whether all of them have it."""
    transports = [getattr(http, "_transport", None), *getattr(http, "_mounts", {}).values()]
    pools: list[Any] = [getattr(transport, "_pool", None) for transport in transports if transport is not None]
    for pool in pools:
        backend = getattr(pool, "_network_backend", None)
        if backend is not None and not isinstance(backend, _Backend):  # copies of a client share its pools
            pool._network_backend = _Backend(backend)
    return all(isinstance(getattr(pool, "_network_backend", None), _Backend) for pool in pools)


class _Backend:
    """A network backend whose connections wait under the current limit."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self._errors: Any = sys.modules[type(inner).__module__.partition(".")[0]]  # httpcore or httpcore2

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, **options: Any) -> _Stream:
        return self._connect(lambda wait: self._inner.connect_tcp(host, port, timeout=wait, **options), timeout)

    def connect_unix_socket(self, path: str, timeout: float | None = None, **options: Any) -> _Stream:
        return self._connect(lambda wait: self._inner.connect_unix_socket(path, timeout=wait, **options), timeout)

    def sleep(self, seconds: float) -> None:
        self._inner.sleep(seconds)

    def _connect(self, connect: Callable[[float | None], Any], timeout: float | None) -> _Stream:
        limit = _current.get() or Limit()
        wait, left = _wait_under(limit, timeout, self._errors, "Connect"), limit.deadline.left()
        if left is None:
            return _Stream(connect(wait), limit, self._errors)
        try:
            return _Stream(_in_thread(lambda: connect(wait), left), limit, self._errors)
        except FutureTimeoutError:
            raise self._errors.ConnectTimeout("no time was left to connect") from None


class _Stream:
    """A connection. It waits under the limit of the last call that wrote to it."""

    def __init__(self, inner: Any, limit: Limit, errors: Any) -> None:
        self.limit = limit
        self._inner, self._errors = inner, errors
        self._is_waiting = self._is_closed = False
        limit.hold(self)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        wait = _wait_under(self.limit, timeout, self._errors, "Read")
        with self._waiting():
            data: bytes = self._inner.read(max_bytes, wait)
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        limit = _current.get() or Limit()
        if limit is not self.limit:
            self.limit = limit
            limit.hold(self)
        for start in range(0, len(buffer), SLICE):
            wait = _wait_under(limit, timeout, self._errors, "Write")
            with self._waiting():
                self._inner.write(buffer[start : start + SLICE], wait)

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        wait = _wait_under(self.limit, timeout, self._errors, "Connect")
        with self._waiting():
            return _Stream(self._inner.start_tls(ssl_context, server_hostname, wait), self.limit, self._errors)

    def close(self) -> None:
        """Close the connection. A thread that waits for it wakes up and closes it."""
        self._is_closed = True
        if self._is_waiting:
            shut_down_socket(self._inner.get_extra_info("socket"))
        else:
            self._inner.close()

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)

    @contextmanager
    def _waiting(self) -> Generator[None, None, None]:
        self._is_waiting = True
        try:
            yield
        finally:
            self._is_waiting = False
            if self._is_closed:
                self._inner.close()


def _wait_under(limit: Limit, timeout: float | None, errors: Any, what: str) -> float | None:
    """The timeout for one wait. Raises the library's error if there must be none."""
    if limit.is_stopped:
        raise getattr(errors, f"{what}Error")("ended by close()")
    if limit.deadline.is_over:
        raise getattr(errors, f"{what}Timeout")("the call has no time left")
    left = limit.deadline.left()
    return timeout if left is None else left if timeout is None else min(timeout, left)


def _in_thread(connect: Callable[[], Any], seconds: float) -> Any:
    """What `connect` returns. Raises `TimeoutError` after so many seconds; a connection that comes later is closed."""
    future: Future[Any] = Future()
    Thread(target=_set_result, args=(future, connect), daemon=True).start()
    try:
        return future.result(seconds)
    except BaseException:
        future.add_done_callback(_close_late)
        raise
    finally:
        del future  # an exception in it refers to this frame


def _set_result(future: Future[Any], connect: Callable[[], Any]) -> None:
    try:
        future.set_result(connect())
    except BaseException as error:
        future.set_exception(error)


def _close_late(future: Future[Any]) -> None:
    if future.exception() is None:
        future.result().close()
