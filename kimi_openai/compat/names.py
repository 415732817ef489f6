"""Names that Kimi refuses, of tools and of properties, and the names that a request has instead.

The rules find them (`Renamed`), and `pipeline` calls `with_kimi_names` last, when the request has Kimi's form
otherwise. `answers` puts the caller's names back. `responses.names` does the same for a Responses request.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_array, is_object
from kimi_openai.errors.exceptions import Note
from kimi_openai.mfjs.names import Names

from .answers import AnswerNames
from .rule import Body, Changes, Message, Renamed, fatal

__all__ = ["NewNames", "bad_tool_name", "kimi_tool_name", "new_names", "refused_rename", "with_kimi_names"]

LONGEST = 64
"""Characters in a tool name that every version of the docs allows."""

_is_good = re.compile("[a-zA-Z_][a-zA-Z0-9_-]*").fullmatch


def bad_tool_name(name: str, *, longest: int = LONGEST) -> str | None:
    """Why Kimi would refuse a tool of this name, `None` if it would not. Source: platform docs, chat page, 2026-09-03.

    >>> bad_tool_name("get_weather"), bad_tool_name("fs.read")
    (None, "'.' is not allowed in a tool name, only letters, digits, '_' and '-' are")
    """
    if _is_good(name) and len(name) <= longest:
        return None
    if not name:
        return "a tool name cannot be empty"
    if not re.match("[a-zA-Z_]", name):
        return f"a tool name starts with a letter or '_', not with {name[0]!r}"
    if odd := re.search("[^a-zA-Z0-9_-]", name):
        return f"{odd[0]!r} is not allowed in a tool name, only letters, digits, '_' and '-' are"
    return f"a tool name has at most {longest} characters, not {len(name)}"


def kimi_tool_name(name: str, taken: Iterable[str]) -> str:
    """A name that Kimi accepts for a tool, and that is not taken. It does not change while the other tools change,
    unless another tool has that name.

    >>> kimi_tool_name("fs.read", ()), kimi_tool_name("2nd", ["_2nd"]), kimi_tool_name("long" * 20, ())[-16:]
    ('fs_read', '_2nd_2', 'longlon_5aa1dce7')
    """
    base = re.sub("[^a-zA-Z0-9_-]", "_", name)
    base = base if re.match("[a-zA-Z_]", base) else f"_{base}"
    if len(base) > LONGEST:
        base = f"{base[: LONGEST - 9]}_{hashlib.sha256(name.encode(errors='replace')).hexdigest()[:8]}"
    found, count = base, 1
    while found in taken:
        count += 1
        found = f"{base[: LONGEST - 4]}_{count}"
    return found


@dataclass(frozen=True, slots=True)
class NewNames:
    """The names that Kimi gets: of tools, by the caller's; of properties, by Kimi's name of their tool; of properties
    in a JSON answer. `notes` say what got another name."""

    tools: Mapping[str, str]
    arguments: Mapping[str, Names]
    content: Names | None
    notes: tuple[Note, ...]

    @property
    def in_answers(self) -> AnswerNames:
        """What to replace in the answers."""
        return AnswerNames({new: old for old, new in self.tools.items()}, self.arguments, self.content)


def new_names(renamed: Iterable[Renamed], taken: Iterable[str], *, longest: int = LONGEST) -> NewNames:
    """Kimi's names for what the rules have found. `taken` are the names of all tools of the request, and a tool name
    has `longest` characters at most."""
    renamed, taken = [*renamed], {*taken}
    sent: dict[str, str] = {}
    for each in renamed:
        if each.tool is not None and each.tool not in sent and bad_tool_name(each.tool, longest=longest):
            sent[each.tool] = kimi_tool_name(each.tool, taken)
            taken.add(sent[each.tool])
    arguments = {sent.get(each.tool, each.tool): each.names for each in renamed if each.tool is not None and each.names}
    content = next((each.names for each in renamed if each.tool is None), None)
    notes = tuple(note for each in renamed if each.is_offered for note in _notes(each, sent, longest))
    return NewNames(sent, arguments, content, notes)


def with_kimi_names(body: Body, renamed: Iterable[Renamed]) -> tuple[Changes, AnswerNames]:
    """The changes that put Kimi's names into a chat body, and what to replace in its answers."""
    new = new_names(renamed, _tool_names(body))
    notes = [*new.notes]
    last = as_dict((as_list(body.get("messages")) or [None])[-1])
    if new.content is not None and last.get("partial"):
        listed = ", ".join(map(repr, new.content.old_by_new.values()))
        why = f"its schema has properties that Kimi refuses ({listed}), and a text that has begun cannot be renamed"
        notes.append(fatal("property_name", "response_format", why, "rename the properties, or drop partial"))
    return Changes(_fields(body, new), tuple(notes)), new.in_answers


