"""A response of `client.responses` as a `Reply`, so that it is shown as the answer of a chat completion is.

Pure. Parts that have another shape are left out: the bare SDK returns whatever came.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from openai.types.responses import Response

from kimi_openai._internal.json_values import Json, as_dict, as_list, to_json
from kimi_openai.messages.reply import Reply

__all__ = ["reply_of_response"]


def reply_of_response(response: Response) -> Reply:
    """The texts, the reasoning and the function calls of a response, in order, with its model and its usage."""
    fields = to_json(response)
    items = [as_dict(item) for item in as_list(fields.get("output"))]
    calls = tuple(_call(item) for item in items if item.get("type") == "function_call")
    reasoning = [item for item in items if item.get("type") == "reasoning"]
    return Reply(
        content="\n\n".join(_texts(item for item in items if item.get("type") == "message")),
        reasoning="\n\n".join(_texts(reasoning)) or None,
        tool_calls=calls,
        finish_reason=as_dict(fields.get("incomplete_details")).get("reason"),
        usage=as_dict(fields.get("usage")) or None,
        head={"model": fields.get("model")},
    )


def _texts(items: Iterable[Json]) -> list[str]:
    parts = [as_dict(part) for item in items for name in ("summary", "content") for part in as_list(item.get(name))]
    texts: list[Any] = [part.get("text") or part.get("refusal") for part in parts]
    return [text for text in texts if isinstance(text, str)]


def _call(item: Json) -> dict[str, Any]:
    return {"function": {"name": item.get("name"), "arguments": item.get("arguments")}}
