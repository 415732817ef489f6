"""What Kimi refuses in `messages`: one table of checks, each a pure function to a problem or nothing.

Texts are those of user reports and receipts; where only the refusal is known, the text is the emulator's own and says
"Invalid request:". Positions count from 0 over the whole list.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kimi_openai.models import ModelFacts

from .behaviour import Behaviour
from .shapes import illegal, invalid
from .wire import Json, Problem, is_array, is_object

__all__ = ["Scene", "message_problem"]

ROLES = ("system", "user", "assistant", "tool")
DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,", re.ASCII)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a message is judged by: the list it stands in, its model, whether thinking is on."""

    messages: list[Any]
    model: ModelFacts
    thinking: bool
    behaviour: Behaviour


def _role(message: Json, position: int, _: Scene) -> Problem | None:
    if message.get("role") in ROLES:
        return None
    if not isinstance(message.get("role"), str):
        return illegal(f"messages[{position}].role", "string", message.get("role"))
    return invalid("tokenization failed")


def _dynamic_tools(message: Json, position: int, scene: Scene) -> Problem | None:
    if "tools" not in message:
        return None
    if scene.model.dynamic_tools is False:
        return invalid("tokenization failed")
    if message["role"] != "system":
        return invalid(f"the message at position {position} with role '{message['role']}' must not contain tools")
    if message.get("content"):
        return invalid(f"tools in the message at position {position} cannot be used with content")
    return None if is_array(message["tools"]) else illegal(f"messages[{position}].tools", "array", message["tools"])


def _fields(message: Json, position: int, _: Scene) -> Problem | None:
    expected: dict[str, tuple[type, str]] = {
        "name": (str, "string"),
        "partial": (bool, "bool"),
        "reasoning_content": (str, "string"),
        "tool_calls": (list, "array"),
        "tool_call_id": (str, "string"),
    }
    for field, (kind, name) in expected.items():
        if message.get(field) is not None and not isinstance(message[field], kind):
            return illegal(f"messages[{position}].{field}", name, message[field])
    content = message.get("content")
    if content is None or isinstance(content, str) or is_array(content):
        return None
    return illegal(f"messages[{position}].content", "string", content)


def _says_something(content: Any) -> bool:
    if is_array(content):
        return any(is_object(part) and (part.get("type") != "text" or part.get("text")) for part in content)
    return bool(content)


def _empty(message: Json, position: int, scene: Scene) -> Problem | None:
    """An empty assistant message without calls; a prefix may be empty when `name` or the reasoning so far is there."""
    role, content = message["role"], message.get("content")
    if role == "assistant":
        continued = position == len(scene.messages) - 1 and message.get("partial") is True
        fine = _says_something(content) or message.get("tool_calls")
        fine = fine or (continued and (message.get("name") or message.get("reasoning_content")))
    else:
        fine = content is not None or "tools" in message
    return None if fine else invalid(f"the message at position {position} with role '{role}' must not be empty")


def _parts(message: Json, position: int, scene: Scene) -> Problem | None:
    content = message.get("content")
    for part in content if is_array(content) else ():
        if not is_object(part):
            return illegal(f"messages[{position}].content", "object", part)
        problem = _part(part, message, position, scene)
        if problem:
            return problem
    return None


def _part(part: Json, message: Json, position: int, scene: Scene) -> Problem | None:
    kind, role = part.get("type"), message["role"]
    taken = {"text": True, "image_url": scene.model.images is not False, "video_url": scene.model.videos is not False}
    if not taken.get(str(kind)) or (kind != "text" and role in ("system", "assistant")):
        return invalid(f"the message at position {position} with role '{role}' contains an invalid part type: {kind}")
    if "prompt_cache_breakpoint" in part:
        return invalid("prompt_cache_breakpoint is not supported")
    if kind == "text":
        if not isinstance(part.get("text"), str):
            return illegal(f"messages[{position}].content.text", "string", part.get("text"))
        return Problem("text content is empty") if not part["text"] and message.get("tool_calls") else None
    return _media(part, str(kind))


