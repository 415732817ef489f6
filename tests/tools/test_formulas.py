"""`formula_tools`: what is declared, run, sent back and counted, under every switch of the emulator."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import openai
import pytest

from kimi_openai import KimiCompatWarning, Reference, UnexpectedAnswerError, formula_tools, instant, run_tools, track
from kimi_openai.emulator import Behaviour, Emulator, call, internal_error, overloaded, rate_limited, reset_after, say
from kimi_openai.models.formulas import FORMULAS
from kimi_openai.usage.costs import PRICE_LIST_CNY, price_list
from tests.conftest import Mode
from tests.servers import MakeAnswering

from .helpers import ASK, results, weather

SEARCH = "moonshot/web-search:latest"
SOURCE = Reference("https://example.com/emulated-result", "Emulated result")
ENTRY = {"type": "function", "function": {"name": "a"}}
QUERY = '{"query":  "prime numbers"}'


def searched(mode: Mode, kimi: Emulator, *steps: Any, formulas: tuple[str, ...] = (SEARCH,)) -> Any:
    """The run in which Kimi makes these calls, and then gives an answer of the emulator's own."""
    client = mode.client(kimi)
    kimi.script(*steps)
    with instant():
        tools = mode.run(formula_tools(client, *formulas))
        return mode.run(run_tools(client, **ASK, tools=[*tools, weather]))


def test_a_search_among_own_functions(mode: Mode, kimi: Emulator) -> None:
    """The declaration is the service's, the arguments and the encrypted output go on to the letter, and the sources
    come with the run."""
    run = searched(mode, kimi, call("web_search", QUERY), call("weather", {"city": "Paris"}))
    declared = {tool["function"]["name"]: tool["function"] for tool in kimi.chats[0]["tools"]}
    assert [*declared] == ["web_search", "weather"]
    assert [*declared["web_search"]["parameters"]["properties"]] == ["query", "classes"]
    (fiber,) = kimi.fibers
    assert json.loads(fiber["context"]["input"]) == {"name": "web_search", "arguments": QUERY}
    assert results(kimi) == [fiber["context"]["encrypted_output"], '{"city":"Paris","sun":1}']
    assert "All about prime numbers" in run.completion.choices[0].message.content
    assert (run.references, str(SOURCE)) == ((SOURCE,), SOURCE.url)
    assert {type(message.get("content")) for message in run.messages} == {str}


def test_the_ledger_has_the_price_of_each_call(mode: Mode, kimi: Emulator) -> None:
    """Beside the tokens of the answers; together it is what the account paid. Free tools cost nothing."""
    client, before = mode.client(kimi), kimi.balance
    kimi.script(call("web_search", QUERY), call("web_search", QUERY), call("date"))
    with track(client) as ledger:
        mode.run(run_tools(client, **ASK, tools=mode.run(formula_tools(client, SEARCH, "date"))))
    rows = {row.model: row for row in ledger.rows}
    assert (rows[SEARCH].calls, rows[SEARCH].uncounted, rows[SEARCH].cost) == (2, 0, Decimal("0.010"))
    assert (rows["moonshot/date:latest"].calls, rows["moonshot/date:latest"].cost) == (1, 0)
    assert ledger.cost == before - kimi.balance
    assert "moonshot/web-search:latest" in repr(ledger)


def test_sources_are_named_once(mode: Mode, kimi: Emulator) -> None:
    """Two searches that name the same source; the second ledger sees two calls."""
    run = searched(mode, kimi, call("web_search", {"query": "a"}), call("web_search", {"query": "b"}))
    assert (len(kimi.fibers), run.references) == (2, (SOURCE,))


@pytest.mark.parametrize(
    ("references", "found"), [("none", ()), ("texts", (Reference(SOURCE.url),)), ("objects", (SOURCE,))]
)
@pytest.mark.parametrize("encrypted", [(), ("web_search",)])
def test_outputs_and_references(mode: Mode, references: Any, found: Any, encrypted: Any) -> None:
    """Plain and encrypted outputs, with references in each form."""
    with Emulator(behaviour=Behaviour(formula_references=references, formula_encrypted=encrypted)) as kimi:
        run = searched(mode, kimi, call("web_search", QUERY))
        context = kimi.fibers[0]["context"]
        assert results(kimi) == [context.get("encrypted_output") or context["output"]]
        assert run.references == found


