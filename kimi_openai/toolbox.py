"""Python callables as tools: a schema from the signature and the docstring, arguments checked against it, results as
messages.

Pure but for calling what the user gave. `tools.py` asks Kimi and decides when something runs.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_type_hints

import pydantic
import pydantic_core

from .docstrings import described_parameters
from .schemas import bad_tool_name, to_mfjs

__all__ = ["BadArguments", "Tool", "ToolLike", "result_text", "tool_message", "toolbox"]

Json = Mapping[str, Any]
ToolLike = Callable[..., Any] | tuple[Json, Callable[..., Any]] | Json
"""A callable; a tool's definition (whole, or only its `function`) with a callable; or a `builtin_function` of
Kimi's."""


class BadArguments(ValueError):
    """Arguments that are no JSON object or do not fit; the text is for the model."""


@dataclass(frozen=True, slots=True)
class Tool:
    """`definition` is what is sent; `run` is called with what `bind` makes of a call's arguments, and is `None` for a
    builtin."""

    name: str
    definition: Json
    run: Callable[..., Any] | None
    bind: Callable[[str], inspect.BoundArguments]


def toolbox(tools: Iterable[ToolLike]) -> dict[str, Tool]:
    """The tools by name. Raises `ValueError` for a name that Kimi refuses, or that is there twice.

    >>> def add(a: int, b: int = 1) -> int:
    ...     '''Add two numbers.'''
    >>> toolbox([add])["add"].definition["function"]["parameters"]["required"]
    ['a']
    """
    found: dict[str, Tool] = {}
    for each in tools:
        tool = _tool(each)
        if tool.name in found:
            raise ValueError(f"two tools are named {tool.name!r} (400 'function name ... is duplicated')")
        found[tool.name] = tool
    return found


def _tool(given: ToolLike) -> Tool:
    if callable(given):
        return _from_signature(given)
    schema, function = given if isinstance(given, tuple) else (given, None)
    definition: Json = schema if "type" in schema and "function" in schema else {"type": "function", "function": schema}
    if definition["type"] == "builtin_function":
        return Tool(definition["function"]["name"], definition, None, _any_arguments)
    if function is None:
        raise ValueError("a tool's definition needs its callable: (definition, callable); only a builtin runs at Kimi")
    return Tool(_named(definition["function"]["name"]), definition, function, _bound_as_is(function))


def _named(name: str) -> str:
    problem = bad_tool_name(name)
    if problem:
        raise ValueError(f"{name!r} cannot be a tool: {problem}")
    return name


def _from_signature(function: Callable[..., Any]) -> Tool:
    name = _named(getattr(function, "__name__", type(function).__name__))
    about, described = described_parameters(inspect.getdoc(function) or "")
    signature = inspect.signature(function)
    model = _arguments_model(name, function, signature, described)
    parameters = to_mfjs(model.model_json_schema()).schema
    definition = {"name": name, "description": about, "parameters": parameters}
    return Tool(name, {"type": "function", "function": definition}, function, _bound_by(model, signature))


def _arguments_model(
    name: str, function: Callable[..., Any], signature: inspect.Signature, described: Mapping[str, str]
) -> type[pydantic.BaseModel]:
    """The parameters as a model. Its fields have names of no meaning, so that a parameter may be called `schema`."""
    of_what = function if inspect.isroutine(function) else type(function).__call__
    hints = get_type_hints(of_what, include_extras=True)
    fields: dict[str, Any] = {}
    for position, (key, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ValueError(f"{name} takes *{key}, which no schema can describe; pass (schema, callable) instead")
        default = ... if parameter.default is parameter.empty else parameter.default
        about: Any = described.get(key)
        field = pydantic.Field(default, alias=key, description=about) if about else pydantic.Field(default, alias=key)
        fields[f"field{position}"] = (hints.get(key, Any), field)
    create: Any = pydantic.create_model
    return cast("type[pydantic.BaseModel]", create(name, __config__=pydantic.ConfigDict(extra="forbid"), **fields))


def _bound_by(model: type[pydantic.BaseModel], signature: inspect.Signature) -> Callable[[str], inspect.BoundArguments]:
    def bind(arguments: str) -> inspect.BoundArguments:
        try:
            checked = model.model_validate_json(arguments or "{}")
        except pydantic.ValidationError as error:
            problems = (
                ".".join(map(str, problem["loc"])) + ": " * bool(problem["loc"]) + problem["msg"]
                for problem in error.errors(include_url=False, include_context=False, include_input=False)
            )
            raise BadArguments("; ".join(problems)) from error
        given = {key: getattr(checked, f"field{position}") for position, key in enumerate(signature.parameters)}
        return inspect.BoundArguments(signature, cast(Any, given))

    return bind


def _bound_as_is(function: Callable[..., Any]) -> Callable[[str], inspect.BoundArguments]:
    signature = inspect.signature(function)

    def bind(arguments: str) -> inspect.BoundArguments:
        try:
            return signature.bind(**_object(arguments))
        except TypeError as error:
            raise BadArguments(str(error)) from error

    return bind


def _any_arguments(arguments: str) -> inspect.BoundArguments:
    given = inspect.Signature([inspect.Parameter("arguments", inspect.Parameter.VAR_KEYWORD)])
    return given.bind(**_object(arguments))


def _object(arguments: str) -> dict[str, Any]:
    try:
        given: Any = json.loads(arguments or "{}")
    except ValueError as error:
        raise BadArguments(f"the arguments are not valid JSON: {error}") from error
    if not isinstance(given, dict):
        raise BadArguments("the arguments are not a JSON object")
    return cast("dict[str, Any]", given)


def result_text(result: object) -> str:
    """What a tool returned, as the text that is sent: a string as it is, anything else as JSON.

    >>> result_text("sunny"), result_text({"é": 1}), result_text(None)
    ('sunny', '{"é":1}', 'null')
    """
    return result if isinstance(result, str) else pydantic_core.to_json(result, fallback=str).decode()


def tool_message(call: Json, content: str) -> dict[str, Any]:
    """The message that answers a call. A builtin's also has its name, as in the platform's web search guide."""
    message = {"role": "tool", "tool_call_id": call["id"], "content": content}
    return {**message, "name": call["function"]["name"]} if call.get("type") == "builtin_function" else message
