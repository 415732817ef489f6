"""Which batches Kimi refuses: the create body, and the input file, which is read only after the creation.

Source: platform docs, batch pages. The texts of the refusals are not captured and are the emulator's own.
"""

from __future__ import annotations

import json
import re
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.errors import Problem, invalid_request, missing_parameter
from kimi_openai.emulator.json_values import Json, is_object
from kimi_openai.models.catalog import facts

__all__ = ["batch_problem", "batch_requests", "has_batch_model", "line_problem"]

ENDPOINT = "/v1/chat/completions"
WINDOW = re.compile(r"(\d+)([hd])", re.ASCII)
DEFAULT = Behaviour()
SAMPLING = ("temperature", "top_p", "n", "presence_penalty", "frequency_penalty")


def batch_problem(body: Any, *, known_file: bool) -> Problem | None:
    """What is wrong with a create body, or None."""
    if not is_object(body):
        return invalid_request("the request body is not a JSON object")
    for name in ("input_file_id", "endpoint", "completion_window"):
        if not isinstance(body.get(name), str):
            return missing_parameter(name)
    if body["endpoint"] != ENDPOINT:
        return invalid_request(f"endpoint must be {ENDPOINT}")
    window = WINDOW.fullmatch(body["completion_window"])
    if not window or not 12 <= int(window[1]) * (24 if window[2] == "d" else 1) <= 7 * 24:
        return invalid_request("completion_window must be between 12h and 7d")
    if not _is_metadata(body.get("metadata")):
        return invalid_request("metadata takes up to 16 pairs of strings (keys up to 64, values up to 512)")
    return None if known_file else invalid_request(f"no batch file {body['input_file_id']}")


def _is_metadata(value: Any) -> bool:
    if value is None:
        return True
    return (
        is_object(value)
        and len(value) <= 16
        and all(len(key) <= 64 and isinstance(text, str) and len(text) <= 512 for key, text in value.items())
    )


def batch_requests(data: bytes, behaviour: Behaviour = DEFAULT) -> list[Json] | None:
    """The requests of an input file, or None for a file that fails validation.

    Every line names the endpoint, a unique `custom_id` and a body. All lines have the same model. What `Behaviour` does
    not leave to the lines is checked here: sampling parameters, and whether the model is listed for batches (kimi-k2.6,
    kimi-k2.7-code; not the highspeed one, not K3).
    """
    lines = _objects(data)
    requests = [line for line in lines or () if _is_request(line)]
    models = {str(request["body"].get("model")) for request in requests}
    distinct = len({request["custom_id"] for request in requests}) == len(lines or ()) > 0
    if not distinct or len(models) != 1:
        return None
    refused = (behaviour.batch_model != "line" and not _takes_batches(*models)) or (
        behaviour.batch_sampling != "line" and any(_has_sampling(request) for request in requests)
    )
    return None if refused else requests


def has_batch_model(data: bytes) -> bool:
    """Whether the model of the first line takes batches."""
    lines = [line for line in _objects(data) or () if _is_request(line)]
    return not lines or _takes_batches(str(lines[0]["body"].get("model")))


def line_problem(request: Json, behaviour: Behaviour) -> str | None:
    """What is wrong with one line, if that is not left to the validation of the file."""
    if behaviour.batch_model == "line" and not _takes_batches(str(request["body"].get("model"))):
        return "the model does not support batches"
    return "sampling parameters are not supported in batches" if _has_sampling(request) else None


def _objects(data: bytes) -> list[Json] | None:
    """The lines, or None if one of them is no JSON object. Only a newline ends a line: JSON texts may hold U+2028."""
    try:
        lines = [json.loads(line) for line in data.decode().split("\n") if line.strip()]
    except ValueError:
        return None
    return lines if all(map(is_object, lines)) else None


def _is_request(line: Json) -> bool:
    is_named = isinstance(line.get("custom_id"), str) and is_object(line.get("body"))
    return is_named and line.get("method") == "POST" and line.get("url") == ENDPOINT


def _has_sampling(request: Json) -> bool:
    return any(name in request["body"] for name in SAMPLING)


def _takes_batches(model: str) -> bool:
    known = facts(model)
    return bool(known.batch) and known.family == model
