"""`submit_batch` and `wait_for_batch`."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai import BatchUnfinishedError, CompatError, instant, submit_batch, wait_for_batch
from kimi_openai.emulator import Emulator, internal_error, overloaded, reset, reset_after
from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.endpoints.batch_input import batch_lines
from kimi_openai.endpoints.batch_jobs import TAG
from tests.conftest import Mode

from .batches import MODEL, question, questions

pytestmark = pytest.mark.k2


def sent_lines(kimi: Emulator) -> list[Any]:
    """The lines of the only file on the platform."""
    (file,) = kimi._state.files.by_id.values()
    return [json.loads(line) for line in file.data.splitlines()]


def creations(kimi: Emulator) -> list[Any]:
    """The bodies of the requests that create a batch."""
    return [each.json for each in kimi.requests if each.method == "POST" and each.path == "/v1/batches"]


LINE = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": question()}
CONTENT = json.dumps(LINE).encode() + b"\n"

FORMS: dict[str, Any] = {
    "mapping": lambda _: {"a": question()},
    "pairs": lambda _: (pair for pair in [("a", question())]),
    "lines": lambda _: [{"custom_id": "a", "body": question()}],
    "bytes": lambda _: CONTENT,
    "file": lambda _: io.BytesIO(CONTENT),
    "path": lambda folder: folder / "x.jsonl",
    "name of a file": lambda folder: str(folder / "x.jsonl"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bare", [False, True], ids=["ours", "bare"])
def test_requests_may_have_many_forms(mode: Mode, kimi: Emulator, tmp_path: Path, form: str, bare: bool) -> None:
    """The file that arrives has the same line, whatever was passed, and from a client of the bare SDK too."""
    (tmp_path / "x.jsonl").write_bytes(CONTENT)
    batch = mode.run(submit_batch(_client(mode, kimi, bare), FORMS[form](tmp_path), completion_window="3d"))
    assert sent_lines(kimi) == [LINE]
    (body,) = creations(kimi)
    assert (body["endpoint"], body["completion_window"]) == ("/v1/chat/completions", "3d")
    assert (batch.status, list(body["metadata"])) == ("validating", [TAG])


def _client(mode: Mode, kimi: Emulator, bare: bool) -> Any:
    if not bare:
        return mode.client(kimi)
    client = (openai.AsyncOpenAI if mode.is_async else openai.OpenAI)(base_url=kimi.base_url, api_key=kimi.api_key)
    mode._clients.append(client)
    return client


@pytest.mark.parametrize("bare", [False, True], ids=["ours", "bare"])
@pytest.mark.filterwarnings("ignore::kimi_openai.KimiCompatWarning")
def test_lines_are_adapted(mode: Mode, kimi: Emulator, bare: bool) -> None:
    """What a batch does not take is left out, and messages may be the SDK's objects."""
    answer = openai.types.chat.ChatCompletionMessage(role="assistant", content="2")
    messages = [*question()["messages"], answer, {"role": "user", "content": "And?"}]
    requests = {"a": {"model": MODEL, "messages": messages, "temperature": 0.2, "stream": True}}
    mode.run(submit_batch(_client(mode, kimi, bare), requests))
    (line,) = sent_lines(kimi)
    assert set(line["body"]) == {"model", "messages"}
    assert line["body"]["messages"][1] == {"role": "assistant", "content": "2"}


REFUSED: dict[str, tuple[Any, str]] = {
    "not JSON": (CONTENT + b"{", "line 2: .* it is not JSON"),
    "twice": ([LINE, LINE], "line 2, custom_id: .* 'a' is the custom_id of line 1 too"),
    "no id": ([{"body": question()}], "line 1, custom_id"),
    "two models": ({"a": question(), "b": question(model="kimi-k2.7-code")}, "line 2, body.model"),
    "K3": ({"a": question(model="kimi-k3")}, "line 1, body.model: .* kimi-k3 is not listed for batches"),
    "no request": ([("a",)], "line 1: .* neither a pair"),
    "no messages": ({"a": {"model": MODEL, "messages": "Hi"}}, "line 1, messages"),
    "not JSON's": ([("a", question()), ("b", question(stop=[object()]))], "line 2, body.stop.0"),
    "empty": (b"\n", "it has no requests"),
}


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("bare", [False, True], ids=["ours", "bare"])
def test_what_kimi_refuses_is_refused_with_its_line(mode: Mode, kimi: Emulator, case: str, bare: bool) -> None:
    """Before anything is sent."""
    requests, text = REFUSED[case]
    with pytest.raises(CompatError, match=text):
        mode.run(submit_batch(_client(mode, kimi, bare), requests))
    assert kimi.requests == []


def test_window_and_metadata_are_checked_before_the_upload(mode: Mode, kimi: Emulator) -> None:
    """An upload would be for nothing."""
    window: Any = "1h"
    with pytest.raises(CompatError, match="completion_window"):
        mode.run(submit_batch(mode.client(kimi), questions(1), completion_window=window))
    with pytest.raises(ValueError, match="16 pairs; Kimi takes 16, and one of them is the tag"):
        mode.run(submit_batch(mode.client(kimi), questions(1), metadata={str(key): "" for key in range(16)}))
    with pytest.raises(FileNotFoundError):
        mode.run(submit_batch(mode.client(kimi), "missing.jsonl"))
    assert kimi.requests == []


