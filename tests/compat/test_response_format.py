"""Schemas for the answer, and JSON mode together with partial mode."""

from __future__ import annotations

from kimi_openai.compat.pipeline import shape

from .bodies import HI, K3


def test_a_schema_is_converted_and_its_losses_noted() -> None:
    """Nulls beside the schema are left out too."""
    schema = {"type": "object", "properties": {"d": {"type": "string", "format": "date"}}}
    described = {"name": "x", "schema": schema, "strict": True, "description": None}
    shaped = shape({"model": K3, "messages": HI, "response_format": {"type": "json_schema", "json_schema": described}})
    assert [(note.kind, note.where) for note in shaped.notes] == [("schema", "response_format.json_schema.schema")]
    sent = shaped.body["response_format"]["json_schema"]
    assert sent.keys() == {"name", "schema", "strict"}
    assert "format" not in sent["schema"]["properties"]["d"]


def test_json_mode_does_not_continue_a_prefix() -> None:
    """The docs warn of the two together; the prefix stays."""
    last = {"role": "assistant", "content": "{", "partial": True}
    shaped = shape({"model": K3, "messages": [*HI, last], "response_format": {"type": "json_object"}})
    assert shaped.body == {"model": K3, "messages": [*HI, last]}
    assert [note.kind for note in shaped.notes] == ["response_format"]