@pytest.mark.parametrize("is_plugin", [True, False])
def test_a_plugin(mode: Mode, is_plugin: bool) -> None:
    """excel has two functions, which are offered as `excel_name` and run as `excel.name` or as they are declared."""
    with Emulator(behaviour=Behaviour(formula_plugins=is_plugin)) as kimi:
        searched(mode, kimi, call("excel_read_file", {"file": "f"}), call("excel_list_sheets"), formulas=("excel",))
        names = {json.loads(each["context"]["input"])["name"] for each in kimi.fibers}
        dot = "." if is_plugin else "_"
        assert names == {f"excel{dot}read_file", f"excel{dot}list_sheets"}
        assert results(kimi) == ["a,b\n1,2\n# emulated sheet of f", '["Sheet1"]']


@pytest.mark.parametrize("place", ["error", "context"])
@pytest.mark.parametrize("status", ["failed", "cancelled"])
@pytest.mark.parametrize("http", [200, 400, 500])
def test_a_failed_call_is_told_to_the_model(mode: Mode, place: Any, status: str, http: int) -> None:
    """Wherever the service puts the reason, and whatever the HTTP status; it ran, so it is not sent again."""
    behaviour = Behaviour(formula_error_at=place, formula_failure_status=status, formula_failure_http=http)
    with Emulator(behaviour=behaviour) as kimi:
        searched(mode, kimi, call("base64_decode", {"text": "?"}), formulas=("base64",))
        assert results(kimi) == ["Error: the tool failed: not base64"]
        assert fibers_sent(kimi) == 1


@pytest.mark.parametrize("answer", ["fiber", "400"])
@pytest.mark.parametrize("arguments", ['{"query": ', "[1]"])
def test_arguments_that_are_no_object(mode: Mode, answer: Any, arguments: str) -> None:
    """The loop tells the model, and nothing is sent that would be billed; to run the tool oneself is an error."""
    with Emulator(behaviour=Behaviour(formula_bad_arguments=answer)) as kimi:
        searched(mode, kimi, call("web_search", arguments))
        assert (fibers_sent(kimi), results(kimi)[0].startswith("Error: ")) == (0, True)
        (tool,) = mode.run(formula_tools(mode.client(kimi), SEARCH))
        if answer == "fiber":
            assert mode.run(tool.run(arguments)).startswith("Error: the tool failed: arguments")
        else:
            with pytest.raises(openai.BadRequestError, match="arguments"):
                mode.run(tool.run(arguments))


@pytest.mark.parametrize("answer", ["fiber", "400", "404"])
def test_a_function_that_the_service_does_not_have_any_more(mode: Mode, answering: MakeAnswering, answer: Any) -> None:
    """The model is told, however the service says so."""
    declared = json.dumps({"tools": [ENTRY]}).encode()
    with Emulator(behaviour=Behaviour(formula_unknown_function=answer)) as kimi:
        client = mode.client(kimi, base_url=answering(200, declared).base_url)
        (tool,) = mode.run(formula_tools(client, SEARCH))
        client.base_url = kimi.base_url
        kimi.script(call("a", {}))
        kimi.script(say("ok"))
        mode.run(run_tools(client, **ASK, tools=[tool]))
        (text,) = results(kimi)
        assert text.startswith("Error: ")


OUTPUTS = {
    "an object": ({"a": ["é"]}, '{"a": ["é"]}'),
    "a number": (3, "3"),
    "an empty text": ("", "(empty)"),
    "spaces": (" \n a ", " \n a "),
}


@pytest.mark.parametrize(("output", "text"), OUTPUTS.values(), ids=OUTPUTS)
def test_what_is_no_text_is_sent_as_json(mode: Mode, kimi: Emulator, output: Any, text: str) -> None:
    """Texts are sent to the letter."""
    kimi.fiber_reply = lambda _: output
    searched(mode, kimi, call("date"), formulas=("date",))
    assert results(kimi) == [text]


