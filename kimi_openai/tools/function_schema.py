"""Tools of Python functions: the schema comes from signature and docstring, or from the caller's definition.

The arguments of a call are checked against it and bound to the function's parameters. `arguments` reads them, `turn`
runs the functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast, get_type_hints

import pydantic

from kimi_openai._internal.json_values import Json, as_dict
from kimi_openai.mfjs.convert import to_mfjs
from kimi_openai.mfjs.names import with_names

from .arguments import Arguments, ArgumentsError, read_arguments, sentence
from .docstrings import parse_docstring
from .json_schema import schema_problems

__all__ = ["Tool", "ToolLike", "tools_by_name", "whole_definition"]

Bind = Callable[[Arguments], inspect.BoundArguments]
"""Makes a function's arguments of a call's. Raises `ArgumentsError` if they do not fit."""


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: `definition` is sent to Kimi, `run` is called with the arguments that `bind` makes of a call's.

    `schema` is what the arguments look like, in MFJS; an empty one says nothing.
    """

    name: str
    definition: Json
    run: Callable[..., Any]
    bind: Bind
    schema: Json

    def read(self, text: str) -> Arguments:
        """The arguments of a call. Raises `ArgumentsError` if they are not a JSON object."""
        return read_arguments(text, self.schema)


ToolLike = Callable[..., Any] | tuple[Json, Callable[..., Any]] | Json | Tool
"""A function; a pair of a definition (whole, or only its `function`) and a function; a `builtin_function` of Kimi; or
one of `formula_tools`."""


def tools_by_name(tools: Iterable[ToolLike]) -> dict[str, Tool]:
    """The tools by name. Raises `ValueError` if two tools have the same name, or one cannot run.

    >>> def add(a: int, b: int = 1) -> int:
    ...     '''Add two numbers.'''
    >>> tools_by_name([add])["add"].definition["function"]["parameters"]["required"]
    ['a']
    """
    by_name: dict[str, Tool] = {}
    for each in tools:
        tool = each if isinstance(each, Tool) else _tool(each)
        if tool.name in by_name:
            raise ValueError(f"two tools are named {tool.name!r} (400 'function name ... is duplicated')")
        by_name[tool.name] = tool
    return by_name


def _tool(given: Callable[..., Any] | tuple[Json, Callable[..., Any]] | Json) -> Tool:
    if callable(given):
        return _from_signature(given)
    schema, function = given if isinstance(given, tuple) else (given, None)
    definition = whole_definition(schema)
    if definition["type"] == "builtin_function":
        return Tool(definition["function"]["name"], definition, _echo, _bind_echo, {})
    if function is None:
        raise ValueError("a tool's definition needs its callable: (definition, callable); only a builtin runs at Kimi")
    name, parameters = definition["function"]["name"], as_dict(definition["function"].get("parameters"))
    bind = _bind_to_signature(function, parameters)
    return Tool(name, definition, function, bind, _mfjs_or_nothing(parameters))


def whole_definition(given: Json) -> Json:
    """The definition of a tool, also if only its `function` is given."""
    return given if "type" in given and "function" in given else {"type": "function", "function": given}


def _mfjs_or_nothing(parameters: Json) -> Json:
    try:
        return _mfjs(parameters)
    except ValueError:  # `compat` refuses the request, or Kimi does
        return {}


def _mfjs(schema: Json) -> Json:
    """The schema in Kimi's dialect, with the caller's names: the client maps those that Kimi refuses both ways."""
    converted = to_mfjs(schema)
    return with_names(converted.schema, converted.names)


def _from_signature(function: Callable[..., Any]) -> Tool:
    name: str = getattr(function, "__name__", type(function).__name__)
    if not name.isidentifier():
        raise ValueError(f"{name!r} cannot be a tool: it has no name; pass (definition, callable) instead")
    description, parameters = parse_docstring(inspect.getdoc(function) or "")
    signature = inspect.signature(function)
    model = _arguments_model(name, function, signature, parameters)
    schema = _mfjs(model.model_json_schema())
    definition = {"name": name, "description": description, "parameters": schema}
    bind = _bind_to_model(model, signature)
    return Tool(name, {"type": "function", "function": definition}, function, bind, schema)


def _arguments_model(
    name: str, function: Callable[..., Any], signature: inspect.Signature, descriptions: Mapping[str, str]
) -> type[pydantic.BaseModel]:
    """The parameters as a pydantic model, with numbered fields: a parameter may have a name that pydantic reserves."""
    annotated = function if inspect.isroutine(function) else type(function).__call__
    hints = get_type_hints(annotated, include_extras=True)
    fields: dict[str, Any] = {}
    for position, (key, parameter) in enumerate(signature.parameters.items()):
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise ValueError(f"{name} takes *{key}, which no schema can describe; pass (schema, callable) instead")
        default = ... if parameter.default is parameter.empty else parameter.default
        about: dict[str, Any] = {"description": descriptions[key]} if key in descriptions else {}
        fields[f"field{position}"] = (hints.get(key, Any), pydantic.Field(default, alias=key, **about))
    create: Any = pydantic.create_model
    return cast("type[pydantic.BaseModel]", create(name, __config__=pydantic.ConfigDict(extra="forbid"), **fields))


def _bind_to_model(model: type[pydantic.BaseModel], signature: inspect.Signature) -> Bind:
    def bind(arguments: Arguments) -> inspect.BoundArguments:
        try:
            checked = model.model_validate_json(arguments.text)
        except pydantic.ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            raise ArgumentsError(sentence(map(_pydantic_problem, problems))) from error
        values = {key: getattr(checked, f"field{position}") for position, key in enumerate(signature.parameters)}
        return inspect.BoundArguments(signature, cast(Any, values))

    return bind


def _pydantic_problem(problem: Mapping[str, Any]) -> str:
    place = ".".join(map(str, problem["loc"]))
    return f"{place}: {problem['msg']}" if place else str(problem["msg"])


def _bind_to_signature(function: Callable[..., Any], parameters: Json) -> Bind:
    signature = inspect.signature(function)

    def bind(arguments: Arguments) -> inspect.BoundArguments:
        problems = schema_problems(arguments.values, parameters)
        if problems:
            raise ArgumentsError(sentence(problems))
        try:
            return signature.bind(**arguments.values)
        except TypeError as error:
            raise ArgumentsError(str(error)) from error

    return bind


def _echo(arguments: str) -> str:
    """The result of a builtin: its arguments as they came, since Kimi runs it (platform docs, web search guide)."""
    return arguments


def _bind_echo(arguments: Arguments) -> inspect.BoundArguments:
    return inspect.signature(_echo).bind(arguments.text)
