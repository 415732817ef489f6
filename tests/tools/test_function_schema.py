"""Function schemas: which tool is made of a function or a definition, and which arguments fit it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pydantic
import pytest

from kimi_openai.tools.arguments import ArgumentsError
from kimi_openai.tools.function_schema import Tool, tools_by_name


class Place(pydantic.BaseModel):
    name: str
    kind: Literal["city", "village"] = "city"


@dataclass
class Trip:
    days: int


def plan(place: Place, /, trip: Trip, *, schema: str | None = None, model_config: int = 0, _tag: str = "") -> str:
    """Plan a trip.

    :param place: Where to.
    :param str schema: A pattern
        of days.
    """
    return f"{place.kind} {trip.days} {schema} {model_config} {_tag}"


def no_arguments() -> None:
    """Takes nothing."""


def any_number(*numbers: int) -> None:
    """Takes any number."""


def bind(tool: Tool, text: str) -> Any:
    """The function's arguments of a call."""
    return tool.bind(tool.read(text))


def test_a_schema_comes_from_signature_and_docstring() -> None:
    """Models, dataclasses, defaults, names that pydantic reserves, and positional parameters."""
    function = tools_by_name([plan])["plan"].definition["function"]
    assert function["description"] == "Plan a trip."
    properties = function["parameters"]["properties"]
    assert list(properties) == ["place", "trip", "schema", "model_config", "_tag"]
    assert properties["schema"]["description"] == "A pattern of days."
    assert function["parameters"]["required"] == ["place", "trip"]


def test_arguments_are_bound_to_the_function() -> None:
    """Values have the types of the signature, and missing ones their defaults."""
    tool = tools_by_name([plan])["plan"]
    bound = bind(tool, '{"place": {"name": "Rome"}, "trip": {"days": 3}, "_tag": "x"}')
    assert tool.run(*bound.args, **bound.kwargs) == "city 3 None 0 x"


def test_json_in_a_text_is_unwrapped_for_a_function() -> None:
    """Where its parameter is a list, a model or a dataclass; a parameter that accepts a text keeps it."""

    def save(places: list[Place], trip: Trip | None, note: str | list[int]) -> str:
        return f"{places[0].name} {trip} {note}"

    tool = tools_by_name([save])["save"]
    bound = bind(tool, '{"places": "[{\\"name\\": \\"Rome\\"}]", "trip": "{\\"days\\": 1}", "note": "[1]"}')
    assert tool.run(*bound.args, **bound.kwargs) == "Rome Trip(days=1) [1]"


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ('{"b": 1}', "missing a required argument: 'a'"),
        ("1", "the arguments are not a JSON object"),
        ("[", "the arguments are not valid JSON: "),
        ("[" * 100_000, "the arguments are "),
    ],
    ids=["other names", "not an object", "not JSON", "nested too deep"],
)
def test_arguments_must_fit_the_function_of_a_definition(arguments: str, problem: str) -> None:
    """The function's signature decides, since the definition has a schema of the caller."""
    tools = tools_by_name([({"type": "function", "function": {"name": "one"}}, lambda a: a)])
    with pytest.raises(ArgumentsError, match=f"^{problem}"):
        bind(tools["one"], arguments)


def test_arguments_must_fit_a_definition() -> None:
    """The problem names the place; what the definition says of arrays and objects unwraps them from texts."""
    days = {"type": "array", "items": {"type": "integer", "minimum": 1}}
    parameters = {"type": "object", "properties": {"days": days}, "required": ["days"]}
    tool = tools_by_name([({"name": "pack", "parameters": parameters}, lambda days: sum(days))])["pack"]
    with pytest.raises(ArgumentsError, match=r"^days\.1: must be at least 1$"):
        bind(tool, '{"days": [1, 0]}')
    with pytest.raises(ArgumentsError, match=r"^days: is required$"):
        bind(tool, "{}")
    bound = bind(tool, '{"days": "[1, 2]"}')
    assert tool.run(*bound.args, **bound.kwargs) == 3


def test_a_definition_that_kimi_refuses_is_still_checked() -> None:
    """Its root is not an object; the request is refused elsewhere."""
    tool = tools_by_name([({"name": "one", "parameters": {"type": "string"}}, lambda: None)])["one"]
    with pytest.raises(ArgumentsError, match="must be a string, not an object"):
        bind(tool, "{}")


@pytest.mark.parametrize(
    ("tools", "problem"),
    [
        ([no_arguments, no_arguments], "two tools are named 'no_arguments'"),
        ([lambda: None], "cannot be a tool"),
        ([any_number], r"takes \*numbers"),
        ([{"type": "function", "function": {"name": "a"}}], "needs its callable"),
    ],
    ids=["same name", "no name", "any number", "no function"],
)
def test_what_cannot_be_a_tool_is_refused(tools: Any, problem: str) -> None:
    """Raises before anything is sent."""
    with pytest.raises(ValueError, match=problem):
        tools_by_name(tools)