def test_a_fiber_without_output_and_one_that_is_none(mode: Mode, answering: MakeAnswering) -> None:
    """The model gets a short text, or the error. The server answers the same to both requests."""
    declared = {"object": "list", "tools": [{"type": "function", "function": {"name": "date"}}]}
    for answer, text in (
        ({"status": "succeeded", "context": {}}, "(the tool ran and returned no output)"),
        ({"status": "odd"}, "Error: the tool failed: Unknown error"),
    ):
        server = answering(200, json.dumps({**declared, **answer}).encode())
        client = mode.client(api_key="sk-1", base_url=server.base_url)
        (tool,) = mode.run(formula_tools(client, "date"))
        assert mode.run(tool.run("{}")) == text
    server = answering(200, json.dumps(declared).encode())
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    (tool,) = mode.run(formula_tools(client, "date"))
    with track(client) as ledger, pytest.raises(UnexpectedAnswerError, match="the run of a tool"):
        mode.run(tool.run("{}"))
    assert [(row.calls, row.uncounted) for row in ledger.rows] == [(1, 1)]


def test_entries_of_unknown_forms_are_left_out(mode: Mode, answering: MakeAnswering) -> None:
    """With a warning, and an answer without tools is an error."""
    entries = [{"type": "widget"}, 7, {"_plugin": {"functions": [{}]}}, ENTRY]
    server = answering(200, json.dumps({"tools": entries}).encode())
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    with pytest.warns(KimiCompatWarning, match="a tool of an unknown form") as warned:
        assert [tool.name for tool in mode.run(formula_tools(client, "new"))] == ["a"]
    assert len(warned) == 3


BAD = {
    "no tools": b"{}",
    "a text": b'"x"',
    "no JSON": b"<html>",
    "twice": json.dumps({"tools": [ENTRY, ENTRY]}).encode(),
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD)
def test_an_answer_that_declares_nothing(mode: Mode, answering: MakeAnswering, answer: bytes) -> None:
    """An error of the SDK's classes, for one formula and for all that there are."""
    client = mode.client(api_key="sk-1", base_url=answering(200, answer).base_url)
    for names in (("new",), ()):
        if names or answer in (BAD["a text"], BAD["no JSON"]):
            with pytest.raises(openai.OpenAIError):
                mode.run(formula_tools(client, *names))


def test_without_names_all_that_keep_no_data(mode: Mode) -> None:
    """memory and excel must be named; without the list, the formulas that are known."""
    found: list[list[str]] = []
    for has_list in (True, False):
        with Emulator(behaviour=Behaviour(formula_list=has_list)) as kimi:
            found.append([tool.name for tool in mode.run(formula_tools(mode.client(kimi)))])
            asked = [each.path for each in kimi.requests if each.path.endswith("/tools")]
            assert len(asked) == len(FORMULAS) - 2
    assert found[0] == found[1]
    assert {"web_search", "fetch", "base64_decode"} < {*found[0]}
    assert not {"memory", "excel_read_file"} & {*found[0]}


def test_names_that_clash(mode: Mode, kimi: Emulator) -> None:
    """With a function of the caller's; the same formula twice is one."""

    def web_search(query: str) -> str:
        return query

    client = mode.client(kimi)
    tools = mode.run(formula_tools(client, "web-search", "moonshot/web-search", SEARCH))
    assert len(tools) == 1
    with pytest.raises(ValueError, match="two tools are named 'web_search'"):
        mode.run(run_tools(client, **ASK, tools=[web_search, *tools]))


def test_names_that_are_no_formulas(mode: Mode, kimi: Emulator) -> None:
    """An unknown one is a 404 of the service; a name that would change the path is refused."""
    client = mode.client(kimi)
    with pytest.raises(openai.NotFoundError, match="formula not found"):
        mode.run(formula_tools(client, "moonshot/code_runner:latest"))
    for name in ("", "../files", "a/b/c", "moonshot/x y", "moonshot/web-search?x"):
        with pytest.raises(ValueError, match="is not the URI of an official tool"):
            mode.run(formula_tools(client, name))


SAFE = {"429": rate_limited(retry_after=1), "503": overloaded(), "500": internal_error()}


@pytest.mark.parametrize("fault", SAFE.values(), ids=SAFE)
def test_a_call_that_did_not_happen_is_made_again(mode: Mode, kimi: Emulator, fault: Any) -> None:
    """The service says so; the price is paid once."""
    kimi.fail(fault, path="/fibers")
    run = searched(mode, kimi, call("web_search", QUERY))
    assert (len(kimi.fibers), fibers_sent(kimi), run.references) == (1, 2, (SOURCE,))


