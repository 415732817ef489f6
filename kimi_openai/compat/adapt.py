"""Applies the rules to each request of a client, and reports the notes: as warnings and log lines, or as an error.

The client calls `outgoing` once per call, before the first attempt. The SDK's request options are copied, never
changed; with `compat="off"` they are returned as they are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import ABSENT
from kimi_openai._internal.warn import warn
from kimi_openai.errors.exceptions import CompatError, KimiCompatWarning, Note

from . import images
from .answers import AnswerNames
from .batch_upload import shaped_files
from .functions import answer_as_function_call
from .pipeline import Shaped, shape, shape_batch, shape_upload
from .rule import Body
from .tools import builtin_search
from .valid_json import valid_json

__all__ = [
    "AdaptOptions",
    "batch_file",
    "clear_notes",
    "last_notes",
    "line_shape",
    "merged_body",
    "notes_kept",
    "outgoing",
    "report",
    "report_answer",
    "with_body",
]

log = logging.getLogger("kimi_openai")

CHAT_PATHS = ("/chat/completions", "/tokenizers/estimate-token-count")
OTHER_PATHS: Mapping[str, Callable[[Body], Shaped]] = {"/files": shape_upload, "/batches": shape_batch}

_last: ContextVar[tuple[Note, ...]] = ContextVar("kimi_openai_notes", default=())


class AdaptOptions(Protocol):
    """The client's options that are read here. `client.options` documents them."""

    @property
    def compat(self) -> str | None: ...
    @property
    def on_note(self) -> Callable[[Note], object] | None: ...
    @property
    def model_aliases(self) -> Mapping[str, str] | None: ...
    @property
    def fetch_images(self) -> bool: ...


def last_notes() -> tuple[Note, ...]:
    """The notes on the last request of this thread or task, by any client, and on its answer; empty if all was well."""
    return _last.get()


def clear_notes() -> None:
    """Forget the notes on the request before."""
    _last.set(())


Recall = Callable[[dict[str, Any]], tuple[dict[str, Any], tuple[Note, ...]]]
"""Returns a chat body with the reasoning that its messages have lost, and a note if it has changed."""


@contextmanager
def notes_kept() -> Generator[None, None, None]:
    """A `with` block whose requests leave `last_notes()` as it is."""
    notes = _last.get()
    try:
        yield
    finally:
        _last.set(notes)


def outgoing(
    client: AnyClient, options: AdaptOptions, request: Any, recall: Recall | None = None
) -> Flow[tuple[Any, AnswerNames | None]]:
    """The SDK's request options for the request that is sent, and the names to restore in its answer, as a flow.

    `recall` is called for the bodies that are adapted, before the rules.
    Raises `CompatError`, before anything is sent, if Kimi would refuse the request and no rule can repair it; with
    `compat="strict"` if any rule would change it.
    """
    body = None if options.compat == "off" else merged_body(request)
    clear_notes()
    if body is None:
        return request, None
    valid, notes = (body, ()) if request.files else valid_json(body)
    shape_body = _shape_for(request, options)
    if shape_body is None or any(note.fatal for note in notes):
        report(notes, options)
        return (request if valid is body else with_body(request, valid)), None
    if recall is not None:
        valid, found = recall(valid)
        notes = (*notes, *found)
    if options.fetch_images:
        valid = yield from images.inlined(client, valid)
    shaped = shape_body(valid)
    if shaped.body.get("purpose") == "batch" and request.files:
        files, found = yield from shaped_files(client, request.files, partial(_batch_body, options=options))
        report((*shaped.notes, *found), options)
        return with_body(request, shaped.body, files=files), None
    report((*notes, *shaped.notes), options)
    if (search_note := builtin_search(shaped.body)) is not None:
        report_answer(search_note, options)  # nothing is changed, so strict mode has nothing to refuse
    if "functions" in body and isinstance(request.post_parser, ABSENT):
        return with_body(request, shaped.body, post_parser=answer_as_function_call), shaped.names
    return with_body(request, shaped.body), shaped.names


