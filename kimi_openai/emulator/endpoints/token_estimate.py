"""`POST /v1/tokenizers/estimate-token-count`: how many tokens a prompt has."""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator.chat_body import messages_of
from kimi_openai.emulator.errors import invalid_request
from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.tokens import prompt_tokens
from kimi_openai.emulator.validation.body import broken_rule

__all__ = ["token_estimate"]


def token_estimate(state: ServiceState, request: Request) -> Response:
    """`{"data":{"total_tokens":n}}` of the messages; `Behaviour.estimate_counts_tools` adds the tools."""
    body: Any = request.json
    problem = broken_rule(body, state.behaviour, estimate=True)
    if problem is None and state.behaviour.estimate_dynamic_tools == "reject":
        problem = invalid_request("tokenization failed") if any("tools" in each for each in messages_of(body)) else None
    if problem:
        return problem.response()
    counted = {**body, "tools": body.get("tools") if state.behaviour.estimate_counts_tools else None}
    return json_response({"data": {"total_tokens": prompt_tokens(counted, state.behaviour, preamble=False)}})
