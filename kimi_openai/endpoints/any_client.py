"""Clients of the bare SDK decode and build answers without looking for exceptions; here they are ours."""

from __future__ import annotations

from typing import TypeVar

from kimi_openai._internal.flow import Flow
from kimi_openai.client.sdk_errors import sdk_errors_as
from kimi_openai.errors.exceptions import UnexpectedAnswerError

__all__ = ["guarded"]

Result = TypeVar("Result")

KINDS = (ValueError, TypeError, AttributeError, LookupError, RecursionError)
"""What the SDK raises over an answer that it cannot decode or build."""


def guarded(what: str, flow: Flow[Result]) -> Flow[Result]:
    """The flow, which raises `UnexpectedAnswerError` for an answer without `what` that the SDK cannot read."""
    with sdk_errors_as(lambda error: UnexpectedAnswerError(f"{what} ({type(error).__name__})", str(error)), KINDS):
        return (yield from flow)
