"""What OpenAI code sends to the Responses API, and what is sent to Kimi instead; data for `test_rules`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["CHANGED", "DATA_URL", "REFUSED", "Example", "F", "G"]

DATA_URL = "data:image/png;base64,iVBORw0KGgo="
WEB_IMAGE = "https://images.test/a.png"


@dataclass(frozen=True, slots=True)
class Example:
    """The fields of a request and of what is sent beside the model and the input, which is "Hi"; the places of the
    notes. `kimi`: a part of Kimi's error for the unchanged request, if it is documented."""

    request: dict[str, Any]
    sent: dict[str, Any] = field(default_factory=dict[str, Any])
    noted: tuple[str, ...] = ()
    kimi: str = ""
    options: dict[str, Any] = field(default_factory=dict[str, Any])


def function(name: str, **more: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    return {"type": "function", "name": name, "parameters": parameters, **more}


F, G = function("f"), function("g")
CALL = {"type": "function_call", "call_id": "f_0", "name": "f", "arguments": '{"a": "1"}'}
OUTPUT = {"type": "function_call_output", "call_id": "f_0", "output": "1"}
SCHEMA = {
    "type": "object",
    "properties": {"n": {"$ref": "#/$defs/A"}},
    "required": ["n"],
    "not": {"required": ["m"]},
    "$defs": {"A": {"type": "string"}},
}
USER = {"role": "user", "content": "Hi"}


def items(*given: Any) -> dict[str, Any]:
    return {"input": list(given)}


def tools_item(*tools: Any) -> dict[str, Any]:
    return {"type": "additional_tools", "role": "developer", "tools": list(tools)}


def schema_format(**schema: Any) -> dict[str, Any]:
    return {"format": {"type": "json_schema", "name": "x", "schema": schema}}


PLAIN = schema_format(type="object", properties={"n": {"type": "string"}}, required=["n"])

CHANGED: dict[str, Example] = {
    "a tool name": Example({"tools": [function("2nd")]}, {"tools": [function("_2nd")]}, ("tools.0.name",)),
    "a long tool name": Example({"tools": [function("a" * 128)]}, {"tools": [function("a" * 128)]}),
    "a property name": Example(
        {"text": schema_format(type="object", properties={"required": {"type": "string"}})},
        {"text": schema_format(type="object", properties={"required_": {"type": "string"}})},
        ("text.format.schema",),
    ),
    "temperature": Example({"temperature": 0.5}, {}, ("temperature",), "only 1 is allowed for this model"),
    "top_p": Example({"top_p": 0.5}, {}, ("top_p",)),
    "the pinned temperature": Example({"temperature": 1}, {"temperature": 1}),
    "effort none": Example(
        {"reasoning": {"effort": "none"}},
        {"reasoning": {"effort": "low"}},
        ("reasoning.effort",),
        'reasoning.effort value "none" is not supported',
    ),
    "effort minimal": Example(
        {"reasoning": {"effort": "minimal", "summary": "auto"}},
        {"reasoning": {"effort": "low", "summary": "auto"}},
        ("reasoning.effort",),
    ),
    "effort medium": Example(
        {"reasoning": {"effort": "medium"}}, {"reasoning": {"effort": "high"}}, ("reasoning.effort",)
    ),
    "effort xhigh": Example(
        {"reasoning": {"effort": "xhigh"}}, {"reasoning": {"effort": "max"}}, ("reasoning.effort",)
    ),
    "effort bogus": Example(
        {"reasoning": {"effort": "bogus"}}, {}, ("reasoning.effort",), 'reasoning.effort value "bogus" is not supported'
    ),
    "effort high, nulls": Example(
        {"reasoning": {"effort": "high", "summary": None}}, {"reasoning": {"effort": "high"}}
    ),
    "effort of chat": Example(
        {"extra_body": {"reasoning_effort": "low"}}, {"reasoning": {"effort": "low"}}, ("reasoning_effort",)
    ),
    "thinking of chat": Example(
        {"extra_body": {"thinking": {"type": "disabled"}}}, {"reasoning": {"effort": "low"}}, ("thinking",)
    ),
    "store": Example({"store": True}, {}, ("store",)),
    "store false": Example({"store": False}, {}),
    "background": Example({"background": True}, {}, ("background",)),
    "prompt_cache_retention": Example(
        {"extra_body": {"prompt_cache_retention": "24h"}},
        {},
        ("prompt_cache_retention",),
        "prompt_cache_retention is not supported",
    ),
    "prompt_cache_key": Example({"prompt_cache_key": "k"}, {"prompt_cache_key": "k"}),
    "truncation": Example({"truncation": "auto"}, {}, ("truncation",)),
    "what Kimi does anyway": Example(
        {"truncation": "disabled", "parallel_tool_calls": True, "service_tier": "auto"}, {}
    ),
    "settings": Example(
        {"metadata": {"a": "b"}, "service_tier": "flex", "top_logprobs": 2, "parallel_tool_calls": False},
        {},
        ("metadata", "parallel_tool_calls", "service_tier", "top_logprobs"),
    ),
    "user": Example({"user": "u"}, {"safety_identifier": "u"}, ("user",)),
    "include": Example(
        {"include": ["reasoning.encrypted_content", "web_search_call.action.sources"]},
        {"include": ["web_search_call.action.sources"]},
        ("include",),
    ),
    "include nothing": Example({"include": []}, {}),
    "cache options of OpenAI's": Example(
        {"extra_body": {"prompt_cache_options": {"mode": "explicit", "ttl": "30m"}}}, {}, ("prompt_cache_options",)
    ),
    "cache options of Kimi's": Example(
        {"extra_body": {"prompt_cache_options": {"mode": "implicit", "ttl": "1h"}}},
        {"prompt_cache_options": {"mode": "implicit", "ttl": "1h"}},
    ),
    "a budget of chat": Example(
        {"extra_body": {"max_completion_tokens": 500}}, {"max_output_tokens": 500}, ("max_completion_tokens",)
    ),
    "a budget of both": Example(
        {"max_output_tokens": 400, "extra_body": {"max_tokens": 500}}, {"max_output_tokens": 400}, ("max_tokens",)
    ),
    "fields of chat": Example(
        {"extra_body": {"stop": ["a"], "seed": 1, "response_format": {"type": "json_object"}}},
        {},
        ("response_format", "seed", "stop"),
    ),
    "a budget beyond the maximum": Example({"max_output_tokens": 2_000_000}, {}, ("max_output_tokens",)),
    "json mode": Example(
        {"text": {"format": {"type": "json_object"}, "verbosity": "low"}},
        {"text": {"verbosity": "low"}},
        ("text.format",),
        'text.format: unsupported type "json_object"',
    ),
    "text format": Example({"text": {"format": {"type": "text"}}}, {}),
    "a schema that is MFJS": Example({"text": PLAIN}, {"text": PLAIN}),
    "a schema that is not": Example(
        {"text": schema_format(**SCHEMA)},
        {"text": schema_format(type="object", properties={"n": {"type": "string"}}, required=["n"])},
        ("text.format.schema",),
    ),
    "a function with nulls": Example({"tools": [{**F, "strict": None, "description": None}]}, {"tools": [F]}),
    "a function twice": Example({"tools": [F, F]}, {"tools": [F]}, ("tools.1",)),
    "a namespace": Example(
        {"tools": [{"type": "namespace", "name": "n", "description": "d", "tools": [{**F, "strict": None}]}]},
        {"tools": [{"type": "namespace", "name": "n", "description": "d", "tools": [F]}]},
    ),
    "web search preview": Example(
        {"tools": [{"type": "web_search_preview", "search_context_size": "low"}]},
        {"tools": [{"type": "web_search"}]},
        ("tools.0.type", "tools.0.search_context_size"),
        'unsupported tool type: "web_search_preview"',
    ),
    "web search context size": Example(
        {"tools": [{"type": "web_search", "search_context_size": "low"}]},
        {"tools": [{"type": "web_search"}]},
        ("tools.0.search_context_size",),
        "search_context_size is not supported",
    ),
    "blocked domains": Example(
        {"tools": [{"type": "web_search", "filters": {"blocked_domains": ["a.b"], "allowed_domains": ["c.d"]}}]},
        {"tools": [{"type": "web_search", "filters": {"allowed_domains": ["c.d"]}}]},
        ("tools.0.filters",),
    ),
    "tool_choice auto": Example({"tools": [F], "tool_choice": "auto"}, {"tools": [F], "tool_choice": "auto"}),
    "tool_choice required": Example(
        {"tools": [F], "tool_choice": "required"},
        {"tools": [F], "tool_choice": "auto"},
        ("tool_choice",),
        'unsupported tool_choice value: "required"',
    ),
    "tool_choice none": Example(
        {"tools": [F], "tool_choice": "none"}, {}, ("tool_choice",), 'unsupported tool_choice value: "none"'
    ),
    "tool_choice named": Example(
        {"tools": [F, G], "tool_choice": {"type": "function", "name": "g"}},
        {"tools": [G], "tool_choice": "auto"},
        ("tool_choice",),
    ),
    "allowed tools": Example(
        {
            "tools": [F, G],
            "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "g"}]},
            "text": PLAIN,
        },
        {"tools": [G], "tool_choice": "auto", "text": PLAIN},
        ("tool_choice",),
    ),
    "a hosted tool is chosen": Example(
        {"tools": [F, {"type": "web_search"}], "tool_choice": {"type": "web_search_preview"}},
        {"tools": [{"type": "web_search"}], "tool_choice": "auto"},
        ("tool_choice",),
    ),
    "a named tool beside a format": Example(
        {"tools": [F], "tool_choice": {"type": "function", "name": "f"}, "text": PLAIN},
        {"tools": [F], "tool_choice": "auto"},
        ("text.format", "tool_choice"),
    ),
    "role system": Example(
        items({"role": "system", "content": "Be brief."}, USER),
        items({"role": "developer", "content": "Be brief."}, USER),
        ("input.0.role",),
        "system",
    ),
    "nulls of model_dump": Example(
        items(
            USER,
            {
                "type": "reasoning",
                "id": "rs",
                "summary": [],
                "content": None,
                "encrypted_content": None,
                "status": None,
            },
            {**CALL, "id": None, "status": None, "caller": None, "namespace": None, "async_": None},
            {**OUTPUT, "id": None},
        ),
        items(USER, {"type": "reasoning", "id": "rs", "summary": []}, CALL, OUTPUT),
    ),
    "what parse adds": Example(
        items(
            {
                "type": "message",
                "id": "m",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "{}", "annotations": [], "parsed": {"n": 1}}],
            },
            {**CALL, "parsed_arguments": {"a": "1"}},
            OUTPUT,
        ),
        items(
            {
                "type": "message",
                "id": "m",
                "role": "assistant",
                "status": "completed",
                "content": [{"type": "output_text", "text": "{}", "annotations": []}],
            },
            CALL,
            OUTPUT,
        ),
    ),
    "an empty id": Example(items(USER, {**CALL, "id": ""}, OUTPUT), items(USER, CALL, OUTPUT)),
    "encrypted reasoning": Example(
        items(USER, {"type": "reasoning", "id": "rs", "summary": [], "content": [], "encrypted_content": "x"}),
        items(USER, {"type": "reasoning", "id": "rs", "summary": []}),
        ("input.1.encrypted_content",),
    ),
    "a refusal": Example(
        items({"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, USER),
        items({"role": "assistant", "content": [{"type": "output_text", "text": "No."}]}, USER),
        ("input.0.content.0",),
    ),
    "broken arguments": Example(
        items(USER, {**CALL, "arguments": '{"a": '}, OUTPUT),
        items(USER, {**CALL, "arguments": "{}"}, OUTPUT),
        ("input.1.arguments",),
    ),
    **{
        f"an output without content, {output!r}": Example(
            items(USER, CALL, {**OUTPUT, "output": output}),
            items(USER, CALL, {**OUTPUT, "output": "(empty)"}),
            ("input.2.output",),
        )
        for output in (None, "", [])
    },
    "an output of an empty part": Example(
        items(USER, CALL, {**OUTPUT, "output": [{"type": "input_text", "text": ""}]}),
        items(USER, CALL, {**OUTPUT, "output": "(empty)"}),
        ("input.2.output", "input.2.output"),
    ),
    **{
        f"an empty message, {role}": Example(
            items({"role": role, "content": ""}, {"role": role, "content": None}, {"role": role, "content": []}, USER),
            items(USER),
            ("input.0", "input.1", "input.2"),
            "must not be empty",
        )
        for role in ("user", "assistant", "developer")
    },
    "an empty part": Example(
        items({"role": "user", "content": [{"type": "input_text", "text": text} for text in ("", "Hi")]}),
        items({"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}),
        ("input.0.content",),
    ),
    "a message of an empty part, before a call id twice": Example(
        items(
            {"role": "assistant", "content": [{"type": "output_text", "text": ""}]}, USER, CALL, OUTPUT, CALL, OUTPUT
        ),
        items(USER, CALL, OUTPUT, {**CALL, "call_id": "f_1"}, {**OUTPUT, "call_id": "f_1"}),
        ("input.0.content", "input.0", "input.4.call_id"),
        "must not be empty",
    ),
    "a cache breakpoint": Example(
        items(
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "Hi", "prompt_cache_breakpoint": {"mode": "explicit"}}],
            }
        ),
        items({"role": "user", "content": [{"type": "input_text", "text": "Hi"}]}),
        ("input.0.content.0.prompt_cache_breakpoint",),
    ),
    "a call id twice": Example(
        items(USER, CALL, OUTPUT, CALL, {**OUTPUT, "output": "2"}),
        items(USER, CALL, OUTPUT, {**CALL, "call_id": "f_1"}, {**OUTPUT, "call_id": "f_1", "output": "2"}),
        ("input.3.call_id",),
        "is duplicated",
    ),
    "an https image": Example(
        items({"role": "user", "content": [{"type": "input_image", "image_url": WEB_IMAGE, "detail": None}]}),
        items({"role": "user", "content": [{"type": "input_image", "image_url": DATA_URL}]}),
        (),
        "",
        {"fetch_images": True},
    ),
    "an image in an output": Example(
        items(USER, CALL, {**OUTPUT, "output": [{"type": "input_image", "image_url": WEB_IMAGE}]}),
        items(USER, CALL, {**OUTPUT, "output": [{"type": "input_image", "image_url": DATA_URL}]}),
        (),
        "",
        {"fetch_images": True},
    ),
    "tools in the input": Example(
        items({"type": "additional_tools", "role": "developer", "tools": [{**F, "strict": None}]}, USER),
        items({"type": "additional_tools", "role": "developer", "tools": [F]}, USER),
    ),
    "tools in the input that are offered already": Example(
        {"tools": [F], **items(tools_item(F), tools_item(F, G), tools_item(G), USER)},
        {"tools": [F], **items(tools_item(G), USER)},
        ("input.0.tools.0", "input.1.tools.0", "input.2.tools.0"),
        "function name f is duplicated",
    ),
}

