"""The official tools over sockets: declarations, runs, failures, price, switches."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator, call, overloaded
from tests.emulator.http import Got, chat, send

SEARCH = "moonshot/web-search:latest"


def tools(kimi: Emulator, uri: str) -> Got:
    return send(kimi, "GET", f"/v1/formulas/{uri}/tools")


def run(kimi: Emulator, uri: str, name: str, **arguments: Any) -> Got:
    body = {"name": name, "arguments": json.dumps(arguments)}
    return send(kimi, "POST", f"/v1/formulas/{uri}/fibers", body)


def output(kimi: Emulator, uri: str, name: str, **arguments: Any) -> Any:
    return run(kimi, uri, name, **arguments).json["context"]["output"]


def test_declarations(kimi: Emulator) -> None:
    """There are twelve formulas; each has functions that a chat request may offer, and excel is a plugin."""
    names = [f"{each['namespace']}/{each['name']}" for each in send(kimi, "GET", "/v1/formulas").json["data"]]
    assert len(names) == 12
    found = {name: tools(kimi, name).json["tools"] for name in names}
    assert [tool["function"]["name"] for tool in found["moonshot/base64"]] == ["base64_encode", "base64_decode"]
    plugin = found.pop("moonshot/excel")[0]["_plugin"]
    assert [each["name"] for each in plugin["functions"]] == ["read_file", "list_sheets"]
    every = [tool for entries in found.values() for tool in entries]
    assert chat(kimi, tools=every).status == 200


@pytest.mark.parametrize("uri", ["moonshot/code_runner:latest", "other/web-search:latest", "moonshot/date:v9"])
def test_unknown_formula(kimi: Emulator, uri: str) -> None:
    """An unknown URI is a 404; so is code_runner, which older docs name."""
    for got in (tools(kimi, uri), run(kimi, uri, "x")):
        assert (got.status, got.json["error"]["message"]) == (404, "formula not found")


def test_a_fiber(kimi: Emulator) -> None:
    """A run has the documented fields, its input as it came, and an output."""
    got = run(kimi, "moonshot/base64", "base64_encode", text="hi").json
    assert (got["object"], got["status"], got["formula"]) == ("fiber", "succeeded", "moonshot/base64:latest")
    assert json.loads(got["context"]["input"]) == {"name": "base64_encode", "arguments": '{"text": "hi"}'}
    assert got["context"]["output"] == "aGk="
    assert kimi.fibers == [got]


OUTPUTS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "decode": ("base64", "base64_decode", {"text": "aGk="}, "hi"),
    "code that prints": ("code-runner", "code_runner", {"code": "print('a')\nprint(2)"}, "a\n2"),
    "code that does not": ("code-runner", "code_runner", {"code": "1 + 1"}, ""),
    "javascript": ("quickjs", "quickjs", {"code": "console.log('a')"}, "a"),
    "convert": ("convert", "convert", {"value": 2, "from_unit": "km", "to_unit": "m"}, "2000"),
    "fetch": ("fetch", "fetch", {"url": "https://x", "max_length": 4}, "This"),
    "rethink": ("rethink", "rethink", {"thought": "hm"}, "hm"),
    "choice": ("random-choice", "random_choice", {"candidates": ["a", "b"]}, "a"),
    "cat": ("mew", "mew_generator", {}, "mew"),
    "sheets": ("excel", "excel.list_sheets", {}, '["Sheet1"]'),
    "file": ("excel", "excel_read_file", {"file": "f"}, "a,b\n1,2\n# emulated sheet of f"),
}


@pytest.mark.parametrize(("uri", "name", "arguments", "expected"), OUTPUTS.values(), ids=OUTPUTS)
def test_outputs(kimi: Emulator, uri: str, name: str, arguments: dict[str, Any], expected: str) -> None:
    """Each tool has a deterministic output."""
    assert output(kimi, f"moonshot/{uri}:latest", name, **arguments) == expected


def test_date_and_memory() -> None:
    """The date is the emulator's clock; memory keeps texts on the server."""
    with Emulator(clock=0) as kimi:
        assert output(kimi, "moonshot/date", "date") == "1970-01-01T00:00:00+00:00"
        for arguments in ({"action": "set", "key": "a", "value": "1"}, {"action": "get", "key": "a"}):
            last = output(kimi, "moonshot/memory", "memory", **arguments)
        assert last == "1"
        assert output(kimi, "moonshot/memory", "memory", action="list") == '["a"]'


