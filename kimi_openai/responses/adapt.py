"""Makes the request that is sent of a Responses request: what is remembered before it, images, rules, notes.

The client calls `outgoing` once per call, before the first attempt, and gives the `Exchange` to whoever reads the
answer.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Protocol

import pydantic
from pydantic_core import to_json

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import as_dict, as_list, is_array, is_object
from kimi_openai.compat.adapt import AdaptOptions, clear_notes, merged_body, report, report_answer, with_body
from kimi_openai.compat.images import fetched
from kimi_openai.compat.rule import fatal
from kimi_openai.compat.valid_json import valid_json
from kimi_openai.errors.exceptions import CompatError

from .exchange import Exchange
from .items import call_ids
from .memory import ForgottenError, ResponseMemory
from .parts import remote_images, with_images
from .rules import shape_response
from .texts import AnswerTexts

__all__ = ["MemoryOptions", "memory_of", "outgoing"]

FORGOTTEN = "Kimi stores no responses, and this client remembers none with the id {id!r}"
FIX = (
    "send the earlier items in input, or create both with one client or its copies; "
    "create_client(response_memory='file') keeps responses when the program ends"
)


class MemoryOptions(AdaptOptions, Protocol):
    """The client's options that are read here."""

    @property
    def response_memory(self) -> ResponseMemory | None: ...
    @property
    def own_memory(self) -> dict[str, Any]: ...


def memory_of(options: MemoryOptions) -> ResponseMemory:
    """The memory that a client was given, else one that it makes and shares with its copies."""
    if options.response_memory is not None:
        return options.response_memory
    memory = options.own_memory.get("memory")
    if memory is None:
        memory = options.own_memory.setdefault("memory", ResponseMemory())
    found: ResponseMemory = memory
    return found


def outgoing(client: AnyClient, options: MemoryOptions, request: Any) -> Flow[tuple[Any, Exchange | None]]:
    """The SDK's request options for the request that is sent, and the exchange, as a flow.

    With `compat="off"` the options are returned as they are, and nothing is remembered. Raises `CompatError`, before
    anything is sent, if Kimi would refuse the request and no rule can repair it, or if an earlier response is not
    remembered; with `compat="strict"` if any rule would change it.
    """
    body = None if options.compat == "off" else merged_body(request)
    clear_notes()
    if body is None:
        return request, None
    if "beta=true" in str(request.url):
        why, fix = "Kimi does not have OpenAI's beta of Responses", "use client.responses"
        report((fatal("beta", "client.beta.responses", why, fix),), options)
    body = {name: value for name, value in body.items() if value is not None}
    valid, notes = valid_json({**body, "input": _plain_items(body.get("input"))})
    if any(note.fatal for note in notes):
        report(notes, options)
    exchange = Exchange(memory_of(options), keeps=valid.get("store") is not False)
    before = _before(valid, exchange)
    own = _with_references(_as_items(valid.get("input")), before, exchange.memory)
    exchange.own_input = to_json(own)
    valid = {name: value for name, value in valid.items() if name not in ("previous_response_id", "conversation")}
    if before or is_array(valid.get("input")):
        valid["input"] = [*before, *own]
    if options.fetch_images:
        images = yield from fetched(client, remote_images(valid.get("input")))
        if images:
            valid["input"] = with_images(valid["input"], images)
    shaped = shape_response(valid, aliases=options.model_aliases, remembered=len(before))
    report((*notes, *shaped.notes), options)
    exchange.used = tuple(call_ids(as_list(shaped.body.get("input"))))
    exchange.texts = AnswerTexts(
        shaped.names, is_json=_asks_for_json(valid), report=partial(report_answer, options=options)
    )
    return with_body(request, shaped.body), exchange


def _asks_for_json(body: dict[str, Any]) -> bool:
    return as_dict(as_dict(body.get("text")).get("format")).get("type") in ("json_object", "json_schema")


def _as_items(given: Any) -> list[Any]:
    return [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else as_list(given)


def _plain_items(given: Any) -> Any:
    """The items with the SDK's objects as the dicts that the SDK would send. (Its messages have a role, so `valid_json`
    would take them for those of a chat.)"""
    if isinstance(given, str) or is_object(given) or not hasattr(given, "__iter__"):
        return given
    return list(map(_plain, given))


def _plain(item: Any) -> Any:
    if not isinstance(item, pydantic.BaseModel):
        return item
    return item.model_dump(mode="json", exclude_unset=True, warnings=False)


def _before(body: dict[str, Any], exchange: Exchange) -> list[Any]:
    """The items that are remembered of what the request continues. Sets that in the exchange. Raises `CompatError`."""
    previous, conversation = body.get("previous_response_id"), body.get("conversation")
    name = as_dict(conversation).get("id") if is_object(conversation) else conversation
    try:
        if previous is not None and name is not None:
            why, fix = "a request continues one of the two", "leave one of them out"
            raise CompatError((fatal("previous_response_id", "previous_response_id", why, fix),))
        if previous is not None:
            exchange.previous = str(previous)
            return exchange.memory.history(exchange.previous)
        if name is not None:
            exchange.conversation = str(name)
            return exchange.memory.conversation_items(exchange.conversation)
    except ForgottenError as error:
        where = "conversation" if previous is None else "previous_response_id"
        why = FORGOTTEN.format(id=error.id)
        fix = FIX
        if previous is None:
            why, fix = why.replace("responses", "conversations"), "make it with client.conversations.create()"
        elif error.id != exchange.previous:
            why = f"{why}, which {exchange.previous!r} continues"
        raise CompatError((fatal(where, where, why, fix),)) from error
    return []


def _with_references(items: list[Any], before: list[Any], memory: ResponseMemory) -> list[Any]:
    """The items with those that a reference names. One that is in the input already is left out."""
    if not any(map(_is_reference, items)):
        return items
    names = {as_dict(item).get("id") for item in (*before, *items) if not _is_reference(item)}
    return [_referenced(item, memory) for item in items if not (_is_reference(item) and item.get("id") in names)]


def _referenced(item: Any, memory: ResponseMemory) -> Any:
    return (
        (memory.find_item(str(item.get("id"))) or {**item, "type": "item_reference"}) if _is_reference(item) else item
    )


def _is_reference(item: Any) -> bool:
    kind = as_dict(item).get("type")
    return kind == "item_reference" or (kind is None and "id" in as_dict(item) and "role" not in item)
