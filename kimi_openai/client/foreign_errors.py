"""Exceptions of the HTTP libraries, as the SDK's: none of theirs leaves a call or a stream as itself.

The SDK converts most of them where a request is sent. Those of aiohttp need more: the SDK takes a refused connection
for a timeout, and the `repr` of some shows the headers of the request with the key in them.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import openai

__all__ = ["as_sdk_error", "connection_error", "connection_errors", "is_foreign", "without_aiohttp"]

Error = TypeVar("Error", bound=BaseException | None)

LIBRARIES = frozenset({"aiohttp", "anyio", "h11", "httpcore", "httpcore2", "httpx", "httpx2"})


def is_foreign(error: BaseException) -> bool:
    """Whether an exception is one of an HTTP library or of TLS."""
    return isinstance(error, ssl.SSLError) or not LIBRARIES.isdisjoint(_packages_of(error))


def as_sdk_error(error: BaseException, request: Any) -> BaseException:
    """The exception that may leave a call: the SDK's for one of an HTTP library, else `error` itself."""
    is_caused_by_aiohttp = isinstance(error, openai.APIConnectionError) and _first_of_aiohttp(error) is not None
    return connection_error(error, request) if is_foreign(error) or is_caused_by_aiohttp else error


def connection_error(error: BaseException | None, request: Any) -> openai.APIConnectionError:
    """The SDK's exception for one of an HTTP library, caused by what `without_aiohttp` leaves of that."""
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else error
    of_aiohttp = _first_of_aiohttp(cause)
    if of_aiohttp is not None:
        is_timeout = isinstance(of_aiohttp, asyncio.TimeoutError)
    else:
        is_timeout = any(base.__name__ == "TimeoutException" for base in type(cause).__mro__)
    made = openai.APITimeoutError(request) if is_timeout else openai.APIConnectionError(request=request)
    made.__cause__ = None if is_timeout and of_aiohttp is not None else without_aiohttp(cause)
    return made


@contextmanager
def connection_errors(request: Any) -> Generator[None, None, None]:
    """Raises the SDK's exception for one of an HTTP library."""
    try:
        try:
            yield
        except Exception as error:
            if not is_foreign(error):
                raise
            made = connection_error(error, request)
            raise made from made.__cause__
    except openai.APIConnectionError as error:
        error.__context__ = None  # the exception of the HTTP library: that of aiohttp may hold the key
        raise


def without_aiohttp(error: Error) -> Error | Exception:
    """The error, if no exception of aiohttp is among its causes; else the operating system's error behind that, or an
    error of Python's own with its name."""
    of_aiohttp = _first_of_aiohttp(error)
    if of_aiohttp is None:
        return error
    name = type(of_aiohttp).__name__
    if isinstance(of_aiohttp, asyncio.TimeoutError):
        return TimeoutError(name)
    behind = (link for link in _chain(error) if isinstance(link, OSError) and "aiohttp" not in _packages_of(link))
    return next(behind, ConnectionError(name))


def _first_of_aiohttp(error: BaseException | None) -> BaseException | None:
    return next((link for link in _chain(error) if "aiohttp" in _packages_of(link)), None)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _packages_of(error: BaseException) -> set[str]:
    return {base.__module__.partition(".")[0] for base in type(error).__mro__}
