"""`messages`: which of them Kimi refuses. The rules are checked message by message in the order of `CHECKS`.

Texts are those of user reports and measurements. Where only the refusal is known, the text is the emulator's own and
begins with "Invalid request:". Positions count from 0.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import facts_of, thinks
from kimi_openai.emulator.errors import Problem, invalid_request
from kimi_openai.emulator.json_values import Json, is_array, is_object

from .fields import wrong_type
from .message_context import MessageContext
from .tool_calls import reasoning_problem, tool_calls_problem, tool_result_problem

__all__ = ["messages_problem"]

ROLES = ("system", "user", "assistant", "tool")
DATA_URL = re.compile(r"data:[\w.+-]+/[\w.+-]+;base64,", re.ASCII)


FIELDS: dict[str, tuple[type, str]] = {
    "name": (str, "string"),
    "partial": (bool, "bool"),
    "reasoning_content": (str, "string"),
    "tool_calls": (list, "array"),
    "tool_call_id": (str, "string"),
}
"""Known fields with their JSON types and the platform's words for these."""


def _place(message: Json, position: int) -> str:
    return f"the message at position {position} with role '{message['role']}'"


def _role(message: Json, position: int, _: MessageContext) -> Problem | None:
    if message.get("role") in ROLES:
        return None
    if not isinstance(message.get("role"), str):
        return wrong_type(f"messages[{position}].role", "string", message.get("role"))
    return invalid_request("tokenization failed")


def _dynamic_tools(message: Json, position: int, context: MessageContext) -> Problem | None:
    """Tools in a message: K3 accepts them in a system message without content, K2 nowhere."""
    if "tools" not in message:
        return None
    if context.model.dynamic_tools is False:
        return invalid_request("tokenization failed")
    if message["role"] != "system":
        return invalid_request(f"{_place(message, position)} must not contain tools")
    if message.get("content"):
        return invalid_request(f"tools in the message at position {position} cannot be used with content")
    return None if is_array(message["tools"]) else wrong_type(f"messages[{position}].tools", "array", message["tools"])


def _fields(message: Json, position: int, _: MessageContext) -> Problem | None:
    for field, (kind, name) in FIELDS.items():
        if message.get(field) is not None and not isinstance(message[field], kind):
            return wrong_type(f"messages[{position}].{field}", name, message[field])
    content = message.get("content")
    if content is None or isinstance(content, str) or is_array(content):
        return None
    return wrong_type(f"messages[{position}].content", "string", content)


def _empty(message: Json, position: int, context: MessageContext) -> Problem | None:
    """Every message needs content, except one that calls or brings tools; see `Behaviour.accept_empty_results`.

    A partial message may have `name` or `reasoning_content` instead.
    """
    accepted = _has_content(message.get("content")) or bool(message.get("tool_calls")) or "tools" in message
    if message["role"] == "tool" and context.behaviour.accept_empty_results:
        accepted = accepted or message.get("content") is not None
    if position == len(context.messages) - 1 and message.get("partial") is True:
        accepted = accepted or bool(message.get("name") or message.get("reasoning_content"))
    return None if accepted else invalid_request(f"{_place(message, position)} must not be empty")


def _has_content(content: Any) -> bool:
    if is_array(content):
        return any(is_object(part) and (part.get("type") != "text" or part.get("text")) for part in content)
    return bool(content)


def _parts(message: Json, position: int, context: MessageContext) -> Problem | None:
    content = message.get("content")
    for part in content if is_array(content) else ():
        if not is_object(part):
            return wrong_type(f"messages[{position}].content", "object", part)
        problem = _part(part, message, position, context)
        if problem:
            return problem
    return None


def _part(part: Json, message: Json, position: int, context: MessageContext) -> Problem | None:
    kind, model = part.get("type"), context.model
    accepted = {"text": True, "image_url": model.images is not False, "video_url": model.videos is not False}
    if not accepted.get(str(kind)) or (kind != "text" and message["role"] in ("system", "assistant")):
        return invalid_request(f"{_place(message, position)} contains an invalid part type: {kind}")
    if "prompt_cache_breakpoint" in part:
        return invalid_request("prompt_cache_breakpoint is not supported")
    if kind == "text":
        if not isinstance(part.get("text"), str):
            return wrong_type(f"messages[{position}].content.text", "string", part.get("text"))
        return Problem("text content is empty") if not part["text"] and message.get("tool_calls") else None
    return _media(part, str(kind))


def _media(part: Json, kind: str) -> Problem | None:
    """Media are `data:` URLs or `ms://` references, in an object with `url` or as a bare string."""
    value = part.get(kind)
    url = value.get("url") if is_object(value) else value
    if not isinstance(url, str):
        return wrong_type(kind, "string", url)
    if url.startswith("ms://") or DATA_URL.match(url):
        return None
    return invalid_request(f"unsupported {kind.removesuffix('_url')} url: {url}")


def _partial(message: Json, position: int, context: MessageContext) -> Problem | None:
    misplaced = message.get("partial") and (message["role"] != "assistant" or position != len(context.messages) - 1)
    if misplaced and context.behaviour.partial_elsewhere == "reject":
        return invalid_request(f"partial is not allowed in {_place(message, position)}")
    return None


CHECKS: tuple[Callable[[Json, int, MessageContext], Problem | None], ...] = (
    _role,
    _dynamic_tools,
    _fields,
    _empty,
    _parts,
    reasoning_problem,
    tool_result_problem,
    tool_calls_problem,
    _partial,
)


def messages_problem(body: Json, behaviour: Behaviour) -> Problem | None:
    """The first thing that Kimi refuses in the messages, or None."""
    context = MessageContext(body["messages"], facts_of(body), thinks(body, behaviour), behaviour)
    for position, message in enumerate(context.messages):
        if not is_object(message):
            return wrong_type(f"messages[{position}]", "object", message)
        for check in CHECKS:
            problem = check(message, position, context)
            if problem:
                return problem
    return None
