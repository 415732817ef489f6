"""What a caller asks becomes the body of a request, with what goes beside it; and how patient its client is. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import openai
import pydantic

from .flows import AnyClient
from .messages import MessageLike, replay_message
from .pace import ATTEMPTS, Pace

__all__ = ["pace_of", "request_of"]

Json = Mapping[str, Any]

NOT_GIVEN = (openai.NotGiven, openai.Omit)
OPTIONS = {"extra_headers": "headers", "extra_query": "params", "timeout": "timeout"}


def request_of(model: str, messages: Iterable[MessageLike], params: Mapping[str, Any]) -> tuple[Json, Json]:
    """The body to send, and what `client.post` takes beside it."""
    given = {name: value for name, value in params.items() if not isinstance(value, NOT_GIVEN)}
    if given.get("n") not in (None, 1):
        raise ValueError("n must be 1: Kimi gives one answer for each request, and only one can be joined")
    options = {OPTIONS[name]: given.pop(name) for name in OPTIONS if name in given}
    extra: Json = given.pop("extra_body", None) or {}
    usage: Json = {**(given.get("stream_options") or {}), "include_usage": True}
    sent: list[Any] = [replay_message(each) if isinstance(each, pydantic.BaseModel) else each for each in messages]
    body: Json = {"model": model, "messages": sent, **given, **extra, "stream": True, "stream_options": usage}
    return body, {
        "path": "/chat/completions",
        "cast_to": object,
        "stream": True,
        "options": {**options, "max_retries": 0},
    }


def pace_of(client: AnyClient) -> Pace:
    """The pace that the client has: its patience, and no repetition at all with `max_retries=0`."""
    own: Any = getattr(client, "kimi_options", None)
    attempts = max(ATTEMPTS, client.max_retries + 1) if client.max_retries else 1
    return Pace(attempts, getattr(own, "patience", None), getattr(own, "on_retry", None))
