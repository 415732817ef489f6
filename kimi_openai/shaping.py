"""A request body becomes one that Kimi accepts, plus notes on what changed and why.

Pure: nothing is sent, nothing that was passed is mutated, what needs no change is shared, and a body shaped once is not
changed again. The rules stand in tables in the rooms below; `compat` decides what becomes of the notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .changes import GONE, Body, Row
from .errors import Note
from .models import UNKNOWN, facts, successor
from .shaping_messages import MESSAGE_RULES
from .shaping_parameters import PARAMETER_RULES
from .shaping_thinking import THINKING_RULES
from .shaping_tools import FORMAT_RULES, TOOL_RULES

__all__ = ["TABLE", "Note", "Shaped", "shape", "shape_upload"]

RULES = (*TOOL_RULES, *THINKING_RULES, *PARAMETER_RULES, *FORMAT_RULES, *MESSAGE_RULES)
"""In the order in which they apply: tools before the choice among them, the choice before thinking is settled, and that
before the messages, whose rules depend on it."""

MODEL_ROWS = (
    Row(
        '`model="gpt-4o"`', "404 `Not found the model gpt-4o or Permission denied`", "what `model_aliases` says instead"
    ),
    Row('`model="kimi-k2.5"`, `"moonshot-v1-8k"`, ...', "404, retired", "`kimi-k3`"),
)
UPLOAD_ROWS = (
    Row(
        '`files.create(purpose="assistants")`, `"user_data"`',
        "400 `Invalid purpose: ...`",
        "sent as `file-extract` (`vision`: `image`)",
    ),
)
TABLE = (*MODEL_ROWS, *(row for rule in RULES for row in rule.rows), *UPLOAD_ROWS)
"""What OpenAI code says, what Kimi says to it, what is sent: the README's table."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A body that Kimi accepts (but for what the fatal ones among `notes` say), and a note for each change."""

    body: dict[str, Any]
    notes: tuple[Note, ...]


def shape(body: Body, *, aliases: Mapping[str, str] | None = None) -> Shaped:
    """The nearest chat request that Kimi accepts, by the documented facts about its model.

    `aliases` maps model ids to others first. A model of no known family is asked only for what holds for every model
    (roles, tools, parts); parameters are not touched then. Changes that lose nothing have no note: how a schema is
    written, nulls and the SDK's own keys in replayed messages, and an alias.

    >>> shaped = shape({"model": "kimi-k3", "temperature": 0.2, "messages": [{"role": "user", "content": "Hi"}]})
    >>> shaped.body
    {'model': 'kimi-k3', 'messages': [{'role': 'user', 'content': 'Hi'}]}
    >>> print(shaped.notes[0].why)
    Kimi answers 400 'invalid temperature: only 1 is allowed for this model'
    """
    new = dict(body)
    notes = [*_named_model(new, aliases or {})]
    known = facts(new["model"]) if isinstance(new.get("model"), str) else UNKNOWN
    for rule in RULES:
        changes = rule.apply(new, known) if known.is_known or rule.every_model else None
        if changes is not None:
            notes += changes.notes
            for name, value in changes.fields.items():
                if value is GONE:
                    new.pop(name, None)
                else:
                    new[name] = value
    return Shaped(new, tuple(notes))


def _named_model(new: dict[str, Any], aliases: Mapping[str, str]) -> tuple[Note, ...]:
    """Put the model's final id in; a note if it is the successor of a retired one."""
    asked = new.get("model")
    if not isinstance(asked, str) or (asked not in aliases and successor(asked) is None):
        return ()
    model, retired, seen = asked, "", {asked}
    while following := aliases.get(model) or successor(model):
        if following in seen:  # the aliases go in a circle
            return ()
        retired = retired if model in aliases else model
        model = following
        seen.add(model)
    new["model"] = model
    if not retired:
        return ()
    why = f"{retired} is retired: Kimi answers 404 'Not found the model {retired} or Permission denied'"
    return (Note("model", "model", f"sent as {model!r}", why, f"write model={model!r}, or another current id"),)


PURPOSES = frozenset({"file-extract", "image", "video", "batch", "batch_output", "lambda"})
"""Purposes of a file that Kimi accepts, by the text of its own error."""


def shape_upload(body: Body) -> Shaped:
    """The nearest upload that Kimi accepts: a purpose of OpenAI's is `file-extract`, `vision` is `image`.

    >>> shape_upload({"purpose": "assistants"}).body
    {'purpose': 'file-extract'}
    """
    purpose = body.get("purpose")
    if not isinstance(purpose, str) or purpose in PURPOSES:
        return Shaped(dict(body), ())
    near = "image" if purpose == "vision" else "file-extract"
    why = f"Kimi answers 400 'Invalid purpose: {purpose}, only `file-extract`, `batch`, ... accepted'"
    fix = "write purpose='file-extract' for documents, 'image' or 'video' for media (kimi_openai.upload_media)"
    note = Note("purpose", "purpose", f"sent as {near!r}", why, fix)
    return Shaped({**body, "purpose": near}, (note,))
