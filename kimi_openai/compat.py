"""What becomes of the notes that shaping makes: adapt and tell, refuse, or leave the request alone.

Called by `client.py` once for each call of the SDK's, before its first attempt. The SDK's options are copied, never
changed; in mode "off" they go on as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from typing import Any, TypeGuard

import openai

from . import remote_images
from .changes import Body
from .errors import CompatError, KimiCompatWarning, Note
from .flows import AnyClient, Flow
from .legacy import as_asked
from .notices import warn
from .options import Options
from .shaping import Shaped, shape, shape_upload

__all__ = ["last_notes", "outgoing"]

log = logging.getLogger("kimi_openai")

CHAT_PATHS = ("/chat/completions", "/tokenizers/estimate-token-count")
UPLOAD_PATH = "/files"

_last: ContextVar[tuple[Note, ...]] = ContextVar("kimi_openai_notes", default=())


def last_notes() -> tuple[Note, ...]:
    """What was changed in the last request that this thread or task made, by whichever client; empty for nothing."""
    return _last.get()


def outgoing(client: AnyClient, own: Options, options: Any) -> Flow[Any]:
    """The SDK's options for the request that is sent, as a flow; `own` says how.

    Raises `CompatError` for what Kimi would refuse and nothing can be sent for, in mode "strict" for every change.
    """
    shaper = None if own.compat == "off" else _shaper_for(options, own)
    body = None if shaper is None else _body(options)
    if shaper is None or body is None:
        _last.set(())
        return options
    if own.fetch_images:
        body = yield from remote_images.inlined(client, body)
    shaped = shaper(body)
    _last.set(shaped.notes)
    if shaped.notes:
        _tell(shaped.notes, own)
    update: dict[str, Any] = {"json_data": shaped.body, "extra_json": None}
    if "functions" in body and isinstance(options.post_parser, openai.NotGiven):
        update["post_parser"] = as_asked
    return options.model_copy(update=update)


def _shaper_for(options: Any, own: Options) -> Callable[[Body], Shaped] | None:
    path = str(options.url).partition("?")[0].rstrip("/")
    if options.method.lower() != "post":
        return None
    if path.endswith(CHAT_PATHS) or path in ("chat/completions", "tokenizers/estimate-token-count"):
        return lambda body: shape(body, aliases=own.model_aliases)
    return shape_upload if path in (UPLOAD_PATH, "files") else None


def _body(options: Any) -> dict[str, Any] | None:
    """The JSON body as the SDK would merge it, with its messages as a list; `None` if it is not an object."""
    data, extra = options.json_data, options.extra_json
    if not isinstance(data, Mapping | None) or not (data or extra):
        return None
    body: dict[str, Any] = {**(data or {}), **(extra or {})}
    body = {name: value for name, value in body.items() if not isinstance(value, openai.Omit | openai.NotGiven)}
    messages = body.get("messages")
    if _is_series(messages):
        body["messages"] = list(messages)
    return body


def _is_series(value: object) -> TypeGuard[Iterable[Any]]:
    """Whether the value can stand for a JSON array without being a list, which may be read only once."""
    return isinstance(value, Iterable) and not isinstance(value, list | str | bytes | Mapping)


def _tell(notes: tuple[Note, ...], own: Options) -> None:
    if own.compat == "strict" or any(note.fatal for note in notes):
        raise CompatError(notes if own.compat == "strict" else tuple(note for note in notes if note.fatal))
    for note in notes:
        log.info("%s: %s, because %s", note.where, note.change, note.why)
        if own.on_note is not None:
            own.on_note(note)
    for kind, note in {note.kind: note for note in notes}.items():
        warn(f"changed for Kimi: {note}", KimiCompatWarning, once=kind)
