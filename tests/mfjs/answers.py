"""Random values that an MFJS schema accepts, checked against the original schema."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from random import Random
from typing import Any

import jsonschema

from kimi_openai.emulator.generation.pattern_example import matching_text
from kimi_openai.mfjs.convert import Normalized, to_mfjs
from kimi_openai.mfjs.names import Names
from tests.mfjs.shapes import ANY, Json

__all__ = ["NoAnswerError", "answer", "check_answers", "is_wider"]


class NoAnswerError(Exception):
    """No value was found for a pattern."""


def check_answers(schema: Json, rng: Random) -> None:
    """A random answer to the converted schema is valid by the original one, unless the conversion noted a loss."""
    result = to_mfjs(schema)
    if not result.losses:
        assert not is_wider(result, schema, rng)


def is_wider(result: Normalized, original: Json, rng: Random) -> bool:
    """Whether a random answer to a conversion, with the caller's names, is refused by the original schema."""
    draft = jsonschema.Draft7Validator if "definitions" in original else jsonschema.Draft202012Validator
    try:
        value = answer(result.schema, result.schema, rng, 0)
        value = json.loads(Names(result.schema, result.names).from_kimi(json.dumps(value)))
        return not draft(original).is_valid(value)
    except (NoAnswerError, RecursionError):
        return False


def answer(node: Json, root: Json, rng: Random, depth: int) -> Any:
    """A random value that the MFJS node accepts; deep down the shortest."""
    if "$ref" in node:
        target = root if node["$ref"] == "#" else root["$defs"][node["$ref"].removeprefix("#/$defs/")]
        return answer(target, root, rng, depth + 1)
    if "anyOf" in node:
        simple = [branch for branch in node["anyOf"] if branch.get("type") not in {"object", "array", None}]
        return answer(rng.choice(simple if depth > 3 and simple else node["anyOf"]), root, rng, depth + 1)
    if "enum" in node:
        values = [value for value in node["enum"] if re.search(node.get("pattern", ""), str(value))]
        if not values:
            raise NoAnswerError
        return rng.choice(values)
    return ANSWERS[node["type"]](node, root, rng, depth)


def an_object(node: Json, root: Json, rng: Random, depth: int) -> Json:
    required, rest = node.get("required", ()), node.get("additionalProperties", True)
    fields = {
        name: part
        for name, part in node.get("properties", {}).items()
        if name in required or (depth < 4 and rng.random() < 0.5)
    }
    extra = {"zz": rest if isinstance(rest, dict) and rest else ANY} if rest is not False and rng.random() < 0.3 else {}
    return {name: answer(part, root, rng, depth + 1) for name, part in {**extra, **fields}.items()}


def a_list(node: Json, root: Json, rng: Random, depth: int) -> list[Any]:
    low = node.get("minItems", 0)
    count = low if depth > 3 else rng.randint(low, min(low + 2, node.get("maxItems", low + 2)))
    return [answer(node.get("items", ANY), root, rng, depth + 1) for _ in range(count)]


def a_number(node: Json, rng: Random, step: float) -> float:
    low = node.get("minimum", node.get("maximum", 0) - 10)
    high = node.get("maximum", low + 10)
    return rng.choice([low, high, min(high, low + step)])


def a_string(node: Json, rng: Random) -> str:
    if "pattern" in node:
        text = matching_text(node["pattern"], least=node.get("minLength", 0), most=node.get("maxLength"))
        if text is None:
            raise NoAnswerError
        return text
    low = node.get("minLength", 0)
    return "x" * rng.randint(low, min(low + 3, node.get("maxLength", low + 3)))


ANSWERS: dict[str, Callable[[Json, Json, Random, int], Any]] = {
    "object": an_object,
    "array": a_list,
    "string": lambda node, _root, rng, _depth: a_string(node, rng),
    "integer": lambda node, _root, rng, _depth: a_number(node, rng, 1),
    "number": lambda node, _root, rng, _depth: a_number(node, rng, 0.25),
    "boolean": lambda _node, _root, rng, _depth: rng.random() < 0.5,
    "null": lambda _node, _root, _rng, _depth: None,
}
