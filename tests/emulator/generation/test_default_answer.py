"""The default answer: it quotes, calls tools, and writes JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.emulator.generation.default_answer import default_steps
from kimi_openai.emulator.generation.script import Call, Say, Think

PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": PARAMETERS}} for name in ("get_weather", "get_time")
]


def answered(question: Any = "Hello?", *more: Any, **body: Any) -> Any:
    return default_steps({"messages": [{"role": "user", "content": question}, *more], **body})


def test_quotes_the_question() -> None:
    """Reasoning first, then the question; parts count as text."""
    assert [type(step) for step in answered()] == [Think, Say]
    assert '"Hello?"' in answered([{"type": "text", "text": "Hello?"}])[-1].text


def test_reasoning_grows_with_effort() -> None:
    """The default of K3 is the highest; other words are like the lowest, as was measured."""
    efforts = ("low", "high", "max", None, "medium")
    texts = [answered(model="kimi-k3", reasoning_effort=effort)[0].text for effort in efforts]
    assert len(texts[0]) < len(texts[1]) < len(texts[2])
    assert texts[3:] == [texts[2], texts[0]]


CALLS: dict[str, tuple[str, dict[str, Any], str | None]] = {
    "required": ("Hi", {"tool_choice": "required"}, "get_weather"),
    "named in the question": ("Please use get_time now", {}, "get_time"),
    "named in tool_choice": ("Hi", {"tool_choice": {"function": {"name": "get_time"}}}, "get_time"),
    "words of the name": ("What is the weather in Rome?", {}, "get_weather"),
    "a better match": ("Tell me the time", {"tool_choice": "required"}, "get_time"),
    "not mentioned": ("Hi", {}, None),
    "part of a word": ("my_get_time2", {}, None),
    "forbidden": ("Please use get_time", {"tool_choice": "none"}, None),
}


@pytest.mark.parametrize(("question", "body", "name"), CALLS.values(), ids=CALLS)
def test_calls(question: str, body: dict[str, Any], name: str | None) -> None:
    """A tool is called when it is required or clearly named, with arguments that fit its schema."""
    step = answered(question, tools=TOOLS, **body)[-1]
    assert (step.name, json.loads(step.arguments)) == (name, {"city": "city"}) if name else isinstance(step, Say)


def test_web_search() -> None:
    """The builtin is called with an object that names its tokens."""
    step = answered("use $web_search", tools=[{"type": "builtin_function", "function": {"name": "$web_search"}}])[-1]
    assert isinstance(step, Call)
    assert json.loads(step.arguments)["usage"]["total_tokens"] > 0


def test_quotes_tool_results() -> None:
    """After tool results the answer repeats them, and no tool is called again."""
    results = [{"role": "tool", "tool_call_id": str(n), "content": text} for n, text in enumerate(["sunny", "22 C"])]
    assert answered("use get_weather", *results, tools=TOOLS)[-1] == Say("The tool answered: sunny; 22 C")


def test_text_beside_a_required_call() -> None:
    """K3 was seen to answer with a text and a call, if a call is required."""
    body = {"messages": [{"role": "user", "content": "Hi"}], "tools": TOOLS}
    assert [type(step) for step in default_steps({**body, "tool_choice": "required"}, speaks_beside_call=True)] == [
        Think,
        Say,
        Call,
    ]
    assert len(default_steps(body, speaks_beside_call=True)) == 2


@pytest.mark.parametrize(
    ("body", "effort"),
    [({}, "max"), ({"reasoning_effort": "low"}, "low"), ({"thinking": {"effort": "high"}}, "high")],
)
def test_the_effort_when_asked(body: dict[str, Any], effort: str) -> None:
    """A model with efforts names its own; one without quotes the question."""
    assert answered("What is your reasoning effort?", model="kimi-k3", **body)[-1] == Say(effort)
    assert "You asked" in answered("What is your reasoning effort?", model="kimi-k2.6", **body)[-1].text


JSON_PROMPTS: dict[str, tuple[str, dict[str, Any]]] = {
    "an example": ('Like {"city": "...", "people": 3, "tags": []}', {"city": "city", "people": 1, "tags": []}),
    "quoted keys": ("An object with `city` and 'country', please", {"city": "city", "country": "country"}),
    "listed keys": ("Reply as json with keys city, river and country.", {"river": "river", "country": "country"}),
    "no keys": ("Reply as json.", {"question": "Reply as json."}),
}


@pytest.mark.parametrize(("prompt", "wanted"), JSON_PROMPTS.values(), ids=JSON_PROMPTS)
def test_keys_of_json_mode(prompt: str, wanted: dict[str, Any]) -> None:
    """JSON mode answers with the keys that the prompt shows, quotes or lists."""
    found = json.loads(answered(prompt, response_format={"type": "json_object"})[-1].text)
    assert wanted.items() <= found.items()


def test_json() -> None:
    """With a response format the answer is JSON."""
    schema = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 3}}, "required": ["n"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    assert json.loads(answered(response_format=wanted)[-1].text) == {"n": 3}
    assert isinstance(json.loads(answered(response_format={"type": "json_object"})[-1].text), dict)
