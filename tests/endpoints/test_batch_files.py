"""`batch_results` under every reading of what the docs leave open, and what the ledger counts of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openai
import pytest

from kimi_openai import (
    BatchFailedError,
    BatchUnfinishedError,
    KimiCompatWarning,
    batch_results,
    delete_batch_files,
    instant,
    submit_batch,
    track,
    wait_for_batch,
)
from kimi_openai.emulator import Emulator, drop_after, ends_after, reset_after
from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.endpoints.batch_output import LineSplitter, result_of
from tests.conftest import Mode

from .batches import MODEL, ended, question, questions

pytestmark = pytest.mark.k2

MIXED = {"good": question("one"), "bad": question("two", temperature=0.3), "fine": question("three")}
"""With `compat="off"` and the switch for it, one of three has an error."""


def by_id(mode: Mode, client: Any, batch: Any, **options: Any) -> dict[str, Any]:
    """The results by their ids, of which none comes twice."""
    results = mode.each(batch_results(client, batch, **options))
    found = {result.custom_id: result for result in results}
    assert len(found) == len(results)
    return found


@pytest.mark.parametrize("order", ["shuffled", "input"])
def test_answers_are_found_by_their_ids(mode: Mode, order: Any) -> None:
    """In whatever order they come: each answers its own question, with its reasoning."""
    with Emulator(behaviour=Behaviour(batch_order=order)) as kimi:
        client = mode.client(kimi)
        batch = ended(mode, client, questions(20))
        found = by_id(mode, client, batch)
        assert set(found) == set(questions(20))
        for number, (custom_id, result) in enumerate(sorted(found.items(), key=lambda item: int(item[0][1:]))):
            message = result.completion.choices[0].message
            assert (result.status, result.error) == ("completed", None)
            assert f"Question {number} " in message.content.replace('"', " ")
            assert message.reasoning_content
            assert result.line["custom_id"] == custom_id
        assert by_id(mode, client, batch.id) == found


@pytest.mark.parametrize("line", ["response", "error"])
@pytest.mark.parametrize("place", ["error_file", "both"])
def test_errors_are_read_in_both_forms_and_places(mode: Mode, line: Any, place: Any) -> None:
    """An error says what it is, and that to ask again does not help."""
    behaviour = Behaviour(batch_error_line=line, batch_errors_in=place, batch_sampling="line")
    with Emulator(behaviour=behaviour) as kimi:
        client = mode.client(kimi, compat="off")
        found = by_id(mode, client, ended(mode, client, MIXED))
        assert {name: result.status for name, result in found.items()} == {
            "good": "completed",
            "bad": "failed",
            "fine": "completed",
        }
        error = found["bad"].error
        assert (error.type, error.message) == (
            "invalid_request_error",
            "Invalid request: sampling parameters are not supported in batches",
        )
        assert error.status_code == (400 if line == "response" else None)
        assert (error.fault.kind, error.fault.retry) == ("bad_request", False)
        assert str(error).endswith(
            "invalid_request_error Invalid request: sampling parameters are not supported in batches"
        )


@pytest.mark.parametrize("empty", [True, False])
def test_a_batch_without_errors_may_have_an_error_file(mode: Mode, empty: bool) -> None:
    """Or none."""
    with Emulator(behaviour=Behaviour(batch_empty_error_file=empty)) as kimi:
        client = mode.client(kimi)
        batch = ended(mode, client, questions(3))
        assert (batch.error_file_id is not None) == empty
        assert len(by_id(mode, client, batch)) == 3


@pytest.mark.parametrize("keeps", [True, False])
@pytest.mark.parametrize("are_ids_passed", [True, False], ids=["ids", "input file"])
@pytest.mark.parametrize("end", ["expired", "cancelled"])
def test_a_batch_that_ended_early_names_what_did_not_run(
    mode: Mode, end: str, are_ids_passed: bool, keeps: bool
) -> None:
    """Expired and cancelled are told apart; what was done is there if Kimi keeps it."""
    behaviour = Behaviour(batch_keeps_partial=keeps, batch_expires=end == "expired")
    with Emulator(behaviour=behaviour) as kimi, instant():
        client = mode.client(kimi)
        batch = mode.run(submit_batch(client, questions(4)))
        if end == "cancelled":
            for _ in range(2):
                mode.run(client.batches.retrieve(batch.id))
            assert mode.run(client.batches.cancel(batch.id)).status == "cancelling"
        batch = mode.run(wait_for_batch(client, batch))
        options = {"ids": iter(questions(4))} if are_ids_passed else {}
        found = by_id(mode, client, batch, **options)
        done = ["r0", "r1"] if keeps else []
        assert {name: result.status for name, result in found.items()} == {
            name: "completed" if name in done else end for name in questions(4)
        }


def test_a_batch_cancelled_before_it_began_names_all(mode: Mode, kimi: Emulator) -> None:
    """It has no counts yet."""
    client = mode.client(kimi)
    batch = mode.run(submit_batch(client, questions(2)))
    mode.run(client.batches.cancel(batch.id))
    with instant():
        batch = mode.run(wait_for_batch(client, batch))
    assert {result.status for result in by_id(mode, client, batch).values()} == {"cancelled"}
    mode.run(client.files.delete(batch.input_file_id))
    with pytest.warns(KimiCompatWarning, match="some requests of .* their ids cannot be read"):
        assert by_id(mode, client, batch) == {}


def test_a_request_without_a_line_is_missing(mode: Mode, kimi: Emulator) -> None:
    """And named; a line that is in no form of a result is passed over."""
    client = mode.client(kimi)
    batch = ended(mode, client, questions(3))
    output = kimi._state.files.by_id[batch.output_file_id]
    lines = sorted(output.data.splitlines(keepends=True), key=lambda line: json.loads(line)["custom_id"])
    data = b"[]\n" + b"".join(lines[:2]) + b'{"custom_id": 3}\n'
    kimi._state.files.by_id[batch.output_file_id] = replace(output, data=data)
    found = by_id(mode, client, batch)
    assert {name: result.status for name, result in found.items()} == {
        "r0": "completed",
        "r1": "completed",
        "r2": "missing",
    }


def test_a_batch_that_failed_says_so(mode: Mode, kimi: Emulator) -> None:
    """`failed` has no field for the reason; the error names what to do."""
    client = mode.client(kimi, compat="off")
    batch = ended(mode, client, {"a": question(model="kimi-k3")})
    assert batch.status == "failed"
    with pytest.raises(BatchFailedError, match="none of its requests ran: Kimi does not say why") as raised:
        mode.each(batch_results(client, batch))
    assert raised.value.batch.id == batch.id


@pytest.mark.parametrize("model", ["line", "failed"])
def test_a_model_without_batches_may_be_refused_anywhere(mode: Mode, model: Any) -> None:
    """In each line, or as a whole."""
    with Emulator(behaviour=Behaviour(batch_model=model)) as kimi:
        client = mode.client(kimi, compat="off")
        batch = ended(mode, client, {"a": question(model="kimi-k3")})
        if model == "line":
            assert (
                by_id(mode, client, batch)["a"].error.message == "Invalid request: the model does not support batches"
            )
        else:
            with pytest.raises(BatchFailedError):
                mode.each(batch_results(client, batch))


def test_a_batch_that_has_not_ended_has_no_results(mode: Mode, kimi: Emulator) -> None:
    """The error says in which state it is; an old object of an ended batch is asked for anew."""
    client = mode.client(kimi)
    batch = mode.run(submit_batch(client, questions(1)))
    with pytest.raises(BatchUnfinishedError, match="is validating, so it has no results yet"):
        mode.each(batch_results(client, batch))
    with instant():
        mode.run(wait_for_batch(client, batch))
    assert len(by_id(mode, client, batch)) == 1


CUTS = {
    "reset": reset_after(nbytes=700),
    "dropped": drop_after(nbytes=700),
    "ended cleanly inside a line": ends_after(1),
}


@pytest.mark.parametrize("cut", CUTS.values(), ids=CUTS)
def test_a_download_that_breaks_goes_on(mode: Mode, kimi: Emulator, cut: Any) -> None:
    """Nothing is lost and nothing comes twice."""
    client = mode.client(kimi, max_retries=0)
    batch = ended(mode, client, questions(6))
    kimi.fail(cut, path="/content")
    with instant():
        assert set(by_id(mode, client, batch)) == set(questions(6))


def test_a_download_that_breaks_always_is_an_error(mode: Mode, kimi: Emulator) -> None:
    """After four times."""
    client = mode.client(kimi, max_retries=0)
    batch = ended(mode, client, questions(6))
    kimi.fail(*[drop_after(nbytes=700)] * 9, path="/content")
    with instant(), pytest.raises(openai.APIConnectionError):
        by_id(mode, client, batch)
    assert len([each for each in kimi.requests if each.path.endswith("/content")]) == 4


def test_results_are_read_as_they_come(mode: Mode, kimi: Emulator) -> None:
    """An iterator; whoever stops early has what came, and the connection is closed."""
    client = mode.client(kimi)
    batch = ended(mode, client, questions(3))
    results = batch_results(client, batch)
    first = mode.run(anext(results)) if mode.is_async else next(results)
    assert first.completion is not None
    mode.run(results.aclose() if mode.is_async else results.close())


def test_the_ledger_counts_a_batch_once_at_its_prices(mode: Mode, kimi: Emulator) -> None:
    """However often it is read; in a row of its own; 60 % of the price."""
    client = mode.client(kimi)
    batch = ended(mode, client, questions(3))
    with track(client) as ledger:
        mode.run(client.chat.completions.create(**question()))
        for _ in range(2):
            results = mode.each(batch_results(client, batch))
    chat, row = ledger.rows
    assert (chat.is_batch, row.is_batch, row.model, row.calls, ledger.calls) == (False, True, MODEL, 3, 4)
    usages = [result.completion.usage for result in results]
    output = sum(usage.completion_tokens for usage in usages)
    prompt = sum(usage.prompt_tokens for usage in usages)
    assert row.tokens.output == output
    assert row.cost == (prompt * Decimal("0.57") + output * Decimal("2.40")) / 1_000_000
    assert f"{MODEL} (batch)" in repr(ledger)


def test_a_batch_that_was_read_in_part_is_counted_when_it_is_whole(mode: Mode, kimi: Emulator) -> None:
    """The larger count stays."""
    client = mode.client(kimi)
    batch = ended(mode, client, questions(5))
    with track(client) as ledger:
        results = batch_results(client, batch)
        mode.run(anext(results)) if mode.is_async else next(results)
        mode.run(results.aclose() if mode.is_async else results.close())
        assert ledger.calls == 1
        mode.each(batch_results(client, batch))
        assert ledger.calls == 5


def test_files_can_be_deleted(mode: Mode, kimi: Emulator) -> None:
    """The three of a batch, and a file that is gone is no error."""
    client = mode.client(kimi)
    batch = ended(mode, client, questions(1))
    for _ in range(2):
        mode.run(delete_batch_files(client, batch))
    assert kimi._state.files.by_id == {}


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("listed", [True, False])
def test_deleted_files_make_room(mode: Mode, counts: bool, listed: bool) -> None:
    """For the next batch, whether or not the platform counts the output file, and whether it lists it."""
    with Emulator(behaviour=Behaviour(batch_output_counts=counts, batch_output_listed=listed, max_files=2)) as kimi:
        client = mode.client(kimi)
        batch = ended(mode, client, questions(1))
        assert len(mode.run(client.files.list()).data) == 1 + listed
        if counts:
            with pytest.raises(openai.BadRequestError):
                mode.run(submit_batch(client, questions(1)))
        mode.run(delete_batch_files(client, batch))
        assert mode.run(submit_batch(client, questions(1))).status == "validating"


BARE: dict[str, Callable[..., Any]] = {"sync": openai.OpenAI, "async": openai.AsyncOpenAI}


def test_a_client_of_the_bare_sdk_does_it_too(mode: Mode, kimi: Emulator) -> None:
    """Without notes and ledger."""
    client = BARE[mode.name](base_url=kimi.base_url, api_key=kimi.api_key)
    mode._clients.append(client)
    assert len(by_id(mode, client, ended(mode, client, questions(2)))) == 2


ODD_LINES: dict[str, Any] = {
    "no object": [],
    "no id": {"response": {"status_code": 200, "body": {}}},
    "an id that is no text": {"custom_id": 1},
}


@pytest.mark.parametrize("line", ODD_LINES.values(), ids=ODD_LINES)
def test_what_is_no_line_is_none(line: Any) -> None:
    """It is passed over by the reader."""
    assert result_of(line) is None


FAILED_LINES: dict[str, tuple[Any, str, str]] = {
    "openai's expired": ({"error": {"code": "batch_expired", "message": "too late"}}, "expired", "too late"),
    "a text": ({"error": "no"}, "failed", ""),
    "status only": ({"response": {"status_code": 500, "body": None}}, "failed", ""),
    "no answer": ({"response": {"status_code": 200, "body": {"id": "x"}}}, "failed", "the line has no answer"),
    "nothing": ({}, "failed", "the line has no answer"),
    "error in a body of status 200": (
        {"response": {"status_code": 200, "body": {"error": {"type": "server_error", "message": "sorry"}}}},
        "failed",
        "sorry",
    ),
}


@pytest.mark.parametrize(("line", "status", "text"), FAILED_LINES.values(), ids=FAILED_LINES)
def test_errors_in_odd_forms_are_errors(line: Any, status: str, text: str) -> None:
    """Never an exception, never an answer."""
    result = result_of({"custom_id": "a", **line})
    assert result is not None
    assert (result.status, result.completion) == (status, None)
    assert result.error is not None
    assert text in result.error.message


def test_lines_are_split_wherever_the_pieces_end() -> None:
    """Also the last one without a newline; blank lines are none."""
    content = b'{"a": 1}\n\n{"b": "\xc3\xa9"}\r\n{"c": 3}'
    for cut in range(len(content)):
        splitter = LineSplitter()
        lines = [*splitter.feed(content[:cut]), *splitter.feed(content[cut:]), *splitter.flush()]
        assert [json.loads(line) for line in lines] == [{"a": 1}, {"b": "é"}, {"c": 3}]
