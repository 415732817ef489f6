"""The response object: the fields that every answer has, with their values measured on 2026-09-03.

Of the request only functions and `text.format` are echoed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kimi_openai.emulator.json_values import Json, is_array, is_object

from .body import functions_of

__all__ = ["ResponseObject"]


@dataclass(frozen=True, slots=True)
class ResponseObject:
    """What is the same in all states of one response."""

    id: str
    created: int
    body: Json

    def of(
        self,
        status: str,
        output: list[Json],
        usage: Json | None,
        *,
        reason: str | None = None,
        error: Json | None = None,
    ) -> Json:
        """The object in one state. `reason` is why it is incomplete, `error` why it failed."""
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "completed_at": None if status == "in_progress" else self.created,
            "status": status,
            "error": error,
            "incomplete_details": {"reason": reason} if reason else None,
            "output": output,
            "usage": usage,
            "store": False,
            "background": False,
            "previous_response_id": None,
            "conversation": None,
            "instructions": None,
            "reasoning": None,
            "text": {"format": self._text_format()},
            "tools": [_echo(tool) for tool in functions_of(self.body.get("tools"))],
            "tool_choice": "auto",
            "parallel_tool_calls": True,
            "max_output_tokens": None,
            "max_tool_calls": None,
            "metadata": None,
            "model": self.body.get("model"),
            "temperature": 1,
            "top_p": 0.95,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "top_logprobs": 0,
            "truncation": "disabled",
            "prompt_cache_key": None,
            "safety_identifier": None,
            "service_tier": "default",
        }

    def _text_format(self) -> Json:
        text = self.body.get("text")
        form = text.get("format") if is_object(text) else None
        if not is_object(form) or form.get("type") != "json_schema":
            return {"type": "text"}
        name, schema = form.get("name") or "output", _sorted(form.get("schema"))
        return {"type": "json_schema", "name": name, "schema": schema, "strict": form.get("strict") is not False}


def _echo(tool: Json) -> Json:
    """A function as it is echoed: `strict` is true if it was not sent, and the keys of the schema are sorted."""
    kept = {key: tool[key] for key in ("type", "name", "description") if tool.get(key) is not None}
    return {**kept, "parameters": _sorted(tool.get("parameters")), "strict": tool.get("strict") is not False}


def _sorted(value: Any) -> Any:
    if is_object(value):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [*map(_sorted, value)] if is_array(value) else value
