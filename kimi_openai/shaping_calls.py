"""Tool calls in the messages and their answers: legacy forms, lost reasoning, pairs that are none.

Pure. Each step gives the message back, or a new one in its place; `shaping_messages` says which step is for which role.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .changes import Body, Row, as_dict, as_list, fatal, is_object
from .errors import Note
from .models import ModelFacts

__all__ = ["CALL_ROWS", "Scene", "calls", "legacy_answer", "legacy_call", "reasoning", "result", "unpaired"]

Message = dict[str, Any]

NOT_KEPT = "(not kept)"
"""For lost reasoning: reports conflict on whether an empty text is enough, and none says that a short one is not."""


@dataclass(slots=True)
class Scene:
    """The walk along the messages: the model, whether it thinks, where we are, and the calls that were made last."""

    known: ModelFacts
    thinking: bool
    notes: list[Note] = field(default_factory=list[Note])
    place: int = 0
    open_calls: list[tuple[str, Any]] = field(default_factory=list[tuple[str, Any]])
    tools_used: bool = False

    def note(self, kind: str, path: str, change: str, why: str, fix: str) -> None:
        """Write down a change of the current message."""
        self.notes.append(Note(kind, f"messages.{self.place}{path}", change, why, fix))

    def refuse(self, kind: str, path: str, why: str, fix: str) -> None:
        """Write down what cannot be sent."""
        self.notes.append(fatal(kind, f"messages.{self.place}{path}", why, fix))


def legacy_call(message: Message, scene: Scene) -> Message:
    """`function_call` becomes a tool call, whose id says where it stands; beside tool calls it is one of them again."""
    call = message.get("function_call")
    if not is_object(call):
        return message
    kept = {key: value for key, value in message.items() if key != "function_call"}
    if not kept.get("tool_calls"):
        function = {key: value for key, value in call.items() if value is not None and key != "parsed_arguments"}
        kept["tool_calls"] = [{"id": f"call_{scene.place}", "type": "function", "function": function}]
    fix = "replay the answer's message with its tool_calls"
    scene.note("function_call", ".function_call", "sent as tool_calls", "Kimi does not support it", fix)
    return kept


def legacy_answer(message: Message, scene: Scene) -> Message:
    """A `function` message answers the open call of its name."""
    name = message.get("name")
    found = next((call for call in scene.open_calls if call[1] == name), None)
    if found:
        scene.open_calls.remove(found)
    scene.tools_used = True
    fix = "answer a tool call with role 'tool' and its tool_call_id"
    scene.note("function_role", ".role", "sent as 'tool', with the id of the call", "Kimi does not know it", fix)
    return {**message, "role": "tool", "tool_call_id": found[0] if found else ""}


def calls(message: Message, scene: Scene) -> Message:
    """Remember what was called; what Kimi cannot call is refused."""
    made = as_list(message.get("tool_calls"))
    if made:
        scene.tools_used = True
        known = [call for call in map(as_dict, made) if isinstance(call.get("id"), str)]
        scene.open_calls = [(call["id"], as_dict(call.get("function")).get("name")) for call in known]
        for number, call in enumerate(made):
            if as_dict(call).get("type") == "custom":
                why = "Kimi knows calls of type 'function' and 'builtin_function'"
                scene.refuse(
                    "tool_type", f".tool_calls.{number}", why, "write it as a function with one string argument"
                )
    return message


def reasoning(message: Message, scene: Scene) -> Message:
    """A text for the reasoning of a tool call that was not kept, where the model wants it back; "" is kept."""
    if not (scene.thinking and scene.known.needs_reasoning_in_tool_calls and message.get("tool_calls")):
        return message
    if message.get("reasoning_content") is not None:
        return message
    why = (
        "Kimi answers 400 'thinking is enabled but reasoning_content is missing in assistant tool call message at "
        "index ...'"
    )
    fix = "append the answer's message itself, or kimi_openai.replay_message(answer), to the messages"
    scene.note("reasoning_content", ".reasoning_content", f"sent as {NOT_KEPT!r}", why, fix)
    return {**message, "reasoning_content": NOT_KEPT}


def result(message: Message, scene: Scene) -> Message:
    """A tool that gave nothing gave an empty text."""
    scene.tools_used = True
    if message.get("content") is not None:
        return message
    scene.note("empty_result", ".content", "sent as ''", "a message needs content", "write '' or what the tool did")
    return {**message, "content": ""}


def unpaired(shaped: list[Any], places: list[int]) -> Iterator[Note]:
    """Tool messages that answer no call of the message before them, and calls that none of those after them answers."""
    waiting: list[str] = []
    caller = -1
    for place, message in zip(places, map(as_dict, shaped), strict=True):
        if message.get("role") != "tool":
            if waiting:
                yield _unanswered(waiting, caller)
            waiting, caller = _ids(message), place
            continue
        name = message.get("tool_call_id")
        if str(name) in waiting:
            waiting.remove(str(name))
            continue
        why = f"no call of the message before it has that id: Kimi answers 400 'tool_call_id {name or ''} is not found'"
        fix = "append the assistant message with its tool_calls first, then one tool message for each call"
        yield fatal("tool_call_id", f"messages.{place}.tool_call_id", why, fix)
    if waiting:
        yield _unanswered(waiting, caller)


def _ids(message: Body) -> list[str]:
    made = as_list(message.get("tool_calls")) if message.get("role") == "assistant" else ()
    return [str(as_dict(call).get("id")) for call in made]


def _unanswered(waiting: list[str], caller: int) -> Note:
    missing = ", ".join(map(repr, waiting))
    why = f"Kimi answers 400 if a call has no tool message right after it, and {missing} has none"
    fix = "append one tool message for each call before anything else"
    return fatal("tool_calls", f"messages.{caller}.tool_calls", why, fix)


CALL_ROWS = (
    Row("`role: function`, `function_call` in a message", "not supported", "sent as tool message and tool call"),
    Row(
        "a tool call replayed without `reasoning_content`",
        "K2: 400 `thinking is enabled but reasoning_content is missing in assistant tool call message at index N`",
        f"K2: sent with the text `{NOT_KEPT}`",
    ),
    Row(
        "a tool message without its call, a call without its tool message",
        "400 `tool_call_id ... is not found`",
        "`CompatError` that names the place",
    ),
)
