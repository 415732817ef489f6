"""Exceptions that the SDK's own code raises over an answer that it does not expect, and which of those they are.

The SDK runs code of the caller in between: validators of a response model, a class given as `cast_to`. What that raises
is left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from types import TracebackType

import openai
import pydantic

from .http_library import http_library

__all__ = ["sdk_errors_as"]

PACKAGES = sys.stdlib_module_names | {
    "anyio",
    "kimi_openai",
    "openai",
    "pydantic",
    "typing_extensions",
    http_library().__name__,
}
"""Where the code comes from that is not the caller's."""


@contextmanager
def sdk_errors_as(
    make: Callable[[Exception], openai.OpenAIError], kinds: tuple[type[Exception], ...] = (Exception,)
) -> Generator[None, None, None]:
    """Raises what `make` returns for an exception of these kinds that the SDK does not document."""
    try:
        yield
    except (openai.OpenAIError, pydantic.ValidationError):  # the latter: a response model does not fit the answer
        raise
    except kinds as error:
        if not _is_sdks_own(error.__traceback__):
            raise
        raise make(error) from error


def _is_sdks_own(trace: TracebackType | None) -> bool:
    """Whether no code of the caller took part."""
    while trace is not None:
        if str(trace.tb_frame.f_globals.get("__name__")).partition(".")[0] not in PACKAGES:
            return False
        trace = trace.tb_next
    return True