def test_search_is_encrypted_and_priced() -> None:
    """The output of a search can be read by the model alone, as long as it comes back unchanged; it costs 0.005 USD."""
    with Emulator(balance=1) as kimi:
        context = run(kimi, SEARCH, "web_search", query="tea").json["context"]
        assert kimi.balance == Decimal("0.995")
        assert context["references"][0]["url"] == "https://example.com/emulated-result"
        sealed = context["encrypted_output"]
        assert "tea" not in sealed
        assert sealed.startswith("----MOONSHOT ENCRYPTED BEGIN----")
        assert sealed.endswith("----MOONSHOT ENCRYPTED END----")
        for text, read in ((sealed, "All about tea"), (sealed.replace("BEGIN----", "BEGIN----AA"), "(unreadable)")):
            calling = {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f"}}]}
            result = {"role": "tool", "tool_call_id": "a", "content": text}
            got = chat(kimi, messages=[{"role": "user", "content": "x"}, calling, result])
            assert read in got.message["content"]
    with Emulator(balance=0) as kimi:
        assert run(kimi, SEARCH, "web_search", query="tea").status == 429
        assert run(kimi, "moonshot/mew", "mew_generator").status == 200


FAILURES: dict[str, tuple[str, Any, str]] = {
    "unknown function": ("fetch", "{}", "function fetch not found"),
    "no argument": ("base64_decode", "{}", "missing argument: text"),
    "no JSON": ("base64_decode", "{", "arguments are not valid JSON"),
    "no object": ("base64_decode", "[1]", "arguments must be the text of a JSON object"),
    "no text": ("base64_decode", {"text": "aGk="}, "arguments must be the text of a JSON object"),
    "bad value": ("base64_decode", '{"text": "?"}', "not base64"),
}


@pytest.mark.parametrize(("name", "arguments", "text"), FAILURES.values(), ids=FAILURES)
def test_failures(kimi: Emulator, name: str, arguments: Any, text: str) -> None:
    """A failed run is a 200 with another status and an error."""
    body = {"name": name, "arguments": arguments}
    got = send(kimi, "POST", "/v1/formulas/moonshot/base64/fibers", body)
    assert (got.status, got.json["status"], got.json["error"]) == (200, "failed", text)
    assert "output" not in got.json["context"]


def test_scripted_outputs(kimi: Emulator) -> None:
    """`fiber_reply` returns the output of a run, of any JSON type, or raises its error; faults reach fibers too."""
    replies: list[Any] = [{"a": 1}, None, "text"]
    kimi.fiber_reply = lambda _: replies.pop(0) if replies else 1 / 0
    assert [output(kimi, "moonshot/mew", "mew_generator") for _ in range(3)] == [{"a": 1}, "mew", "text"]
    assert run(kimi, "moonshot/mew", "mew_generator").json["error"] == "division by zero"
    kimi.fail(overloaded(), path="/fibers")
    assert run(kimi, "moonshot/mew", "mew_generator").status == 429
    kimi.clear()
    assert (kimi.fibers, kimi.fiber_reply) == ([], None)


def test_switches() -> None:
    """Every unknown has a switch."""
    behaviour = Behaviour(
        formula_list=False,
        formula_plugins=False,
        formula_encrypted=("date",),
        formula_references="texts",
        formula_failure_status="error",
        formula_failure_http=400,
        formula_error_at="context",
    )
    with Emulator(behaviour=behaviour) as kimi:
        assert send(kimi, "GET", "/v1/formulas").json["error"] == "url.not_found"
        entries = tools(kimi, "moonshot/excel").json["tools"]
        assert [entry["function"]["name"] for entry in entries] == ["excel_read_file", "excel_list_sheets"]
        assert "encrypted_output" in run(kimi, "moonshot/date", "date").json["context"]
        assert run(kimi, SEARCH, "web_search", query="x").json["context"]["references"] == [
            "https://example.com/emulated-result"
        ]
        got = run(kimi, "moonshot/fetch", "fetch")
        assert (got.status, got.json["status"]) == (400, "error")
        assert got.json["context"]["error"] == "missing argument: url"
    with Emulator(behaviour=Behaviour(formula_references="none")) as kimi:
        assert "references" not in run(kimi, SEARCH, "web_search", query="x").json["context"]


@pytest.mark.parametrize("status", [400, 404])
def test_a_refused_run_costs_nothing(status: int) -> None:
    """An unknown function, and arguments that are no object, may be errors instead of runs that failed."""
    behaviour = Behaviour(formula_unknown_function="404" if status == 404 else "400", formula_bad_arguments="400")
    with Emulator(balance=1, behaviour=behaviour) as kimi:
        assert run(kimi, SEARCH, "other").status == status
        bad = send(kimi, "POST", f"/v1/formulas/{SEARCH}/fibers", {"name": "web_search", "arguments": "[]"})
        assert (bad.status, kimi.balance, kimi.fibers) == (400, 1, [])
        assert run(kimi, SEARCH, "web_search", query="x").json["status"] == "succeeded"


def test_body_without_a_name(kimi: Emulator) -> None:
    """A fiber needs the name of a function."""
    assert send(kimi, "POST", f"/v1/formulas/{SEARCH}/fibers", {"arguments": "{}"}).status == 400


def test_a_model_calls_an_official_tool(kimi: Emulator) -> None:
    """What the model calls can be run as it is."""
    kimi.script(call("web_search", {"query": "tea"}))
    function = chat(kimi, tools=tools(kimi, SEARCH).json["tools"]).message["tool_calls"][0]["function"]
    body = {"name": function["name"], "arguments": function["arguments"]}
    assert send(kimi, "POST", f"/v1/formulas/{SEARCH}/fibers", body).json["status"] == "succeeded"
