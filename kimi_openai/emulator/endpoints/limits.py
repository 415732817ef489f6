"""The 429 of a request that the limits of the organization refuse."""

from __future__ import annotations

from kimi_openai.emulator.errors import retry_headers
from kimi_openai.emulator.frames import Response
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState

__all__ = ["limit_refusal"]


def limit_refusal(state: ServiceState, request: Request, tokens: int) -> Response | None:
    """The 429 with its headers, or None if the request may reserve so many tokens; then it counts as running."""
    refused = state.limiter.admit(request.number, tokens)
    if refused is None:
        return None
    problem, seconds = refused
    trace = state.id("trace", request.number, 32)
    return problem.response(*(retry_headers(seconds, trace) if state.behaviour.retry_after else ()))
