"""`/v1/responses` over sockets: the shape of answers and streams, and what is refused with which words."""

from __future__ import annotations

import json
from typing import Any

import openai
import pytest

from kimi_openai.emulator import (
    AccountLimits,
    Behaviour,
    Emulator,
    call,
    ends_after,
    error,
    finish,
    rate_limited,
    say,
    think,
)
from tests.emulator.http import Got, send

WEATHER: dict[str, Any] = {
    "type": "function",
    "name": "get_weather",
    "description": "The weather",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
PATCH = {"type": "custom", "name": "apply_patch", "format": {"type": "grammar", "syntax": "lark", "definition": "x"}}


def respond(kimi: Emulator, **body: Any) -> Got:
    """Send a request; a model and an input are filled in."""
    return send(kimi, "POST", "/v1/responses", {"model": "kimi-k3", "input": "Say ok.", **body})


def stream(kimi: Emulator, **body: Any) -> list[Any]:
    """The events of a stream, each checked for its `event:` line and its number."""
    blocks = [block.split("\n") for block in respond(kimi, stream=True, **body).body.decode().split("\n\n") if block]
    found = [json.loads(data.removeprefix("data: ")) for _, data in blocks]
    assert [name.removeprefix("event: ") for name, _ in blocks] == [event["type"] for event in found]
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    return found


def test_an_answer(kimi: Emulator) -> None:
    """The object has the fields and fixed values that were measured; nothing of the request is echoed."""
    kimi.script(think("hm"), say("ok"))
    got = respond(kimi, instructions="Be brief.", max_output_tokens=99, reasoning={"effort": "low"}).json
    reasoning, message = got["output"]
    assert reasoning == {
        "type": "reasoning",
        "id": reasoning["id"],
        "status": "completed",
        "summary": [{"type": "summary_text", "text": "hm"}],
    }
    assert message["content"] == [{"type": "output_text", "text": "ok", "annotations": []}]
    assert [got["id"][:5], reasoning["id"][:3], message["id"][:4]] == ["resp_", "rs_", "msg_"]
    assert [got[name] for name in ("status", "store", "tool_choice", "top_p")] == ["completed", False, "auto", 0.95]
    assert [got[name] for name in ("instructions", "reasoning", "max_output_tokens", "tools")] == [None] * 3 + [[]]
    assert got["usage"]["input_tokens_details"] == {
        "cache_write_tokens": got["usage"]["input_tokens"],
        "cached_tokens": 0,
    }
    assert got["usage"]["total_tokens"] == got["usage"]["input_tokens"] + got["usage"]["output_tokens"]


def test_a_stream(kimi: Emulator) -> None:
    """Events come in the order that was measured; there is no `[DONE]`, and the last event has the whole response."""
    kimi.script(think("hm"), say("ok"), call("get_weather", {"city": "Paris"}))
    found = stream(kimi, tools=[WEATHER])
    assert [event["type"].removeprefix("response.") for event in found] == [
        "created",
        "in_progress",
        "output_item.added",
        "reasoning_summary_part.added",
        "reasoning_summary_text.delta",
        "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        *["function_call_arguments.delta"] * 9,
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ]
    last = found[-1]["response"]
    assert [item["type"] for item in last["output"]] == ["reasoning", "message", "function_call"]
    assert [event["item"] for event in found if event["type"].endswith("item.done")] == last["output"]
    called = last["output"][2]
    assert (called["call_id"], called["arguments"]) == ("get_weather_0", '{"city":"Paris"}')
    assert "".join(event["delta"] for event in found if "arguments.delta" in event["type"]) == called["arguments"]
    assert found[0]["response"]["usage"] is None
    echoed = {**WEATHER, "strict": True}
    assert found[0]["response"]["tools"] == last["tools"] == [echoed]


def test_the_sdk_reads_it(kimi: Emulator) -> None:
    """The SDK's stream helper and parse method take the answers as they are."""
    client = openai.OpenAI(api_key=kimi.api_key, base_url=kimi.base_url)
    tools: Any = [WEATHER]
    with client.responses.stream(model="kimi-k3", input="Use get_weather", tools=tools) as events:
        final = events.until_done().get_final_response()
    assert final.output[-1].type == "function_call"
    assert client.responses.create(model="kimi-k3", input="Hi").output_text.startswith('You asked: "Hi"')


def test_a_loop(kimi: Emulator) -> None:
    """Calls, outputs and reasoning of earlier turns come back as items; a loop without the reasoning item passes."""
    question = {"role": "user", "content": [{"type": "input_text", "text": "Use get_weather"}]}
    first = respond(kimi, input=[question], tools=[WEATHER]).json["output"]
    result = {"type": "function_call_output", "call_id": first[-1]["call_id"], "output": "Sunny"}
    for items in (first, first[1:]):
        got = respond(kimi, input=[question, *items, result], tools=[WEATHER]).json
        assert got["output"][-1]["content"][0]["text"] == "The tool answered: Sunny"


def test_json_schema(kimi: Emulator) -> None:
    """`text.format` with a schema gets JSON, and is echoed with sorted keys."""
    schema = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
    got = respond(kimi, text={"format": {"type": "json_schema", "schema": schema}}).json
    assert json.loads(got["output"][-1]["content"][0]["text"]) == {"a": 1}
    form = got["text"]["format"]
    assert (form["name"], form["strict"], [*form["schema"]]) == ("output", True, ["properties", "required", "type"])


def test_too_few_tokens(kimi: Emulator) -> None:
    """A response that ran out of its budget is incomplete, plain and streamed."""
    got = respond(kimi, max_output_tokens=1).json
    assert (got["status"], got["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})
    assert [item["type"] for item in got["output"]] == ["reasoning"]
    assert stream(kimi, max_output_tokens=1)[-1]["type"] == "response.incomplete"
    kimi.script(say("no"), finish("content_filter"))
    assert respond(kimi).json["incomplete_details"] == {"reason": "content_filter"}


def test_web_search(kimi: Emulator) -> None:
    """A search is an item of its own, with sources and results if they are asked for."""
    tools = [{"type": "web_search"}]
    found = stream(kimi, input="Search the news", tools=tools)
    names = [event["type"] for event in found if "web_search" in event["type"]]
    assert [name.rpartition(".")[2] for name in names] == ["in_progress", "searching", "completed"]
    item = found[-1]["response"]["output"][0]
    assert (item["type"], item["action"]) == ("web_search_call", {"type": "search", "query": "Search the news"})
    include = ["web_search_call.action.sources", "web_search_call.results"]
    item = respond(kimi, input="Search the news", tools=tools, include=include).json["output"][0]
    assert item["action"]["sources"]
    assert item["results"]
    assert [each["type"] for each in respond(kimi, tools=tools).json["output"]] == ["reasoning", "message"]


def test_custom_tool_and_namespaces(kimi: Emulator) -> None:
    """A call of `apply_patch` is a custom call with a text; a function of a namespace names it."""
    group = {"type": "namespace", "name": "weather", "tools": [WEATHER]}
    kimi.script(call("apply_patch", {"input": "*** Begin"}), call("get_weather", {"city": "Rome"}))
    got = respond(kimi, tools=[PATCH, group]).json["output"]
    assert [(item["type"], item.get("input"), item.get("namespace")) for item in got] == [
        ("custom_tool_call", "*** Begin", None),
        ("function_call", None, "weather"),
    ]
    more = {"type": "additional_tools", "role": "developer", "tools": [WEATHER]}
    again = respond(kimi, input=[more, {"role": "user", "content": "get_weather"}]).json["output"]
    assert again[-1]["name"] == "get_weather"


DOUBLE = "invalid_request_error: invalid_request_error: "
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "effort": ({"reasoning": {"effort": "none"}}, f'{DOUBLE}reasoning.effort value "none" is not supported'),
    "required": (
        {"tool_choice": "required", "tools": [WEATHER]},
        'invalid_request_error: responses: unsupported tool_choice value: "required"',
    ),
    "tool type": (
        {"tools": [{"type": "code_execution"}]},
        'invalid_request_error: responses: unsupported tool type: "code_execution"',
    ),
    "json_object": (
        {"text": {"format": {"type": "json_object"}}},
        f'{DOUBLE}text.format: unsupported type "json_object"',
    ),
    "retention": ({"prompt_cache_retention": "24h"}, f"{DOUBLE}prompt_cache_retention is not supported"),
    "temperature": ({"temperature": 0.5}, "invalid temperature: only 1 is allowed for this model"),
    "context size": (
        {"tools": [{"type": "web_search", "search_context_size": "low"}]},
        "web_search.search_context_size is not supported",
    ),
    "two searches": ({"tools": [{"type": "web_search"}] * 2}, f"{DOUBLE}only one web_search tool is allowed"),
    "file": (
        {"input": [{"role": "user", "content": [{"type": "input_file"}]}]},
        f'{DOUBLE}unknown content part type: "input_file"',
    ),
    "image url": (
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "http://x/a.png"}]}]},
        "Invalid request: unsupported image url: http://x/a.png",
    ),
    "item": (
        {"input": [{"type": "item_reference", "id": "x"}]},
        f'{DOUBLE}input: unsupported item type "item_reference"',
    ),
    "role": ({"input": [{"role": "system", "content": "x"}]}, f'{DOUBLE}input: unsupported role "system"'),
    "custom": ({"tools": [{"type": "custom", "name": "shell"}]}, f'{DOUBLE}unsupported custom tool: "shell"'),
    "output": (
        {"input": [{"type": "function_call_output", "call_id": "x", "output": "1"}]},
        "tool_call_id x is not found",
    ),
}


