"""Completions and chunks of the SDK's types as JSON, and a stream of chunks as the bytes of server-sent events.

A stream that breaks ends with an error event, from which every OpenAI client makes an exception.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import Any

import openai
import pydantic
from openai.types.chat import ChatCompletionChunk

from kimi_openai._internal.json_values import dump_model
from kimi_openai._internal.secrets import mask_keys

from .answer_errors import error_body

__all__ = ["event_bytes", "event_bytes_async", "json_of"]

log = logging.getLogger("kimi_openai")

DONE_EVENT = b"data: [DONE]\n\n"


def json_of(model: pydantic.BaseModel) -> bytes:
    """The JSON of an answer or a chunk, with the fields that came and those that were added."""
    try:
        return model.model_dump_json(exclude_unset=True, by_alias=True, warnings=False).encode()
    except ValueError:  # half a surrogate pair, or a very large number
        return json.dumps(dump_model(model)).encode()


def event_bytes(items: Any) -> Iterator[bytes]:
    """The events of an `openai.Stream` of chunks or of a response's events. It is closed at the end."""
    item: Any = None
    try:
        for item in items:
            yield _event(json_of(item), _name_of(item))
        if not _name_of(item):
            yield DONE_EVENT
    except openai.OpenAIError as error:
        yield _broken(error)
    finally:
        items.close()


async def event_bytes_async(items: Any) -> AsyncGenerator[bytes, None]:
    """`event_bytes` for an `openai.AsyncStream`."""
    item: Any = None
    try:
        async for item in items:
            yield _event(json_of(item), _name_of(item))
        if not _name_of(item):
            yield DONE_EVENT
    except openai.OpenAIError as error:
        yield _broken(error)
    finally:
        await items.close()


def _broken(error: openai.OpenAIError) -> bytes:
    """The last event of a stream that broke."""
    body = error_body(error)
    log.info("a stream broke: %s", mask_keys(str(error)))
    return _event(body)


def _name_of(item: Any) -> str:
    """The name of an event: those of the Responses API have one, chunks have none."""
    return "" if item is None or isinstance(item, ChatCompletionChunk) else str(item.type)


def _event(data: bytes, name: str = "") -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), data) if name else b"data: %s\n\n" % data
