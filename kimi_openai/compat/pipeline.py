"""The rules in the order in which they apply, and the function that applies them.

Pure: nothing is sent, nothing that was passed is changed, what needs no change is shared with the result, and a second
pass changes nothing. `adapt` decides what to do with the notes.

To add a rule, write a function in the module of its field, list it in `RULES` or `MESSAGE_RULES`, and add a row to the
list in `kimi_openai/compat/__init__.py` with an example in tests/compat/adaptation_examples.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import UNKNOWN, facts

from . import parameters
from .answers import AnswerNames
from .batches import batch
from .content import content_parts
from .functions import function_call, function_result, functions
from .messages import developer_role, empty_message, messages, openai_answer
from .model import model_name
from .names import refused_rename, with_kimi_names
from .reasoning import reasoning_content, reasoning_effort, thinking
from .response_format import response_format
from .rule import REMOVE, Body, Changes, MessageRule, Renamed, Rule
from .sampling import sampling
from .spelling import foreign_names, misspelt_names
from .tool_calls import tool_calls, tool_result
from .tool_choice import allowed_tools, possible_choice, tool_choice
from .tools import message_tools, moved_message_tools, tools
from .uploads import purpose

__all__ = ["MESSAGE_RULES", "RULES", "Shaped", "shape", "shape_batch", "shape_upload"]

MESSAGE_RULES: Mapping[str, tuple[MessageRule, ...]] = {
    "system": (message_tools, content_parts, empty_message),
    "developer": (developer_role, message_tools, content_parts, empty_message),
    "user": (content_parts, empty_message),
    "assistant": (openai_answer, function_call, tool_calls, reasoning_content, content_parts, empty_message),
    "tool": (content_parts, tool_result),
    "function": (function_result, content_parts, tool_result),
}
"""The rules for a message of each role, in order."""

RULES: tuple[Rule, ...] = (
    Rule(foreign_names),
    Rule(functions, any_model=True),
    Rule(moved_message_tools),
    Rule(tools, any_model=True),
    Rule(reasoning_effort),
    Rule(thinking),
    Rule(allowed_tools, any_model=True),
    Rule(possible_choice),
    Rule(tool_choice),  # may disable thinking, which changes the accepted sampling values and the messages
    Rule(sampling),
    Rule(parameters.max_tokens),
    Rule(parameters.max_completion_tokens),
    Rule(parameters.user),
    Rule(parameters.openai_only),
    Rule(parameters.stop),
    Rule(parameters.stream_options),
    Rule(parameters.prediction),
    Rule(parameters.prompt_cache_options),
    Rule(misspelt_names),
    Rule(response_format, any_model=True),
    Rule(partial(messages, rules=MESSAGE_RULES), any_model=True),
)
"""The rules for the body of a chat request, in order: each one sees what the rules before it have changed."""


@dataclass(frozen=True, slots=True)
class Shaped:
    """A body that Kimi accepts, unless a note is fatal, the notes on what changed, and names to restore in answers."""

    body: dict[str, Any]
    notes: tuple[Note, ...]
    names: AnswerNames | None = None


def shape(
    body: Body,
    *,
    aliases: Mapping[str, str] | None = None,
    are_answers_ours: bool = True,
    rules: Iterable[Rule] = RULES,
    put_names: Callable[[Body, Iterable[Renamed]], tuple[Changes, AnswerNames]] = with_kimi_names,
) -> Shaped:
    """The nearest request that Kimi accepts, by the facts about its model.

    `rules` are those of its endpoint; `put_names` puts other names for those that Kimi refuses.

    `aliases` maps model ids to others and is applied first. Unless `are_answers_ours`, names that would have to be put
    back in the answers are refused. For a model of no known family, only the rules of the
    endpoint apply (roles, tools, content parts); its parameters stay as they are. A change that loses nothing has no
    note: an alias, the spelling of a schema, nulls and the SDK's own fields in replayed messages.

    >>> shaped = shape({"model": "kimi-k3", "temperature": 0.2, "messages": [{"role": "user", "content": "Hi"}]})
    >>> shaped.body
    {'model': 'kimi-k3', 'messages': [{'role': 'user', 'content': 'Hi'}]}
    >>> print(shaped.notes[0].why)
    Kimi answers 400 'invalid temperature: only 1 is allowed for this model'
    """
    new = dict(body)
    notes: list[Note] = []
    if (changes := model_name(new, aliases or {})) is not None:
        notes += _apply(changes, new)
    model = facts(new["model"]) if isinstance(new.get("model"), str) else UNKNOWN
    is_known = model.is_known
    renamed: tuple[Renamed, ...] = ()
    for rule in rules:
        if (is_known or rule.any_model) and (changes := rule.apply(new, model)) is not None:
            notes += _apply(changes, new)
            renamed += changes.renamed
    if not renamed:
        return Shaped(new, tuple(notes))
    changes, names = put_names(new, renamed)
    if not are_answers_ours:
        changes = replace(changes, notes=tuple(map(refused_rename, changes.notes)))
    notes += _apply(changes, new)
    return Shaped(new, tuple(notes), names)


def shape_upload(body: Body) -> Shaped:
    """The nearest file upload that Kimi accepts.

    >>> shape_upload({"purpose": "assistants"}).body
    {'purpose': 'file-extract'}
    """
    new = dict(body)
    changes = purpose(new)
    return Shaped(new, () if changes is None else _apply(changes, new))


def shape_batch(body: Body) -> Shaped:
    """The nearest creation of a batch that Kimi accepts.

    >>> shape_batch({"completion_window": "1h"}).notes[0].where
    'completion_window'
    """
    new = dict(body)
    changes = batch(new)
    return Shaped(new, () if changes is None else _apply(changes, new))


def _apply(changes: Changes, new: dict[str, Any]) -> tuple[Note, ...]:
    """Makes the changes in the new body, and returns their notes."""
    for name, value in changes.fields.items():
        if value is REMOVE:
            new.pop(name, None)
        else:
            new[name] = value
    return changes.notes