@pytest.mark.parametrize(("body", "text"), REFUSED.values(), ids=REFUSED)
def test_refused(kimi: Emulator, body: dict[str, Any], text: str) -> None:
    """A 400 whose error has `param` and `code`, in the words that were measured."""
    got = respond(kimi, **body)
    expected = {"message": text, "type": "invalid_request_error", "param": None, "code": "invalid_request_error"}
    assert (got.status, got.json["error"]) == (400, expected)


def test_unknown_model(kimi: Emulator) -> None:
    """An unknown model is a 400 here, and has a code."""
    got = respond(kimi, model="kimi-nonexistent")
    assert (got.status, got.json["error"]["param"], got.json["error"]["code"]) == (400, "model", "model_not_found")
    assert got.json["error"]["message"] == "Not found the model kimi-nonexistent or Permission denied"


IGNORED = {"thinking": {"type": "disabled"}, "metadata": {"a": "b"}, "truncation": "auto", "unknown": 1}


def test_ignored(kimi: Emulator) -> None:
    """Unknown fields, effort "medium" and a summary are accepted."""
    assert respond(kimi, reasoning={"effort": "medium", "summary": "auto"}, **IGNORED).status == 200


SWITCHES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "K2": ({"responses_on_k2": False}, {"model": "kimi-k2.6"}),
    "previous id": ({"responses_unsupported": "reject"}, {"previous_response_id": "resp_1"}),
    "store": ({"responses_unsupported": "reject"}, {"store": True}),
    "include": ({"responses_unsupported": "reject"}, {"include": ["reasoning.encrypted_content"]}),
}


