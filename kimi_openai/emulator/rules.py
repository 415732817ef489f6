"""What Kimi refuses in a chat body: the order of checks is the table at the end, each check a pure function.

The order is inferred, none is documented: type, model, pinned sampling, thinking, messages, tools, response format,
tool choice, stop, length. Texts are the platform's where a source shows them; else they begin like its others.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from kimi_openai.models import ToolChoice

from .behaviour import Behaviour
from .message_rules import Scene, message_problem
from .mfjs import mfjs_problem
from .reading import choice_kind, facts_of, functions, messages_of, prompt_tokens, thinks, tools_of
from .shapes import illegal, invalid
from .wire import Json, Problem, is_array, is_object

__all__ = ["broken_rule"]

TOOL_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_-]{0,127}", re.ASCII)


def _model(body: Json, behaviour: Behaviour) -> Problem | None:
    if body["model"] in behaviour.models:
        return None
    return Problem(f"Not found the model {body['model']} or Permission denied", "resource_not_found_error", 404)


def _sampling(body: Json, behaviour: Behaviour) -> Problem | None:
    """Any value but the pinned one is refused; the number is written `1`, not `1.0`."""
    facts = facts_of(body)
    pins = facts.sampling if thinks(body, behaviour) else facts.sampling_off
    for name, pin in pins.items():
        if body.get(name) is not None and body[name] != pin:
            return Problem(f"invalid {name}: only {pin:g} is allowed for this model")
    return None


def _thinking(body: Json, behaviour: Behaviour) -> Problem | None:
    facts, thinking = facts_of(body), body.get("thinking")
    if not is_object(thinking):
        return None
    kind, keep = thinking.get("type", "enabled"), thinking.get("keep")
    fixed = facts.thinking == "always" and (facts.control == "thinking" or behaviour.strict_thinking)
    if fixed and kind != "enabled":
        return Problem("invalid thinking: only type=enabled is allowed for this model")
    if facts.control != "thinking":
        return None
    if kind not in ("enabled", "disabled"):
        return Problem("invalid thinking: only type=enabled or type=disabled is allowed for this model")
    if keep not in facts.keeps:
        return Problem("invalid thinking: only keep=all or keep=null is allowed for this model")
    extra = next((key for key in thinking if key not in ("type", "keep")), None)
    return Problem(f"invalid thinking: {extra} is not allowed for this model") if extra else None


def _effort(body: Json, behaviour: Behaviour) -> Problem | None:
    """K2.x refuses only "none"; K3 was seen to swallow anything, and the strict reading takes its three values."""
    facts, effort = facts_of(body), body.get("reasoning_effort")
    if facts.control == "thinking" and effort == "none":
        return Problem('reasoning_effort value "none" is not supported')
    if effort is not None and behaviour.strict_thinking and facts.efforts and effort not in facts.efforts:
        return Problem(f'reasoning_effort value "{effort}" is not supported')
    return None


def _messages(body: Json, behaviour: Behaviour) -> Problem | None:
    return message_problem(Scene(body["messages"], facts_of(body), thinks(body, behaviour), behaviour))


def _tools(body: Json, behaviour: Behaviour) -> Problem | None:
    names: set[str] = set()
    for holder in (body, *messages_of(body)):
        for tool in holder.get("tools") or ():
            problem = _tool(tool, behaviour)
            if problem:
                return problem
            name = tool["function"]["name"]
            if name in names:
                return Problem(f"function name {name} is duplicated")
            names.add(name)
    return None


def _tool(tool: Any, behaviour: Behaviour) -> Problem | None:
    if not is_object(tool):
        return illegal("tools", "object", tool)
    kind, function = tool.get("type"), tool.get("function")
    if kind not in ("function", "builtin_function"):
        return invalid(f"unknown tool type: {kind}")
    if not is_object(function):
        return illegal("tools.function", "object", function)
    name = function.get("name")
    if not isinstance(name, str) or not TOOL_NAME.fullmatch(
        name.removeprefix("$") if kind == "builtin_function" else name
    ):
        return invalid(f"function name {name} is invalid, it must match {TOOL_NAME.pattern}")
    if not isinstance(function.get("strict", True), bool | None):
        return illegal("tools.function.strict", "bool", function["strict"])
    return None if kind == "builtin_function" else _parameters(function.get("parameters"), behaviour)


def _parameters(parameters: Any, behaviour: Behaviour) -> Problem | None:
    if parameters is not None and not is_object(parameters):
        return illegal("tools.function.parameters", "object", parameters)
    details = mfjs_problem(parameters or {}, level=behaviour.mfjs) if behaviour.mfjs != "off" else None
    if details:
        return Problem(f"tools.function.parameters is not a valid moonshot flavored json schema, details: <{details}>")
    if not parameters or parameters.get("type") != "object":
        return Problem('tools.function.parameters.type is required and must be "object"')
    return None


def _response_format(body: Json, behaviour: Behaviour) -> Problem | None:
    wanted = body.get("response_format")
    if wanted is None or wanted.get("type") in ("text", "json_object"):
        return None
    if wanted.get("type") != "json_schema":
        return invalid(f"unknown response_format.type: {wanted.get('type')}")
    return _json_schema(wanted.get("json_schema"), behaviour)


def _json_schema(wanted: Any, behaviour: Behaviour) -> Problem | None:
    at = "response_format.json_schema"
    if wanted is None:
        return Problem(f"missing required parameter: {at}")
    if not is_object(wanted):
        return illegal(at, "object", wanted)
    for field in ("name", "schema"):
        if wanted.get(field) in (None, ""):
            return Problem(f"missing required parameter: {at}.{field}")
    if not is_object(wanted["schema"]):
        text = f"the `{at}.schema` field in the request (expected type dict[string,interface]) is illegal..."
        return invalid(text)
    if not isinstance(wanted.get("strict"), bool | None):
        return illegal(f"{at}.strict", "bool", wanted["strict"])
    if not behaviour.mfjs_response_format or wanted.get("strict") is False or behaviour.mfjs == "off":
        return None
    details = mfjs_problem(wanted["schema"], level=behaviour.mfjs)
    return (
        Problem(f"{at}.schema is not a valid moonshot flavored json schema, details: <{details}>") if details else None
    )


CHOICES: tuple[ToolChoice, ...] = ("auto", "none", "required", "named")


def _tool_choice(body: Json, behaviour: Behaviour) -> Problem | None:
    """`specified` is the word of the server for the object form."""
    kind, facts = choice_kind(body), facts_of(body)
    choice = next((known for known in CHOICES if known == kind), None)
    if choice is None or (body.get("tool_choice") == "named"):
        return invalid(f"unknown tool_choice: {body['tool_choice']}")
    if choice not in (facts.tool_choices if thinks(body, behaviour) else facts.tool_choices_off):
        word = "specified" if choice == "named" else choice
        return Problem(f"tool_choice '{word}' is incompatible with thinking enabled")
    if choice == "required" and not any(tools_of(body)):
        return invalid("tool_choice 'required' needs tools")
    return _named(body) if choice == "named" else None


def _named(body: Json) -> Problem | None:
    function = body["tool_choice"].get("function")
    name = function.get("name") if is_object(function) else None
    if any(offered.get("name") == name for offered in functions(body)):
        return None
    return invalid(f"tool_choice names a tool that is not offered: {name}")


def _stop(body: Json, _: Behaviour) -> Problem | None:
    stop = body.get("stop")
    stops: list[Any] = stop if is_array(stop) else [] if stop is None else [stop]
    if len(stops) > 5:
        return Problem(f"stop array too long. Expected an array with maximum length 5, but got {len(stops)}")
    for text in stops:
        if not isinstance(text, str):
            return illegal("stop", "string", text)
        if len(text.encode()) > 32:
            return invalid("a stop text is longer than 32 bytes")
    return None


def _logprobs(body: Json, _: Behaviour) -> Problem | None:
    top = body.get("top_logprobs")
    if top is not None and (not body.get("logprobs") or not 0 <= top <= 20):
        return invalid("top_logprobs must be between 0 and 20 and needs logprobs")
    return None


def _length(body: Json, behaviour: Behaviour) -> Problem | None:
    """Prompt and asked-for output together must fit the context; a budget left out is cut to fit instead."""
    limit = facts_of(body).context_length
    asked = body.get("max_completion_tokens")
    asked = body.get("max_tokens") if asked is None else asked
    if asked is not None and asked < 1:
        return invalid("max_completion_tokens must be at least 1")
    total = prompt_tokens(body, behaviour) + (asked or 0)
    if limit is None or total <= limit:
        return None
    return invalid(f"Your request exceeded model token limit: {limit} (requested: {total})")


Check = Callable[[Json, Behaviour], "Problem | None"]

ESTIMATE: tuple[Check, ...] = (_model, _messages)
ALL: tuple[Check, ...] = (
    _model, _sampling, _thinking, _effort, _messages, _tools, _response_format, _tool_choice, _stop, _logprobs, _length
)  # fmt: skip


def broken_rule(body: Json, behaviour: Behaviour, *, estimate: bool = False) -> Problem | None:
    """The first rule that a well-formed body breaks, or `None`; an estimate asks only for model and messages."""
    return next((p for check in (ESTIMATE if estimate else ALL) if (p := check(body, behaviour))), None)