@pytest.mark.parametrize("retries", [0, 2])
@pytest.mark.parametrize("fault", [reset_after(1), reset_after(nbytes=0)], ids=["in the body", "before the body"])
def test_a_lost_answer_makes_no_second_batch(mode: Mode, kimi: Emulator, fault: Any, retries: int) -> None:
    """The batch is found in the list by its tag; nothing is created again, and nothing uploaded again."""
    kimi.fail(fault, path="/v1/batches")
    with instant():
        batch = mode.run(submit_batch(mode.client(kimi, max_retries=retries), questions(1), metadata={"job": "x"}))
    (body,) = creations(kimi)
    assert [batch.id] == list(kimi._state.batches.by_id)
    assert (batch.metadata["job"], batch.metadata[TAG]) == ("x", body["metadata"][TAG])


@pytest.mark.parametrize(
    ("fault", "looks"), [(reset(), 1), (internal_error(), 1), (overloaded(), 0)], ids=["reset", "500", "overloaded"]
)
def test_a_request_that_did_nothing_is_sent_again(mode: Mode, kimi: Emulator, fault: Any, looks: int) -> None:
    """After a look at the list, unless the answer says that there is no batch."""
    kimi.fail(fault, path="/v1/batches")
    with instant():
        batch = mode.run(submit_batch(mode.client(kimi), questions(1)))
    bodies = creations(kimi)
    assert [batch.id] == list(kimi._state.batches.by_id)
    assert (len(bodies), bodies[0]) == (2, bodies[1])
    assert len([each for each in kimi.requests if each.method == "GET"]) == looks


@pytest.mark.parametrize("limit", [None, 2], ids=["one page", "pages of two"])
def test_a_tag_of_ones_own_finds_the_batch_of_before(mode: Mode, limit: int | None) -> None:
    """A program that is started again does not submit again; the search goes through all pages."""
    with Emulator(behaviour=Behaviour(batch_page_limit=limit)) as kimi:
        client = mode.client(kimi)
        first = mode.run(submit_batch(client, questions(1), tag="monday"))
        for _ in range(4):
            mode.run(submit_batch(client, questions(1)))
        again = mode.run(submit_batch(client, questions(1), tag="monday"))
        assert (again.id, len(kimi._state.batches.by_id)) == (first.id, 5)


def test_the_search_ends_on_a_server_without_pages(mode: Mode, answering: Any) -> None:
    """It answers every `after` with the first page, without `has_more`."""
    page = {"object": "list", "data": [{"id": "batch_1", "object": "batch", "status": "completed", "metadata": None}]}
    server = answering(200, lambda query: page if "limit" in query else {"id": "new", "object": "batch"})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    assert mode.run(submit_batch(client, questions(1), tag="never")).id == "new"


@pytest.mark.parametrize("model", ["create", "failed"])
def test_the_file_of_a_batch_that_was_refused_is_deleted(mode: Mode, model: Any) -> None:
    """It would count among the 1,000."""
    with Emulator(behaviour=Behaviour(batch_model=model)) as kimi:
        client = mode.client(kimi, compat="off")
        requests = {"a": question(model="kimi-k3")}
        if model == "create":
            with pytest.raises(openai.BadRequestError):
                mode.run(submit_batch(client, requests))
        else:
            assert mode.run(submit_batch(client, requests)).status == "validating"
        assert len(kimi._state.files.by_id) == (model == "failed")


def test_waiting_ends_with_the_batch(mode: Mode, kimi: Emulator) -> None:
    """The caller sees every state, and waits grow from 10 seconds."""
    client, seen = mode.client(kimi), []

    def note(batch: Any) -> Any:
        seen.append(batch.status)
        return _nothing() if mode.is_async else None

    batch = mode.run(submit_batch(client, questions(2)))
    with instant():
        done = mode.run(wait_for_batch(client, batch.id, on_progress=note))
    assert seen == ["validating", "in_progress", "finalizing", "completed"]
    assert (done.status, done.request_counts.completed) == ("completed", 2)


async def _nothing() -> None:
    pass


def test_waiting_ends_with_patience(mode: Mode) -> None:
    """The error has the batch as it was last seen."""
    with Emulator(behaviour=Behaviour(batch_polls=100)) as kimi, instant():
        client = mode.client(kimi)
        batch = mode.run(submit_batch(client, questions(1)))
        with pytest.raises(BatchUnfinishedError, match="is validating, and patience=100 is over") as raised:
            mode.run(wait_for_batch(client, batch, patience=100))
        assert raised.value.batch.id == batch.id
        polls = [each for each in kimi.requests if each.path.endswith(batch.id)]
        assert 4 <= len(polls) <= 6  # after 10, 20, 40, 60 seconds and jitter


def test_waiting_lasts_through_failures(mode: Mode, kimi: Emulator) -> None:
    """A poll that fails is not the end of a batch; an unknown id is."""
    client = mode.client(kimi, max_retries=0)
    batch = mode.run(submit_batch(client, questions(1)))
    kimi.fail(reset(), overloaded(), internal_error(), path=batch.id)
    with instant():
        assert mode.run(wait_for_batch(client, batch)).status == "completed"
        with pytest.raises(openai.NotFoundError):
            mode.run(wait_for_batch(client, "batch_unknown"))


def test_lines_of_no_request_are_refused_one_by_one() -> None:
    """The number of the line is in the error, and what came before it was made."""
    lines = batch_lines([("a", question()), 3])  # type: ignore[list-item]
    assert json.loads(next(lines)) == LINE
    with pytest.raises(CompatError, match="line 2"):
        next(lines)


def test_the_list_of_batches_ends(mode: Mode, answering: Any) -> None:
    """On a server that ignores `after` and has no `has_more`, each batch comes once."""
    rows = [{"id": f"batch_{n}", "object": "batch", "status": "completed"} for n in range(3)]
    server = answering(200, {"object": "list", "data": rows})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    assert [batch.id for batch in mode.each(client.batches.list())] == ["batch_0", "batch_1", "batch_2"]
    assert type(mode.each(client.batches.list())[0]) is openai.types.Batch