def _media(part: Json, kind: str) -> Problem | None:
    """Media come as `data:` URLs or `ms://` references, as an object with `url` or as a bare string."""
    given = part.get(kind)
    url = given.get("url") if is_object(given) else given
    if not isinstance(url, str):
        return illegal(kind, "string", url)
    if url.startswith("ms://") or DATA_URL.match(url):
        return None
    return invalid(f"unsupported {kind.removesuffix('_url')} url: {url}")


def _calls(message: Json, position: int, scene: Scene) -> Problem | None:
    """Each call of an assistant message needs one tool message right after it, in any order."""
    calls: list[Any] = message.get("tool_calls") or []
    if message["role"] != "assistant" or not calls:
        return None
    if not all(
        is_object(call) and isinstance(call.get("id"), str) and is_object(call.get("function")) for call in calls
    ):
        return invalid(f"a tool call of the message at position {position} is malformed")
    asked, answered = Counter(call["id"] for call in calls), Counter(_following_ids(scene.messages, position))
    if asked == answered:
        return None
    missing = ", ".join((asked - answered) or (answered - asked))
    strange = next((id for id in answered if id not in asked), None)
    if strange is not None:
        return Problem(f"tool_call_id {strange} is not found")
    return invalid(f"the tool messages after position {position} do not match its tool_calls: {missing}")


def _following_ids(messages: list[Any], position: int) -> list[str]:
    ids: list[str] = []
    for message in messages[position + 1 :]:
        if not is_object(message) or message.get("role") != "tool":
            break
        ids.append(str(message.get("tool_call_id") or ""))
    return ids


def _result(message: Json, position: int, scene: Scene) -> Problem | None:
    """A tool message must answer a call of the assistant message before it."""
    if message["role"] != "tool":
        return None
    before = position - 1
    while before >= 0 and is_object(scene.messages[before]) and scene.messages[before].get("role") == "tool":
        before -= 1
    caller: Any = scene.messages[before] if before >= 0 else None
    has_calls = is_object(caller) and caller.get("role") == "assistant" and caller.get("tool_calls")
    return None if has_calls else Problem(f"tool_call_id {message.get('tool_call_id') or ''} is not found")


def _reasoning(message: Json, position: int, scene: Scene) -> Problem | None:
    """K2.x with thinking on wants the reasoning of a tool call back; K3 does only in the strict reading."""
    if message["role"] != "assistant" or not message.get("tool_calls") or not scene.thinking:
        return None
    wanted = scene.model.needs_reasoning_in_tool_calls and scene.behaviour.require_reasoning
    if not wanted and not (scene.behaviour.strict_thinking and scene.model.control == "reasoning_effort"):
        return None
    reasoning = message.get("reasoning_content")
    if reasoning or (reasoning == "" and scene.behaviour.accept_empty_reasoning):
        return None
    text = f"thinking is enabled but reasoning_content is missing in assistant tool call message at index {position}"
    return Problem(text)


def _partial(message: Json, position: int, scene: Scene) -> Problem | None:
    misplaced = message.get("partial") and (message["role"] != "assistant" or position != len(scene.messages) - 1)
    if misplaced and scene.behaviour.partial_elsewhere == "reject":
        return invalid(f"partial is not allowed in the message at position {position} with role '{message['role']}'")
    return None


CHECKS: tuple[Callable[[Json, int, Scene], Problem | None], ...] = (
    _role, _dynamic_tools, _fields, _empty, _parts, _reasoning, _result, _calls, _partial
)  # fmt: skip


def message_problem(scene: Scene) -> Problem | None:
    """The first thing that Kimi refuses in the messages, message by message, or `None`."""
    for position, message in enumerate(scene.messages):
        if not is_object(message):
            return illegal(f"messages[{position}]", "object", message)
        for check in CHECKS:
            problem = check(message, position, scene)
            if problem:
                return problem
    return None
