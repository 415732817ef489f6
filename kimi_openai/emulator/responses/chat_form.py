"""A Responses body as the chat body that means the same, so that one engine answers both."""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator.json_values import Json, encode, is_array, is_object

from .body import APPLY_PATCH, DEFAULT_OUTPUT, WEB_SEARCH, functions_of, input_items, is_offered

__all__ = ["chat_form"]

SAME = ("model", "stream", "temperature", "top_p", "n", "presence_penalty", "frequency_penalty", "prompt_cache_options")
"""Fields that mean the same in both APIs."""

PARTS = {"input_text": "text", "output_text": "text", "input_image": "image_url"}


def chat_form(body: Json) -> Json:
    """The chat body: instructions first, items as messages, tools in their nested form.

    >>> chat_form({"model": "kimi-k3", "input": "Hi"})["messages"]
    [{'role': 'user', 'content': 'Hi'}]
    """
    chat: Json = {key: body[key] for key in SAME if body.get(key) is not None}
    messages = _Messages()
    if body.get("instructions"):
        messages.add("system", body["instructions"])
    for item in input_items(body):
        if is_object(item):
            messages.item(item)
    chat["messages"] = messages.found
    chat["max_completion_tokens"] = body.get("max_output_tokens") or DEFAULT_OUTPUT
    tools = _tools(body.get("tools"))
    reasoning, text = body.get("reasoning"), body.get("text")
    if is_object(reasoning) and reasoning.get("effort"):
        chat["reasoning_effort"] = reasoning["effort"]
    form = text.get("format") if is_object(text) else None
    if is_object(form) and form.get("type") == "json_schema":
        json_schema = {"name": form.get("name") or "output", "schema": form.get("schema")}
        chat["response_format"] = {"type": "json_schema", "json_schema": json_schema}
    return {**chat, "tools": tools} if tools else chat


def _tools(tools: Any) -> list[Json]:
    """The tools in the nested form. Hosted search and the custom tool are functions with one text."""
    found = [{"type": "function", "function": _function(each)} for each in functions_of(tools)]
    holder = {"tools": tools}
    for kind, name, argument in (("web_search", WEB_SEARCH, "query"), ("custom", APPLY_PATCH, "input")):
        if is_offered(holder, kind):
            parameters = {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]}
            found.append({"type": "function", "function": {"name": name, "parameters": parameters}})
    return found


def _function(tool: Json) -> Json:
    return {key: tool[key] for key in ("name", "description", "parameters") if tool.get(key) is not None}


class _Messages:
    """Builds the messages item by item: a reasoning item and calls belong to one assistant message."""

    def __init__(self) -> None:
        self.found: list[Json] = []
        self._reasoning = ""

    def add(self, role: str, content: Any, **fields: Any) -> None:
        message: Json = {"role": role, "content": _content(content), **fields}
        if role == "assistant" and self._reasoning:
            message["reasoning_content"] = self._reasoning
        if role != "system":
            self._reasoning = ""
        self.found.append(message)

    def item(self, item: Json) -> None:
        match item.get("type") or "message":
            case "message":
                role = str(item.get("role"))
                self.add("system" if role == "developer" else role, item.get("content"))
            case "reasoning":
                self._reasoning += _text(item.get("content")) or _text(item.get("summary"))
            case "function_call":
                self._call(item, item.get("arguments") or "{}")
            case "custom_tool_call":
                self._call(item, encode({"input": item.get("input")}))
            case "function_call_output" | "custom_tool_call_output":
                self.add("tool", item.get("output"), tool_call_id=item.get("call_id"))
            case "additional_tools":
                self.found.append({"role": "system", "tools": _tools(item.get("tools"))})
            case _:
                pass

    def _call(self, item: Json, arguments: Any) -> None:
        function = {"name": item.get("name"), "arguments": arguments}
        call = {"id": item.get("call_id"), "type": "function", "function": function}
        last = self.found[-1] if self.found else {}
        if last.get("role") == "assistant" and not self._reasoning:
            last.setdefault("tool_calls", []).append(call)
        else:
            self.add("assistant", None, tool_calls=[call])


def _text(parts: Any) -> str:
    return "".join(str(part.get("text", "")) for part in parts if is_object(part)) if is_array(parts) else ""


def _content(content: Any) -> Any:
    return [_part(part) for part in content if is_object(part)] if is_array(content) else content


def _part(part: Json) -> Json:
    kind = PARTS.get(str(part.get("type")), str(part.get("type")))
    if kind == "image_url":
        return {"type": kind, kind: {"url": part.get("image_url")}}
    return {"type": kind, "text": part.get("text")}
