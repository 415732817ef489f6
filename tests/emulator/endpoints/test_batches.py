"""The batch endpoints over real sockets: refusals, statuses, output files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator
from tests.emulator.http import HELLO, recorded, send, upload


def line(custom_id: str = "request-1", **body: Any) -> dict[str, Any]:
    whole = {"model": "kimi-k2.6", "messages": HELLO, **body}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": whole}


def create(kimi: Emulator, *lines: dict[str, Any], purpose: str = "batch", **more: Any) -> Any:
    data = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines).encode() or b"\n"
    body = {"endpoint": "/v1/chat/completions", "completion_window": "24h", **more}
    body.setdefault("input_file_id", upload(kimi, "in.jsonl", data, purpose).json["id"])
    return send(kimi, "POST", "/v1/batches", body)


def retrieved(kimi: Emulator, batch: Any) -> list[Any]:
    return [send(kimi, "GET", f"/v1/batches/{batch['id']}").json for _ in range(5)]


def test_shape(kimi: Emulator) -> None:
    """A new batch has the documented keys, null for later times, and no errors object."""
    batch = create(kimi, line(), metadata={"k": "v"}).json
    wanted = recorded("batch.json")
    assert list(batch) == list(wanted)
    assert {**batch, **{k: wanted[k] for k in ("id", "input_file_id", "created_at", "metadata")}} == wanted


@pytest.mark.k2  # no other model takes batches
def test_creation_to_output(kimi: Emulator) -> None:
    """Each retrieval moves the batch on; it ends with an output file in the documented shape."""
    before = kimi.balance
    seen = retrieved(kimi, create(kimi, line("a"), line("b", tools=[{"type": "?"}])).json)
    assert [batch["status"] for batch in seen] == ["validating", "in_progress", "finalizing", "completed", "completed"]
    assert seen[-1]["request_counts"] == {"completed": 1, "failed": 1, "total": 2}
    output = json.loads(send(kimi, "GET", f"/v1/files/{seen[-1]['output_file_id']}/content").body)
    failed = json.loads(send(kimi, "GET", f"/v1/files/{seen[-1]['error_file_id']}/content").body)
    assert (list(output), list(output["response"])) == (
        list(recorded("batch_output.json")),
        list(recorded("batch_output.json")["response"]),
    )
    assert (output["id"], output["response"]["status_code"], failed["response"]["status_code"]) == ("a", 200, 400)
    assert "Hello" in output["response"]["body"]["choices"][0]["message"]["content"]
    assert kimi.balance < before


@pytest.mark.k2  # no other model takes batches
def test_only_newlines_end_a_line(kimi: Emulator) -> None:
    """JSON texts may hold other separators of lines as they are."""
    messages = [{"role": "user", "content": "a\u2028b\x85c"}]
    seen = retrieved(kimi, create(kimi, line("a", messages=messages), line("b")).json)
    assert seen[-1]["request_counts"] == {"completed": 2, "failed": 0, "total": 2}


FAILED: dict[str, list[dict[str, Any]]] = {
    "empty": [],
    "duplicate ids": [line(), line()],
    "two models": [line("a"), line("b", model="kimi-k2.7-code")],
    "K3": [line(model="kimi-k3")],
    "highspeed": [line(model="kimi-k2.7-code-highspeed")],
    "sampling": [line(temperature=1)],
    "another url": [{**line(), "url": "/v1/embeddings"}],
}


@pytest.mark.parametrize("lines", FAILED.values(), ids=FAILED)
def test_bad_files(kimi: Emulator, lines: list[dict[str, Any]]) -> None:
    """A bad input file is noticed later: the batch fails, its creation does not."""
    assert [batch["status"] for batch in retrieved(kimi, create(kimi, *lines).json)[:3]] == [
        "validating",
        "failed",
        "failed",
    ]


REFUSED: dict[str, dict[str, Any]] = {
    "endpoint": {"endpoint": "/v1/embeddings"},
    "short window": {"completion_window": "11h"},
    "long window": {"completion_window": "8d"},
    "odd window": {"completion_window": "soon"},
    "metadata": {"metadata": {"k": 1}},
    "many metadata": {"metadata": {str(n): "" for n in range(17)}},
    "unknown file": {"input_file_id": "file_x"},
    "purpose": {"purpose": "file-extract"},
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_refusals(kimi: Emulator, body: dict[str, Any]) -> None:
    """A bad create body is a 400."""
    assert create(kimi, line(), **body).status == 400


def test_cancel(kimi: Emulator) -> None:
    """A running batch can be cancelled, a finished one cannot, an unknown one is a 404."""
    batch = create(kimi, line()).json
    path = f"/v1/batches/{batch['id']}"
    assert send(kimi, "POST", f"{path}/cancel").json["status"] == "cancelling"
    assert [send(kimi, "GET", path).json["status"] for _ in range(2)] == ["cancelling", "cancelled"]
    assert send(kimi, "POST", f"{path}/cancel").status == 400
    assert send(kimi, "POST", "/v1/batches/x/cancel").status == send(kimi, "GET", "/v1/batches/x").status == 404


def test_list(kimi: Emulator) -> None:
    """The list pages by `after` and `limit`, newest first, with has_more and no first or last id."""
    ids = [create(kimi, line()).json["id"] for _ in range(3)][::-1]
    first = send(kimi, "GET", "/v1/batches?limit=2").json
    rest = send(kimi, "GET", f"/v1/batches?after={ids[1]}").json
    assert (list(first), first["has_more"], rest["has_more"]) == (["object", "data", "has_more"], True, False)
    assert [batch["id"] for batch in first["data"] + rest["data"]] == ids


def ended(behaviour: Behaviour, *lines: dict[str, Any], cancel: bool = False) -> tuple[Any, list[Any], list[Any]]:
    """The last state of a batch, and the lines of its output file and of its error file."""
    with Emulator(behaviour=behaviour) as kimi:
        batch = create(kimi, *lines).json
        if cancel:
            for _ in range(2):
                send(kimi, "GET", f"/v1/batches/{batch['id']}")
            send(kimi, "POST", f"/v1/batches/{batch['id']}/cancel")
        last = retrieved(kimi, batch)[-1]
        files = [last[f"{kind}_file_id"] for kind in ("output", "error")]
        bodies = [send(kimi, "GET", f"/v1/files/{id}/content").body.decode() if id else "" for id in files]
        found = [[json.loads(line) for line in body.splitlines()] for body in bodies]
        return last, found[0], found[1]


GOOD = [line(f"r{number}") for number in range(6)]
BAD = line("bad", tools=[{"type": "?"}])


@pytest.mark.k2
def test_order_and_errors() -> None:
    """The order is not that of the input, and errors have one of two forms, in one or in two files."""
    last, output, errors = ended(Behaviour(), *GOOD, BAD)
    assert [each["custom_id"] for each in output] != [each["custom_id"] for each in GOOD]
    assert ({each["custom_id"] for each in output}, len(errors)) == ({each["custom_id"] for each in GOOD}, 1)
    switched = Behaviour(batch_order="input", batch_error_line="error", batch_errors_in="both")
    last, output, errors = ended(switched, *GOOD, BAD)
    assert [each["custom_id"] for each in output] == [*(each["custom_id"] for each in GOOD), "bad"]
    assert (errors[0]["response"], errors[0]["error"]["code"]) == (None, "invalid_request_error")
    last, output, errors = ended(Behaviour(batch_empty_error_file=True), *GOOD)
    assert (last["error_file_id"] is None, errors) == (False, [])


@pytest.mark.k2
@pytest.mark.parametrize(("keeps", "count"), [(True, 3), (False, 0)])
@pytest.mark.parametrize("status", ["cancelled", "expired"])
def test_partial_output(status: str, keeps: bool, count: int) -> None:
    """A cancelled or expired batch has what was done, or nothing."""
    behaviour = Behaviour(batch_keeps_partial=keeps, batch_expires=status == "expired")
    last, output, _ = ended(behaviour, *GOOD, cancel=status == "cancelled")
    assert (last["status"], len(output)) == (status, count)


@pytest.mark.k2
def test_where_a_file_is_refused() -> None:
    """A model without batches can be refused at creation or line by line, sampling parameters line by line."""
    with Emulator(behaviour=Behaviour(batch_model="create")) as kimi:
        assert create(kimi, line(model="kimi-k3")).status == 400
        assert create(kimi, line()).status == 200
    behaviour = Behaviour(batch_model="line", batch_sampling="line")
    for refused in (line(model="kimi-k3"), line(temperature=1)):
        last, output, errors = ended(behaviour, refused)
        assert (last["status"], len(output), errors[0]["response"]["status_code"]) == ("completed", 0, 400)


@pytest.mark.k2
def test_list_switches() -> None:
    """Output files may be left out of the file list, and a page may have a limit."""
    with Emulator(behaviour=Behaviour(batch_output_listed=False, batch_page_limit=2)) as kimi:
        batches = [create(kimi, line()).json for _ in range(3)]
        assert retrieved(kimi, batches[0])[-1]["output_file_id"]
        assert {file["purpose"] for file in send(kimi, "GET", "/v1/files").json["data"]} == {"batch"}
        assert len(send(kimi, "GET", "/v1/batches?limit=100").json["data"]) == 2


@pytest.mark.k2
def test_batch_polls() -> None:
    """A status can last for several retrievals."""
    with Emulator(behaviour=Behaviour(batch_polls=2)) as kimi:
        seen = retrieved(kimi, create(kimi, line()).json)
    assert [batch["status"] for batch in seen[:4]] == ["validating", "validating", "in_progress", "in_progress"]
