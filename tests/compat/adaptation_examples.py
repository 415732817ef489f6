"""Examples for each entry of `help(kimi_openai.compat)`: a request and what is sent. `test_adaptations` uses them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
from openai.types.chat import ChatCompletionMessage, ParsedChatCompletionMessage

from tests.programs.vision import PIXEL

from .bodies import CALL, CALLING, HI, K3, K26, K27, OFF, RESULT, named, tool


@dataclass(frozen=True)
class Example:
    """The arguments of a request, and the fields of the body that is sent, or the place that `CompatError` names.

    The model is K3 and the message "Hi" unless a field says otherwise. `options` are the client's. `is_noted`: whether
    a note says what was changed. A request with `purpose` is an upload.
    """

    request: dict[str, Any]
    sent: dict[str, Any] | str
    options: dict[str, Any] = field(default_factory=dict[str, Any])
    is_noted: bool = True


def chat(*messages: Any, model: str = K3) -> dict[str, Any]:
    """A request, or the fields of a body, with these messages."""
    return {"model": model, "messages": [*HI, *messages]}


def batch_line(**body: Any) -> bytes:
    """A batch file of one line."""
    whole = {"model": K26, "messages": HI, **body}
    return json.dumps({"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": whole}).encode()


def user(content: Any) -> dict[str, Any]:
    """A user message."""
    return {"role": "user", "content": content}


def image(url: str) -> dict[str, Any]:
    """A user message with an image."""
    return {"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}


def answer_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A response format."""
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}}


def calling_with(arguments: str) -> dict[str, Any]:
    """An assistant message with a call that has these arguments."""
    return {**CALLING, "tool_calls": [{**CALL, "function": {"name": "a", "arguments": arguments}}]}


PYDANTIC = {
    "$defs": {"B": {"type": "string"}},
    "type": "object",
    "title": "A",
    "properties": {"b": {"$ref": "#/$defs/B"}, "c": {"type": "string", "anyOf": [{"type": "string"}], "title": "C"}},
}
MFJS = {"type": "object", "properties": {"b": {"type": "string"}, "c": {"type": "string"}}}
WITH_FORMAT = {"type": "object", "properties": {"b": {"type": "string", "format": "date"}}}
DESCRIBED = {"type": "object", "properties": {"b": {"type": "string", "description": "(format: date)"}}}

ANSWER = {"role": "assistant", "content": "x", "reasoning_content": "r"}
TOOLS = [tool("a"), tool("b")]
PINNED = {"temperature": 1, "top_p": 0.95, "presence_penalty": 0, "frequency_penalty": 0}
DATA_URL = "data:image/png;base64,AA=="