@pytest.mark.parametrize("fault", SAFE.values(), ids=SAFE)
@pytest.mark.parametrize("name", ["memory", "excel_list_sheets"])
def test_what_may_change_something_is_never_sent_again(mode: Mode, kimi: Emulator, name: str, fault: Any) -> None:
    """Not even then; the model is told."""
    kimi.fail(fault, path="/fibers")
    searched(mode, kimi, call(name, {"action": "set", "key": "a", "value": "b"}), formulas=("memory", "excel"))
    assert fibers_sent(kimi) == 1
    assert results(kimi)[0].startswith("Error: ")


def fibers_sent(kimi: Emulator) -> int:
    """How many requests for a run came."""
    return sum(each.path.endswith("/fibers") for each in kimi.requests)


def test_a_call_that_may_have_happened_is_not_made_again(mode: Mode, kimi: Emulator) -> None:
    """The connection broke after the request; the ledger counts a call that may be billed."""
    kimi.fail(reset_after(0), path="/fibers")
    client = mode.client(kimi)
    tools = mode.run(formula_tools(client, SEARCH))
    kimi.script(call("web_search", QUERY))
    kimi.script(say("ok"))
    with track(client) as ledger:
        mode.run(run_tools(client, **ASK, tools=tools))
    assert fibers_sent(kimi) == 1
    assert results(kimi)[0].startswith("Error: APIConnectionError")
    assert [(row.calls, row.uncounted, row.cost) for row in ledger.rows if row.model == SEARCH] == [(1, 1, 0)]


@pytest.mark.parametrize("status", [502, 504])
def test_the_page_of_a_gateway_says_nothing(mode: Mode, answering: MakeAnswering, kimi: Emulator, status: int) -> None:
    """It may have passed the request on, so it is not sent again; nor is it after a time-out, which 504 reports."""
    body = b"<html>" if status == 502 else b'{"error": {"message": "gateway timeout"}}'
    server = answering(status, body)
    client = mode.client(kimi)
    (tool,) = mode.run(formula_tools(client, SEARCH))
    client.base_url = server.base_url
    with pytest.raises(openai.InternalServerError), track(client) as ledger, instant():
        mode.run(tool.run(QUERY))
    assert (len(server.requests), [row.uncounted for row in ledger.rows]) == (1, [1])


def test_a_refused_connection_is_tried_again(mode: Mode, kimi: Emulator) -> None:
    """Nothing was sent, so nothing is counted either; `max_retries` says how often, and `on_retry` hears of it."""
    heard: list[Any] = []
    client = mode.client(kimi, max_retries=1, on_retry=heard.append)
    (tool,) = mode.run(formula_tools(client, SEARCH))
    client.base_url = "http://127.0.0.1:9/v1"
    with pytest.raises(openai.APIConnectionError), track(client) as ledger, instant():
        mode.run(tool.run(QUERY))
    assert (len(heard), ledger.calls) == (1, 0)


def test_prices_of_both_regions() -> None:
    """In USD and in CNY; a formula that is not known has none."""
    ai, cn = price_list(None), PRICE_LIST_CNY
    assert (ai.cost_of_calls(SEARCH, 3), cn.cost_of_calls(SEARCH, 3)) == (Decimal("0.015"), Decimal("0.09"))
    assert (ai.cost_of_calls("moonshot/date:latest", 3), ai.cost_of_calls("moonshot/new:latest", 3)) == (0, None)


def test_a_call_that_takes_too_long_is_counted(kimi: Emulator) -> None:
    """An asynchronous one is cancelled by `tool_timeout`; it may be billed."""
    mode = Mode("async")
    try:
        client = mode.client(kimi)
        tools = mode.run(formula_tools(client, SEARCH))
        kimi.fiber_reply = lambda _: time.sleep(0.3)
        kimi.script(call("web_search", QUERY))
        kimi.script(say("ok"))
        with track(client) as ledger:
            mode.run(run_tools(client, **ASK, tools=tools, tool_timeout=0.05))
        assert "did not end within 0.05 seconds" in results(kimi)[0]
        assert [(row.calls, row.uncounted) for row in ledger.rows if row.model == SEARCH] == [(1, 1)]
    finally:
        mode.close()