@pytest.mark.parametrize(("switch", "body"), SWITCHES.values(), ids=SWITCHES)
def test_switches(kimi: Emulator, switch: dict[str, Any], body: dict[str, Any]) -> None:
    """What is not documented is accepted by default, and refused with a switch."""
    assert respond(kimi, **body).status == 200
    with Emulator(behaviour=Behaviour(**switch)) as other:
        assert respond(other, **body).status == 400


def test_more_switches() -> None:
    """The API can be absent, accept the role "system", and count calls over the conversation."""
    with Emulator(behaviour=Behaviour(has_responses=False)) as kimi:
        assert respond(kimi).json["error"] == "url.not_found"
    called = [{"type": "function_call", "call_id": "get_weather_0", "name": "get_weather", "arguments": "{}"}]
    result = [{"type": "function_call_output", "call_id": "get_weather_0", "output": "1"}]
    with Emulator(behaviour=Behaviour(responses_system_role=True, call_ids="conversation")) as kimi:
        kimi.script(call("get_weather", {}))
        items = [{"role": "system", "content": "x"}, *called, *result, {"role": "user", "content": "again"}]
        assert respond(kimi, input=items, tools=[WEATHER]).json["output"][-1]["call_id"] == "get_weather_1"


def test_failures() -> None:
    """An error before the first event is an HTTP error; later it is `response.failed`, or an `error` event."""
    with Emulator() as kimi:
        kimi.script(error("broken", type="server_error", status=500))
        assert respond(kimi, stream=True).status == 500
        kimi.script(say("a"), error("broken"))
        assert stream(kimi)[-1]["response"]["error"]["message"] == "broken"
        kimi.fail(ends_after("finish"))
        assert stream(kimi)[-1]["type"] == "response.output_item.done"
        kimi.fail(rate_limited())
        assert respond(kimi).status == 429
    with Emulator(behaviour=Behaviour(responses_failure="error")) as kimi:
        kimi.script(say("a"), error("broken"))
        assert (stream(kimi)[-1]["type"], kimi.responses[-1]["stream"]) == ("error", True)


def test_limits_signature_and_charge() -> None:
    """The limits reserve the default of 131,072 tokens; answers are paid for and signed."""
    with Emulator(limits=AccountLimits(tpm=140_000), balance=1) as kimi:
        nonce = {"X_Msh_Request_Nonce": "n"}
        got = send(kimi, "POST", "/v1/responses", {"model": "kimi-k3", "input": "Hi"}, **nonce)
        assert got.headers["Msh-Request-Signature"].startswith("reqsigv1_")
        assert kimi.balance < 1
        assert respond(kimi).status == 429
        assert kimi.limits.reserved_tokens > 131_072
