"""The arguments of a call: read from what the model wrote, and unwrapped where it wrote JSON inside a text. Pure.

`function_schema` binds them to the parameters of a function.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from kimi_openai._internal.json_values import Json, as_dict, as_list, is_array, is_dict
from kimi_openai.messages.tool_calls import arguments_object, is_object_text
from kimi_openai.mfjs.references import find

__all__ = ["Arguments", "ArgumentsError", "read_arguments", "sentence", "unwrapped"]

MOST_PROBLEMS = 20
"""How many problems of one call the model is told."""

LONGEST_QUOTE = 1000
"""How many characters of unreadable arguments are shown to the model again."""


class ArgumentsError(ValueError):
    """The arguments of a call are not a JSON object or do not fit the function. The text is for the model."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of a call, as JSON values and as JSON text: the model's own text if it is what the values are."""

    values: Json
    text: str


def read_arguments(text: str, schema: Json) -> Arguments:
    r"""The arguments that the model wrote. `schema` (MFJS) says where JSON inside a text is unwrapped.

    Raises `ArgumentsError` if they are not a JSON object.

    >>> read_arguments('{"tags": "[\\"a\\"]"}', {"type": "object", "properties": {"tags": {"type": "array"}}})
    Arguments(values={'tags': ['a']}, text='{"tags": ["a"]}')
    """
    try:
        values = unwrapped(arguments_object(text), schema, schema)
        if is_object_text(text) and json.loads(text) == values:  # else something was unwrapped, repaired or replaced
            return Arguments(values, text)
        return Arguments(values, json.dumps(values, ensure_ascii=False))
    except RecursionError as error:
        raise ArgumentsError("the arguments are nested too deep") from error
    except ValueError as error:
        quote = text if len(text) <= LONGEST_QUOTE else f"{text[:LONGEST_QUOTE]}..."
        raise ArgumentsError(f"{error}; they were: {quote}") from error


def unwrapped(value: Any, schema: Any, root: Json) -> Any:
    r"""The value with each text that holds an array or object replaced by it, where the schema accepts no text there.

    Moonshot's API is known to answer so (MoonshotAI/kimi-cli#2406, 2026-05-31). `schema` is MFJS, and its references
    start from `root`.

    >>> schema = {"properties": {"tags": {"type": "array"}, "note": {"type": "string"}}, "type": "object"}
    >>> unwrapped({"tags": "[1]", "note": "[1]"}, schema, schema)
    {'tags': [1], 'note': '[1]'}
    """
    accepted = list(_alternatives(schema, root, set()))
    if isinstance(value, str):
        value = _inner(value, {as_dict(each).get("type") for each in accepted})
    if is_dict(value):
        wanted = {name: {"anyOf": list(_of_property(name, accepted))} for name in value}
        return {name: unwrapped(inner, wanted[name], root) for name, inner in value.items()}
    if is_array(value):
        items = {"anyOf": [each["items"] for each in accepted if "items" in each]}
        return [unwrapped(item, items, root) for item in value]
    return value


def _inner(text: str, types: set[Any]) -> Any:
    """The array or object in a text, if one is wanted and a text is not."""
    if not types or types & {None, "string"} or text.lstrip()[:1] not in ("[", "{"):
        return text
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text
    return found if ("array" if is_array(found) else "object") in types else text


def _alternatives(schema: Any, root: Json, seen: set[str]) -> Iterator[Json]:
    """The schemas of which a value needs to fit one: without references and without `anyOf`."""
    node = as_dict(schema)
    reference = node.get("$ref")
    if isinstance(reference, str):
        if reference not in seen:
            yield from _alternatives(find(root, reference), root, seen | {reference})
    elif "anyOf" in node:
        for branch in as_list(node["anyOf"]):
            yield from _alternatives(branch, root, seen)
    else:
        yield node


def _of_property(name: str, alternatives: Iterable[Json]) -> Iterator[Any]:
    for node in alternatives:
        properties = as_dict(node.get("properties"))
        if name in properties:
            yield properties[name]
        elif "additionalProperties" in node:
            yield node["additionalProperties"]


def sentence(problems: Iterable[object]) -> str:
    """The problems as one text for the model.

    >>> sentence(["a: is required", "b: is not allowed"])
    'a: is required; b: is not allowed'
    """
    texts = [str(problem) for problem in problems]
    more = [f"and {len(texts) - MOST_PROBLEMS} more"] if len(texts) > MOST_PROBLEMS else []
    return "; ".join([*texts[:MOST_PROBLEMS], *more])
