"""Model, sampling, stop texts, logprobs and length: which values Kimi refuses."""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import facts_of, thinks, token_limit_of
from kimi_openai.emulator.errors import Problem, invalid_request, not_found
from kimi_openai.emulator.json_values import Json, is_array
from kimi_openai.emulator.tokens import prompt_tokens

from .fields import wrong_type

__all__ = ["length_problem", "logprobs_problem", "model_problem", "sampling_problem", "stop_problem"]

MAX_STOPS, MAX_STOP_BYTES = 5, 32


def model_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """404 for a model that is not in `Behaviour.models`."""
    return None if body["model"] in behaviour.models else not_found(f"model {body['model']}")


def sampling_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """Any value but the one that the model fixes; the text says `1`, not `1.0`."""
    facts = facts_of(body)
    fixed = facts.sampling if thinks(body, behaviour) else facts.sampling_off
    for name, value in fixed.items():
        if body.get(name) is not None and body[name] != value:
            return Problem(f"invalid {name}: only {value:g} is allowed for this model")
    return None


def stop_problem(body: Json, _: Behaviour) -> Problem | None:
    """Too many stop texts, one that is too long, or one that is not a text."""
    stop = body.get("stop")
    stops: list[Any] = stop if is_array(stop) else [] if stop is None else [stop]
    if len(stops) > MAX_STOPS:
        text = f"stop array too long. Expected an array with maximum length {MAX_STOPS}, but got {len(stops)}"
        return Problem(text)
    for text in stops:
        if not isinstance(text, str):
            return wrong_type("stop", "string", text)
        if len(text.encode()) > MAX_STOP_BYTES:
            return invalid_request(f"a stop text is longer than {MAX_STOP_BYTES} bytes")
    return None


def logprobs_problem(body: Json, _: Behaviour) -> Problem | None:
    """`top_logprobs` out of its range or without `logprobs`."""
    top = body.get("top_logprobs")
    if top is not None and (not body.get("logprobs") or not 0 <= top <= 20):
        return invalid_request("top_logprobs must be between 0 and 20 and needs logprobs")
    return None


def length_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """Prompt and limit on the output together must fit the context; without a limit the output is cut to fit."""
    context, limit = facts_of(body).context_length, token_limit_of(body)
    if limit is not None and limit < 1:
        return invalid_request("max_completion_tokens must be at least 1")
    total = prompt_tokens(body, behaviour) + (limit or 0)
    if context is None or total <= context:
        return None
    return invalid_request(f"Your request exceeded model token limit: {context} (requested: {total})")
