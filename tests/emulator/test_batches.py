"""Batches: what is refused, and the way to an output file."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator

from .http import HELLO, recorded, send, upload


def line(custom_id: str = "request-1", **body: Any) -> dict[str, Any]:
    whole = {"model": "kimi-k2.6", "messages": HELLO, **body}
    return {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": whole}


def create(kimi: Emulator, *lines: dict[str, Any], purpose: str = "batch", **more: Any) -> Any:
    data = "\n".join(map(json.dumps, lines)).encode() or b"\n"
    body = {"endpoint": "/v1/chat/completions", "completion_window": "24h", **more}
    body.setdefault("input_file_id", upload(kimi, "in.jsonl", data, purpose).json["id"])
    return send(kimi, "POST", "/v1/batches", body)


def states(kimi: Emulator, batch: Any) -> list[Any]:
    return [send(kimi, "GET", f"/v1/batches/{batch['id']}").json for _ in range(5)]


def test_shape(kimi: Emulator) -> None:
    """A new batch has the documented keys, times not reached as null, and no errors object."""
    batch = create(kimi, line(), metadata={"k": "v"}).json
    wanted = recorded("batch.json")
    assert list(batch) == list(wanted)
    assert {**batch, **{k: wanted[k] for k in ("id", "input_file_id", "created_at", "metadata")}} == wanted


def test_life(kimi: Emulator) -> None:
    """A batch goes from state to state as it is looked at, and ends with an output file in the documented shape."""
    before = kimi.balance
    seen = states(kimi, create(kimi, line("a"), line("b", tools=[{"type": "?"}])).json)
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
    """A bad input file is found out later: the batch fails, its creation does not."""
    assert [batch["status"] for batch in states(kimi, create(kimi, *lines).json)[:3]] == [
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
    """A batch under way can be cancelled, one that is over cannot, one that never was is a 404."""
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


def test_pace() -> None:
    """Each state can last for several looks."""
    with Emulator(behaviour=Behaviour(batch_polls=2)) as kimi:
        seen = states(kimi, create(kimi, line()).json)
    assert [batch["status"] for batch in seen[:4]] == ["validating", "validating", "in_progress", "in_progress"]