REFUSED: dict[str, Example] = {
    "a K2 model": Example({"model": "kimi-k2.6"}, {}, ("model",)),
    "file_search": Example(
        {"tools": [F, {"type": "file_search", "vector_store_ids": ["v"]}]},
        {},
        ("tools.1",),
        'unsupported tool type: "file_search"',
    ),
    "code_interpreter": Example(
        {"tools": [{"type": "code_interpreter", "container": {"type": "auto"}}]},
        {},
        ("tools.0",),
        'unsupported tool type: "code_interpreter"',
    ),
    "mcp": Example({"tools": [{"type": "mcp", "server_label": "x", "server_url": "https://x.y"}]}, {}, ("tools.0",)),
    "a custom tool": Example({"tools": [{"type": "custom", "name": "shell"}]}, {}, ("tools.0",)),
    "apply_patch without a grammar": Example({"tools": [{"type": "custom", "name": "apply_patch"}]}, {}, ("tools.0",)),
    "only empty messages": Example(items({"role": "user", "content": ""}), {}, ("input",), "must not be empty"),
    "two tools of one name in two places": Example(
        {"tools": [F], **items(USER, tools_item({**F, "description": "another"}))},
        {},
        ("input.1.tools.0",),
        "function name f is duplicated",
    ),
    "a tool without a name": Example({"tools": [function("")]}, {}, ("tools.0.name",)),
    "two tools of one name": Example({"tools": [F, {**F, "description": "another"}]}, {}, ("tools.1",)),
    "a file": Example(
        items({"role": "user", "content": [{"type": "input_file", "file_id": "file-1"}]}),
        {},
        ("input.0.content.0",),
        "unknown content part type",
    ),
    "an http image": Example(
        items(USER, {"role": "user", "content": [{"type": "input_image", "image_url": WEB_IMAGE}]}),
        {},
        ("input.1.content.0",),
    ),
    "an image by file id": Example(
        items({"role": "user", "content": [{"type": "input_image", "file_id": "file-1"}]}), {}, ("input.0.content.0",)
    ),
    "a prompt template": Example({"prompt": {"id": "pmpt_1"}}, {}, ("prompt",)),
    "role tool": Example(items({"role": "tool", "content": "1"}), {}, ("input.0.role",)),
    "an item of OpenAI's": Example(items(USER, {"type": "computer_call", "call_id": "c"}), {}, ("input.1",)),
    "an unknown reference": Example(items({"type": "item_reference", "id": "msg_x"}), {}, ("input.0.id",)),
    "an unknown response": Example({"previous_response_id": "resp_x"}, {}, ("previous_response_id",)),
    "an unknown conversation": Example({"conversation": "conv_x"}, {}, ("conversation",)),
    "two things to continue": Example(
        {"previous_response_id": "resp_x", "conversation": {"id": "conv_x"}}, {}, ("previous_response_id",)
    ),
    "an item that is none": Example({"input": ["Hi"]}, {}, ("input.0",)),
    "no input": Example({"input": None}, {}, ("input",)),
}
