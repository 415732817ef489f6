"""The cache of converted schemas."""

from __future__ import annotations

from typing import Any

from kimi_openai.compat.pipeline import shape

from .bodies import HI, K3, tool


def properties_sent(schema: dict[str, Any]) -> dict[str, Any]:
    """The properties of a tool's schema in the body that is sent."""
    body = shape({"model": K3, "messages": HI, "tools": [tool("a", **schema)]}).body
    properties: dict[str, Any] = body["tools"][0]["function"]["parameters"]["properties"]
    return properties


def test_a_schema_from_the_cache_is_a_new_object() -> None:
    """A change of what came out of one request does not show in the next, nor does a change of what went in."""
    schema: dict[str, Any] = {"type": "object", "title": "A", "properties": {"b": {"type": "string", "title": "B"}}}
    properties_sent(schema).clear()
    assert properties_sent(schema) == {"b": {"type": "string"}}
    schema["properties"]["c"] = {"type": "integer"}
    assert set(properties_sent(schema)) == {"b", "c"}


def test_a_schema_that_is_not_plain_json_is_converted_too() -> None:
    """It cannot be a key of the cache."""
    schema = {"type": "object", "title": "A", "properties": {"b": {"type": "string", "default": object()}}}
    assert properties_sent(schema)["b"]["type"] == "string"
