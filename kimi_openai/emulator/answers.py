"""The answer that the emulator gives without a script: deterministic, from the request alone.

It quotes the question or the tool's result, calls a tool that is required or named, and writes JSON where it was asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .reading import choice_kind, functions, messages_of, text_of
from .script import Call, Say, Step, Think, call
from .wire import Json, encode, is_array, is_object

__all__ = ["default_answer", "example"]

DEEP = 6

FORMATS: Mapping[str, str] = {
    "date": "2026-11-23",
    "time": "12:00:00Z",
    "date-time": "2026-11-23T12:00:00Z",
    "duration": "PT1H",
    "email": "li.lei@example.com",
    "uuid": "6a996be0-8fde-4f22-8d6d-18f683000000",
    "uri": "https://example.com/",
    "ipv4": "127.0.0.1",
    "ipv6": "::1",
    "hostname": "example.com",
}


def example(schema: Any, *, name: str = "value") -> Any:
    """A value that conforms to a JSON schema: the first enum value or branch, the least number, the shortest list.

    Strings repeat the name of their property. `pattern` and `not` are not honoured.

    >>> example({"properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 2}}})
    {'city': 'city', 'days': 2}
    """
    return _Example(schema if is_object(schema) else {}).of(schema, name, 0)


class _Example:
    def __init__(self, root: Json) -> None:
        self.root = root

    def of(self, schema: Any, name: str, depth: int) -> Any:
        if not is_object(schema):
            return name
        if isinstance(schema.get("$ref"), str):
            return self.of(self._target(schema["$ref"]), name, depth + 1)
        for given in ("const", "default"):
            if given in schema:
                return schema[given]
        if is_array(schema.get("enum")) and schema["enum"]:
            return schema["enum"][0]
        if is_array(schema.get("allOf")):
            return self.of(self._merged(schema), name, depth + 1)
        for branches in ("anyOf", "oneOf"):
            if is_array(schema.get(branches)):
                return self.of(self._branch(schema[branches], depth), name, depth + 1)
        return self._typed(schema, name, depth)

    def _target(self, ref: str) -> Any:
        found: Any = self.root
        for step in ref.lstrip("#").strip("/").split("/") if ref != "#" else ():
            found = found.get(step, {}) if is_object(found) else {}
        return found

    def _merged(self, schema: Json) -> Json:
        merged: Json = {key: value for key, value in schema.items() if key != "allOf"}
        for branch in schema["allOf"]:
            part = self._target(branch["$ref"]) if is_object(branch) and "$ref" in branch else branch
            for key, value in part.items() if is_object(part) else ():
                old = merged.get(key)
                merged[key] = {**old, **value} if is_object(old) and is_object(value) else value
        return merged

    def _branch(self, branches: list[Any], depth: int) -> Any:
        nulls = [branch for branch in branches if is_object(branch) and branch.get("type") == "null"]
        others = [branch for branch in branches if branch not in nulls]
        return (nulls if nulls and (depth > DEEP or not others) else others or [{}])[0]

    def _typed(self, schema: Json, name: str, depth: int) -> Any:
        kind = schema.get("type")
        if is_array(kind):
            kind = next((k for k in kind if k != "null"), "null")
        makers: Mapping[Any, Callable[[], Any]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, name, depth),
            "integer": lambda: int(_number(schema)),
            "number": lambda: _number(schema),
            "boolean": lambda: True,
            "null": lambda: None,
            "string": lambda: _string(schema, name),
        }
        if kind in makers:
            return makers[kind]()
        return self._object(schema, depth) if "properties" in schema else _string(schema, name)

    def _object(self, schema: Json, depth: int) -> Json:
        properties = schema.get("properties")
        required: Any = schema.get("required") or ()
        found: Json = properties if is_object(properties) else {}
        return {key: self.of(sub, key, depth + 1) for key, sub in found.items() if depth <= DEEP or key in required}

    def _array(self, schema: Json, name: str, depth: int) -> list[Any]:
        least = schema.get("minItems", 0)
        length = max(least if isinstance(least, int) else 0, 0 if depth > DEEP else 1)
        return [
            self.of(schema.get("items"), name, depth + 1) for _ in range(min(length, schema.get("maxItems", length)))
        ]


def _number(schema: Json) -> int | float:
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is None and "exclusiveMinimum" in schema:
        low = schema["exclusiveMinimum"] + (schema.get("multipleOf") or 1)
    if low is None and high is None and "exclusiveMaximum" in schema:
        high = schema["exclusiveMaximum"] - 1
    step = schema.get("multipleOf") or 1
    value = low if low is not None else min(high, 1) if high is not None else 1
    return value if low is None and step == 1 else -(-value // step) * step if "multipleOf" in schema else value


def _string(schema: Json, name: str) -> str:
    text = FORMATS.get(str(schema.get("format")), name)
    text = text.ljust(schema.get("minLength", 0), "x")
    return text[: schema["maxLength"]] if "maxLength" in schema else text


def _question(body: Json) -> str:
    users = [text_of(message.get("content")) for message in messages_of(body) if message.get("role") == "user"]
    return users[-1] if users else ""


def _wanted_tool(body: Json) -> Json | None:
    offered, kind, question = functions(body), choice_kind(body), _question(body)
    if not offered or kind == "none":
        return None
    named = [f for f in offered if re.search(rf"(?<!\w){re.escape(str(f.get('name')))}(?!\w)", question)]
    if kind == "named":
        wanted = body["tool_choice"].get("function", {}).get("name")
        named = [f for f in offered if f.get("name") == wanted]
    return named[0] if named else offered[0] if kind == "required" else None


def _call(function: Json, question: str) -> Call:
    name = str(function.get("name"))
    if name.startswith("$"):
        return call(
            name, {"search_result": {"search_id": "emulated"}, "usage": {"total_tokens": 1024}, "query": question}
        )
    return call(name, example(function.get("parameters") or {"type": "object"}))


def _results(body: Json) -> list[str]:
    found: list[str] = []
    for message in reversed(messages_of(body)):
        if message.get("role") != "tool":
            break
        found.insert(0, text_of(message.get("content")))
    return found


def _structured(body: Json, question: str) -> str | None:
    wanted = body.get("response_format")
    kind = wanted.get("type") if is_object(wanted) else None
    if kind == "json_object":
        return encode({"question": question, "answer": "emulated"})
    if is_object(wanted) and kind == "json_schema" and is_object(wanted.get("json_schema")):
        return encode(example(wanted["json_schema"].get("schema")))
    return None


def default_answer(body: Json) -> list[Step]:
    """The steps for a request without a script.

    >>> default_answer({"messages": [{"role": "user", "content": "Is it raining?"}]})[-1].text
    'You asked: "Is it raining?" This is the Kimi emulator, and it can only quote you.'
    """
    question, results = _question(body), _results(body)
    steps: list[Step] = [Think(f'The user asks: "{question}" I am an emulator, so I quote.')]
    wanted = None if results else _wanted_tool(body)
    if wanted:
        return [*steps, _call(wanted, question)]
    structured = _structured(body, question)
    if structured is not None:
        return [*steps, Say(structured)]
    if results:
        return [*steps, Say("The tool answered: " + "; ".join(results))]
    return [*steps, Say(f'You asked: "{question}" This is the Kimi emulator, and it can only quote you.')]
