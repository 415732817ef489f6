"""Answers to requests about stored responses and conversations, from the memory: Kimi stores none.

Pure, except for the memory. The client asks `local_answer` before each request to `/responses/...` and
`/conversations`, and gives the answer to the SDK as if it had come from a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from kimi_openai._internal.json_values import as_dict, as_list
from kimi_openai.compat.rule import fatal
from kimi_openai.errors.exceptions import CompatError

from .memory import ForgottenError, ResponseMemory

__all__ = ["LocalAnswer", "is_local", "local_answer"]

ROOTS = ("responses", "conversations")
DEFAULT_LIMIT = 20


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """The status and the JSON body of an answer."""

    body: dict[str, Any]
    status: int = 200


NOT_OFFERED = {
    "cancel": ("Kimi answers in the foreground, so there is nothing to cancel", "close the stream to stop an answer"),
    "compact": ("Kimi has no compaction", "shorten the input, or ask for a summary of it"),
    "input_tokens": ("Kimi counts no input items", "kimi_openai.estimate_tokens counts messages"),
}
STREAMED = ("Kimi replays no streams of earlier responses", "retrieve it without stream and starting_after")


def is_local(method: str, url: str) -> bool:
    """Whether the request is about something that Kimi does not store; `url` is relative to the base URL.

    >>> is_local("get", "/responses/resp_1"), is_local("post", "/responses"), is_local("post", "/conversations")
    (True, False, True)
    """
    parts = _parts(url)
    return parts[0] in ROOTS and (parts[0] != "responses" or len(parts) > 1 or method.lower() != "post")


def local_answer(
    memory: ResponseMemory, method: str, url: str, *, query: Mapping[str, Any] | None = None, body: object = None
) -> LocalAnswer:
    """The answer to a request for which `is_local` is true: of status 404 if the id is not known.

    Raises `CompatError` for what Kimi cannot do and no memory can replace.
    """
    asked = {**dict(parse_qsl(url.partition("?")[2])), **(query or {})}
    root, *rest = _parts(url)
    try:
        if root == "responses":
            return _responses(memory, method.lower(), rest, asked)
        return _conversations(memory, method.lower(), rest, asked, as_dict(body))
    except ForgottenError as error:
        return _not_found(root, error.id)


def _parts(url: str) -> list[str]:
    return [unquote(part) for part in url.partition("?")[0].strip("/").split("/")]


def _responses(memory: ResponseMemory, method: str, rest: list[str], query: Mapping[str, Any]) -> LocalAnswer:
    match method, rest:
        case "get", [id]:
            if str(query.get("stream", "")).lower() in ("true", "1") or "starting_after" in query:
                raise CompatError((fatal("stream", "stream", *STREAMED),))
            response = memory.response(id)
            return _not_found("responses", id) if response is None else LocalAnswer(response)
        case "delete", [id]:
            if not memory.forget(id):
                return _not_found("responses", id)
            return LocalAnswer({"id": id, "object": "response", "deleted": True})
        case "get", [id, "input_items"]:
            return _page(memory.input_items(id), query, name=id)
        case _:
            last = rest[-1] if rest else "list"
            why, fix = NOT_OFFERED.get(last, ("Kimi does not have it", "leave it out"))
            raise CompatError((fatal("responses", "/".join(("responses", *rest)), why, fix),))


def _conversations(
    memory: ResponseMemory, method: str, rest: list[str], query: Mapping[str, Any], body: Mapping[str, Any]
) -> LocalAnswer:
    match method, rest:
        case "post", []:
            return LocalAnswer(memory.new_conversation(as_list(body.get("items")), body.get("metadata")))
        case "get", [id]:
            return LocalAnswer(memory.conversation(id))
        case "post", [id]:
            memory.change_conversation(id, metadata=body.get("metadata"))
            return LocalAnswer(memory.conversation(id))
        case "delete", [id]:
            if not memory.forget(id):
                return _not_found("conversations", id)
            return LocalAnswer({"id": id, "object": "conversation.deleted", "deleted": True})
        case _:
            return _conversation_items(memory, method, rest, query, body)


def _conversation_items(
    memory: ResponseMemory, method: str, rest: list[str], query: Mapping[str, Any], body: Mapping[str, Any]
) -> LocalAnswer:
    match method, rest:
        case "get", [id, "items"]:
            return _page(memory.conversation_items(id), query)
        case "post", [id, "items"]:
            added = memory.change_conversation(id, add=as_list(body.get("items")))
            return _page(added, {"order": "asc", "limit": len(added)})
        case "get", [id, "items", item_id]:
            found = (item for item in memory.conversation_items(id) if as_dict(item).get("id") == item_id)
            item = next(found, None)
            return _not_found("items", item_id) if item is None else LocalAnswer(item)
        case "delete", [id, "items", item_id]:
            memory.change_conversation(id, remove=item_id)
            return LocalAnswer(memory.conversation(id))
        case _:
            why, fix = "Kimi does not have it", "leave it out"
            raise CompatError((fatal("conversations", "/".join(("conversations", *rest)), why, fix),))


def _listed(item: Any, id: str) -> Any:
    """The item as a list shows it: with an id, and with the text of a message as a part."""
    fields = as_dict(item)
    content = fields.get("content")
    shown = {"type": "message", **fields, "id": fields.get("id") or id}
    if isinstance(content, str):
        is_answer = fields.get("role") == "assistant"
        part: dict[str, Any] = {"type": "output_text", "annotations": []} if is_answer else {"type": "input_text"}
        shown["content"] = [{**part, "text": content}]
    return shown


def _page(items: list[Any], query: Mapping[str, Any], *, name: str = "item") -> LocalAnswer:
    """One page of a list, in OpenAI's order: newest first unless `order` says "asc"."""
    items = [_listed(item, f"{name}_{number}") for number, item in enumerate(items)]
    ordered = items if query.get("order") == "asc" else items[::-1]
    ids = [as_dict(item).get("id") for item in ordered]
    start = ids.index(query["after"]) + 1 if query.get("after") in ids else 0
    limit = str(query.get("limit", DEFAULT_LIMIT))
    page = ordered[start : start + (int(limit) if limit.isdecimal() else DEFAULT_LIMIT)]
    first, last = (as_dict(page[0]).get("id"), as_dict(page[-1]).get("id")) if page else (None, None)
    has_more = start + len(page) < len(ordered)
    return LocalAnswer({"object": "list", "data": page, "first_id": first, "last_id": last, "has_more": has_more})


def _not_found(what: str, id: str) -> LocalAnswer:
    message = f"Kimi stores no {what}, and this client remembers none with the id {id!r}"
    return LocalAnswer({"error": {"message": message, "type": "resource_not_found_error"}}, status=404)