def _shape_for(request: Any, options: AdaptOptions) -> Callable[[Body], Shaped] | None:
    """The function that shapes bodies of this endpoint; None if no rule is for it."""
    if request.method.lower() != "post":
        return None
    path = "/" + str(request.url).partition("?")[0].strip("/")
    if path.endswith(CHAT_PATHS):
        return partial(shape, aliases=options.model_aliases)
    return OTHER_PATHS.get(path)


def _batch_body(body: Body, *, options: AdaptOptions) -> Shaped:
    """The body of a line of a batch file, shaped as that of a chat request is."""
    valid, notes = valid_json(body)
    if any(note.fatal for note in notes):
        return Shaped(dict(body), notes)
    if options.fetch_images:
        valid = images.inlined_now(valid)
    shaped = shape(valid, aliases=options.model_aliases, are_answers_ours=False)
    return Shaped(shaped.body, (*notes, *shaped.notes))


@dataclass(frozen=True, slots=True)
class _Defaults:
    """The options of a client that has none: one of the bare SDK."""

    compat: str | None = "adapt"
    on_note: Callable[[Note], object] | None = None
    model_aliases: Mapping[str, str] | None = None
    fetch_images: bool = False


def batch_file(client: AnyClient, file: Any) -> Flow[Any]:
    """The batch file to pass to `client.files.create`, as a flow. Our clients check and adapt it when they send it; for
    a client of the bare SDK that is done here. Raises `CompatError` with the number of each line that Kimi refuses."""
    if hasattr(client, "kimi_options"):
        return file
    shape_body = partial(_batch_body, options=_Defaults())
    files, notes = yield from shaped_files(client, {"file": file}, shape_body)
    report(notes)
    return files[0][1]


def line_shape(client: AnyClient) -> Callable[[Body], Shaped]:
    """What makes the body of a line of a batch file one that Kimi accepts, as this client does it at the upload."""
    options = getattr(client, "kimi_options", _Defaults())
    if options.compat == "off":
        return lambda body: Shaped(dict(body), ())
    return partial(_batch_body, options=options)


def merged_body(request: Any) -> dict[str, Any] | None:
    """The JSON body as the SDK would merge it; None if it is not an object."""
    data, extra = request.json_data, request.extra_json
    if not isinstance(data, Mapping | None) or not (data or extra):
        return None
    body: dict[str, Any] = {**(data or {}), **(extra or {})}
    return {name: value for name, value in body.items() if not isinstance(value, ABSENT)}


def with_body(request: Any, body: dict[str, Any], **update: Any) -> Any:
    """A copy of the SDK's request options with this body."""
    return request.model_copy(update={"json_data": body, "extra_json": None, **update})


def report(notes: tuple[Note, ...], options: AdaptOptions | None = None) -> None:
    """Report the notes on a request: as warnings, log lines and calls of `on_note`, or as an error.

    Raises `CompatError` for fatal notes; with `compat="strict"` for any.
    """
    if not notes:
        return
    _last.set(notes)
    is_strict = options is not None and options.compat == "strict"
    if problems := tuple(note for note in notes if note.fatal or (is_strict and not note.quiet)):
        raise CompatError(problems)
    for note in notes:
        _log(note)
        if options is not None and options.on_note is not None:
            options.on_note(note)
    for kind, note in {note.kind: note for note in notes if not note.quiet}.items():
        warn(f"changed for Kimi: {note}", KimiCompatWarning, once=kind)


def report_answer(note: Note, options: AdaptOptions | None = None) -> None:
    """Report a note on an answer in the same ways. Raises nothing, since that would cost the answer: an exception of
    `on_note` is logged, and a filter that makes errors of warnings has no effect."""
    _last.set((*_last.get(), note))
    _log(note)
    if options is not None and options.on_note is not None:
        try:
            options.on_note(note)
        except Exception:
            log.exception("on_note raised an exception for a note on an answer")
    with suppress(KimiCompatWarning):
        warn(str(note), KimiCompatWarning, once=note.kind)


def _log(note: Note) -> None:
    level = logging.DEBUG if note.quiet else logging.INFO
    log.log(level, "%s: %s, because %s", note.where, note.change, note.why)
