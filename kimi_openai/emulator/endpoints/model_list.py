"""`GET /v1/models`: the models that the key may use."""

from __future__ import annotations

from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.json_values import Json
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.models.catalog import facts

__all__ = ["model_list"]

CREATED = 1788143653
PERMISSION: Json = {
    "created": 0,
    "id": "",
    "object": "",
    "organization": "moonshot",
    "group": "moonshot",
    "is_blocking": False,
}


def model_list(state: ServiceState, _: Request) -> Response:
    """The list of the models in `Behaviour.models`."""
    return json_response({"object": "list", "data": [_entry(id) for id in state.behaviour.models]})


def _entry(id: str) -> Json:
    """An entry with the fields measured on 2026-09-03. None was captured for K3.1, which gets those of K3."""
    known = facts(id)
    entry: Json = {
        "created": CREATED,
        "id": id,
        "object": "model",
        "owned_by": "moonshot",
        "permission": [PERMISSION],
        "root": "",
        "parent": "",
        "supports_image_in": bool(known.images),
        "supports_video_in": bool(known.videos),
        "supports_reasoning": True,
    }
    if known.control == "reasoning_effort":
        efforts: Json = {"support": True, "valid_efforts": list(known.efforts), "default_effort": known.default_effort}
        entry |= {"supports_dynamic_tools": True, "think_efforts": efforts, "reasoning_efforts": efforts}
        entry["supports_thinking_type"] = "only"
    return {**entry, "context_length": known.context_length}