def refused_rename(note: Note) -> Note:
    """A note of `with_kimi_names`, for a request whose answers the client does not see: the names are refused."""
    return fatal(note.kind, note.where, f"{note.why}, and these answers would not have your name again", note.fix)


def _tool_names(body: Body) -> Iterator[str]:
    """The names of all tools that are offered or called in a body."""
    messages = [as_dict(message) for message in as_list(body.get("messages"))]
    for holder, key in [(body, "tools"), *((message, key) for message in messages for key in ("tools", "tool_calls"))]:
        for each in as_list(holder.get(key)):
            name = as_dict(as_dict(each).get("function")).get("name")
            if isinstance(name, str):
                yield name


def _notes(renamed: Renamed, sent: Mapping[str, str], longest: int) -> Iterator[Note]:
    problem = None if renamed.tool is None else bad_tool_name(renamed.tool, longest=longest)
    if problem:
        change = f"{renamed.tool!r} is sent as {sent[str(renamed.tool)]!r}; answers name it as you do"
        yield Note("tool_name", f"{renamed.where}.name", change, problem, "rename the tool")
    if renamed.names is not None:
        pairs = ", ".join(f"{old!r} as {new!r}" for new, old in renamed.names.old_by_new.items())
        why = f"Kimi's validator refuses properties named {', '.join(map(repr, renamed.names.old_by_new.values()))}"
        change = f"properties are sent under other names ({pairs}); answers have yours"
        yield Note("property_name", renamed.where, change, why, "rename the properties")


def _fields(body: Body, names: NewNames) -> dict[str, Any]:
    """The fields of a body with Kimi's names in them."""

    def named(each: Any) -> Any:
        """A tool, a call or a choice with Kimi's name of its function."""
        function = as_dict(each).get("function")
        name = as_dict(function).get("name")
        if not is_object(each) or not is_object(function) or not isinstance(name, str):
            return each
        new = {**function, "name": names.tools.get(name, name)}
        if isinstance(function.get("arguments"), str) and new["name"] in names.arguments:
            new["arguments"] = names.arguments[new["name"]].to_kimi(function["arguments"])
        return each if new == function else {**each, "function": new}

    fields: dict[str, Any] = {}
    if is_array(body.get("tools")):
        fields["tools"] = [named(tool) for tool in body["tools"]]
    if is_object(body.get("tool_choice")):
        fields["tool_choice"] = named(body["tool_choice"])
    if is_array(body.get("messages")):
        fields["messages"] = [_message(message, named, names.tools) for message in body["messages"]]
    return fields


def _message(message: Any, named: Callable[[Any], Any], sent: Mapping[str, str]) -> Any:
    if not is_object(message):
        return message
    new: Message = {
        key: [named(each) for each in message[key]] for key in ("tools", "tool_calls") if is_array(message.get(key))
    }
    if message.get("role") == "tool" and message.get("name") in sent:
        return {**message, **new, "name": sent[message["name"]]}
    return {**message, **new} if new else message