EXAMPLES: Mapping[str, tuple[Example, ...]] = {
    "`temperature=0.2`, `top_p`, `presence_penalty`, `frequency_penalty`": (
        Example({"temperature": 0.2, "top_p": 0.5, "presence_penalty": 1, "frequency_penalty": 1}, {}),
        Example(PINNED, PINNED, is_noted=False),
    ),
    "a lone surrogate, numpy's numbers and arrays, `Decimal`, `datetime`, `bytes`, a `set`": (
        Example({"messages": [user("caf\udce9")]}, {"messages": [user("caf\ufffd")]}),
        Example({"max_completion_tokens": np.int64(9), "stop": {"a"}}, {"max_completion_tokens": 9, "stop": ["a"]}),
        Example(
            {"messages": [user([{"type": "text", "text": b"a"}])]},
            {"messages": [user([{"type": "text", "text": "a"}])]},
        ),
        Example({"extra_body": {"x": [Decimal(7), date(2026, 1, 2)]}}, {"x": [7, "2026-01-02"]}),
        Example({"messages": [user([b"\xff"])]}, "messages.0.content.0"),
    ),
    '`messages="Hi"`, `messages={...}`': (
        Example({"messages": "Hi"}, "messages"),
        Example({"messages": HI[0]}, "messages"),
    ),
    "`n=3`": (Example({"n": 3}, {}),),
    "`response_format` with a schema": (
        Example(answer_schema(PYDANTIC), answer_schema(MFJS), is_noted=False),
        Example(answer_schema(WITH_FORMAT), answer_schema(DESCRIBED)),
    ),
    "a tool schema with `$ref`, `type` beside `anyOf`, `oneOf`, `format`, ... (pydantic's)": (
        Example({"tools": [tool("a", **PYDANTIC)]}, {"tools": [tool("a", **MFJS)]}, is_noted=False),
        Example({"tools": [tool("a", **WITH_FORMAT)]}, {"tools": [tool("a", **DESCRIBED)]}),
    ),
    "`functions=[...]`, `function_call=...`": (
        Example(
            {"functions": [tool("a")["function"]], "function_call": "auto"},
            {"tools": [tool("a")], "tool_choice": "auto"},
        ),
    ),
    "a tool call replayed without `reasoning_content`, or with an empty one": (
        *(
            Example(
                chat({"role": "assistant", "tool_calls": [CALL], **reasoning}, RESULT, model=K26),
                chat({"role": "assistant", "tool_calls": [CALL], "reasoning_content": "(not kept)"}, RESULT, model=K26),
            )
            for reasoning in ({}, {"reasoning_content": ""})
        ),
        Example(
            chat({"role": "assistant", "tool_calls": [CALL]}, RESULT),
            chat({"role": "assistant", "tool_calls": [CALL]}, RESULT),
            is_noted=False,
        ),
    ),
    "`messages.append(answer.choices[0].message)`, after `parse()` too": (
        Example(chat(ChatCompletionMessage.model_validate({**ANSWER, "refusal": None})), chat(ANSWER), is_noted=False),
        Example(
            chat(ParsedChatCompletionMessage[Any].model_validate({**ANSWER, "parsed": {"a": 1}})),
            chat(ANSWER),
            is_noted=False,
        ),
    ),
    "a message of any role without content, or with an empty text part": (
        *(Example(chat({"role": role, "content": ""}), chat()) for role in ("system", "user", "assistant")),
        Example(chat({"role": "system", "content": [{"type": "text", "text": ""}]}), chat()),
        Example(chat(CALLING, {**RESULT, "content": ""}), chat(CALLING, {**RESULT, "content": "(empty)"})),
    ),
    "`role: developer`": (
        Example(chat({"role": "developer", "content": "x"}), chat({"role": "system", "content": "x"})),
    ),
    '`tool_choice={"type": "function", ...}`': (
        Example(
            {"tools": TOOLS, "tool_choice": named("b")},
            {"tools": [tool("b")], "tool_choice": "required"},
        ),
        Example(
            {"model": K27, "tools": TOOLS, "tool_choice": named("b")},
            {"model": K27, "tools": [tool("b")], "tool_choice": "auto"},
        ),
        Example(
            {"model": K26, "tools": TOOLS, "tool_choice": named("b")},
            {"model": K26, "tools": TOOLS, "tool_choice": named("b"), "thinking": OFF},
        ),
    ),
    '`tool_choice="required"`': (
        Example(
            {"tools": TOOLS, "tool_choice": "required"}, {"tools": TOOLS, "tool_choice": "required"}, is_noted=False
        ),
        Example(
            {"model": K26, "tools": TOOLS, "tool_choice": "required"},
            {"model": K26, "tools": TOOLS, "tool_choice": "required", "thinking": OFF},
        ),
        Example(
            {"model": K27, "tools": TOOLS, "tool_choice": "required"},
            {"model": K27, "tools": TOOLS, "tool_choice": "auto"},
        ),
    ),
    '`tool_choice="required"` without tools': (
        Example({"tool_choice": "required"}, {}),
        Example({"model": K26, "tool_choice": named("b")}, {"model": K26}),
    ),
    "`image_url` with an http(s) URL": (
        Example(chat(image("https://x.test/y.png")), "messages.1.content.0"),
        Example(
            chat(image("https://x.test/y.png")), chat(image(DATA_URL)), options={"fetch_images": True}, is_noted=False
        ),
    ),
    '`reasoning_effort="none"`, `"minimal"`, `"medium"`, `"xhigh"`': (
        Example({"reasoning_effort": "none"}, {"reasoning_effort": "low"}),
        Example({"reasoning_effort": "minimal"}, {"reasoning_effort": "low"}),
        Example({"reasoning_effort": "medium"}, {"reasoning_effort": "high"}),
        Example({"reasoning_effort": "xhigh"}, {"reasoning_effort": "max"}),
        Example({"model": K27, "reasoning_effort": "none"}, {"model": K27}),
        Example({"model": K26, "reasoning_effort": "medium"}, {"model": K26}),
        Example({"model": K26, "reasoning_effort": "none"}, {"model": K26, "thinking": OFF}),
    ),
    "`max_tokens=500`": (
        Example({"max_tokens": 500}, {"max_completion_tokens": 500}),
        Example({"max_tokens": 500, "max_completion_tokens": 400}, {"max_completion_tokens": 400}),
    ),
    '`extra_body={"max_output_tokens": 500}`, `stop_sequences`, `thinking_budget`, ...': (
        Example({"extra_body": {"max_output_tokens": 500}}, {"max_completion_tokens": 500}),
        Example({"extra_body": {"stop_sequences": ["a"]}}, {"stop": ["a"]}),
        Example({"extra_body": {"thinking_budget": 500}}, {}),
    ),
    '`extra_body={"temprature": 1}`': (Example({"extra_body": {"temprature": 1}}, {"temprature": 1}),),
    '`user="..."`': (Example({"user": "u"}, {"safety_identifier": "u"}),),
    "`parallel_tool_calls=...`": (Example({"tools": TOOLS, "parallel_tool_calls": False}, {"tools": TOOLS}),),
    "`seed=...`": (Example({"seed": 1}, {}),),
    "`stop` with more than 5 texts, or one over 32 bytes": (
        Example({"stop": list("abcdef")}, {"stop": list("abcde")}),
        Example({"stop": ["a", "x" * 33]}, {"stop": ["a"]}),
    ),
    "a tool message without its call, a call without its tool message": (
        Example(chat(RESULT), "messages.1.tool_call_id"),
        Example(chat(CALLING), "messages.1.tool_calls"),
    ),
    "tool calls without an id": (
        Example(
            chat(
                {**CALLING, "tool_calls": [{"type": "function", "function": CALL["function"]}]},
                {"role": "tool", "content": "42"},
            ),
            chat({**CALLING, "tool_calls": [{**CALL, "id": "a_0"}]}, {**RESULT, "tool_call_id": "a_0"}),
        ),
    ),
    "`prompt_cache_breakpoint` in a content part": (
        Example(
            {"messages": [user([{"type": "text", "text": "x", "prompt_cache_breakpoint": {"mode": "explicit"}}])]},
            {"messages": [user([{"type": "text", "text": "x"}])]},
        ),
    ),
    "a system message with tools and content, or with a tool that is offered already": (
        Example(
            chat({"role": "system", "content": "Use b.", "tools": [tool("b")]}),
            chat({"role": "system", "tools": [tool("b")]}, {"role": "system", "content": "Use b."}),
        ),
        Example(
            {"tools": TOOLS, **chat({"role": "system", "tools": [tool("b"), tool("c")]})},
            {"tools": TOOLS, **chat({"role": "system", "tools": [tool("c")]})},
        ),
        Example(
            {"tools": TOOLS, **chat({"role": "system", "tools": [tool("b", type="object")]})}, "messages.1.tools.0"
        ),
    ),
    "tool calls whose id an earlier call of the messages has": (
        Example(
            chat(CALLING, RESULT, CALLING, RESULT),
            chat(
                CALLING, RESULT, {**CALLING, "tool_calls": [{**CALL, "id": "a_0"}]}, {**RESULT, "tool_call_id": "a_0"}
            ),
        ),
    ),
    "tool calls whose arguments the model wrote as broken JSON": (
        Example(chat(calling_with('{"b": "x\ny"}'), RESULT), chat(calling_with('{"b": "x\\ny"}'), RESULT)),
        Example(chat(calling_with('{"b": "x'), RESULT), chat(calling_with("{}"), RESULT)),
    ),
    "a tool named `fs.read`, `2nd`": (
        Example({"tools": [tool("fs.read")]}, {"tools": [tool("fs_read")]}),
        Example({"tools": [tool("2nd")], "tool_choice": "auto"}, {"tools": [tool("_2nd")], "tool_choice": "auto"}),
    ),
    "a property named `required`, `$ref`, ... in a schema": (
        Example(
            {"tools": [tool("a", type="object", properties={"required": {"type": "boolean"}})]},
            {"tools": [tool("a", type="object", properties={"required_": {"type": "boolean"}})]},
        ),
        Example(
            answer_schema({"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]}),
            answer_schema({"type": "object", "properties": {"_ref": {"type": "string"}}, "required": ["_ref"]}),
        ),
    ),
    '`model="kimi-k2.5"`, `"moonshot-v1-8k"`, ...': (
        Example({"model": "kimi-k2.5"}, {"model": K3}),
        Example({"model": "moonshot-v1-8k"}, {"model": K3}),
    ),
    '`model="gpt-4o"`': (
        Example({"model": "gpt-4o"}, {"model": K26}, options={"model_aliases": {"gpt-4o": K26}}, is_noted=False),
    ),
    'a line of a batch file (`files.create(purpose="batch")`)': (
        Example(
            {"file": ("a.jsonl", batch_line(max_tokens=5, temperature=0.2)), "purpose": "batch"},
            {"purpose": "batch", "body": {"model": K26, "messages": HI, "max_completion_tokens": 5}},
        ),
        Example({"file": ("a.jsonl", batch_line(model=K3)), "purpose": "batch"}, "line 1, body.model"),
    ),
    '`files.create(purpose="assistants")`, `"user_data"`': (
        Example({"file": ("a.txt", b"text"), "purpose": "assistants"}, {"purpose": "file-extract"}),
        Example({"file": ("a.txt", b"text"), "purpose": "user_data"}, {"purpose": "file-extract"}),
        Example({"file": ("a.png", PIXEL), "purpose": "vision"}, {"purpose": "image"}),
    ),
}
