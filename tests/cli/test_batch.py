"""`kimi-openai batch`, against the emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimi_openai import instant
from kimi_openai.emulator import Emulator
from kimi_openai.emulator.behaviour import Behaviour

from .conftest import Run

pytestmark = pytest.mark.k2


def line(custom_id: str, model: str = "kimi-k2.6") -> str:
    """A line of a batch file."""
    body = {"model": model, "messages": [{"role": "user", "content": custom_id}]}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A file with two requests."""
    path = tmp_path / "in.jsonl"
    path.write_text(line("a") + line("b"))
    return str(path)


def test_a_batch_from_submit_to_results(run: Run, file: str) -> None:
    """Ids and tables on stdout, progress and cost on stderr; the files are deleted if asked."""
    code, out, _ = run("batch", "submit", file, "--window", "3d", "--tag", "monday")
    assert code == 0
    id = out.strip()
    assert run("batch", "submit", file, "--tag", "monday")[1].strip() == id
    code, out, _ = run("batch", "status", id)
    assert (code, out.split()[6:12]) == (0, [id, "validating", "0", "0", "0", "3d"])
    code, _, err = run("batch", "results", id)
    assert (code, "so it has no results yet" in err) == (1, True)
    with instant():
        code, out, err = run("batch", "wait", id, "--json")
    assert (code, json.loads(out)["status"]) == (0, "completed")
    assert err.splitlines()[-1] == f"{id}: completed 2 0 2"
    code, out, err = run("batch", "results", id, "--delete")
    results = [json.loads(each) for each in out.splitlines()]
    assert code == 0
    assert {result["custom_id"]: result["status"] for result in results} == {"a": "completed", "b": "completed"}
    assert all(result["completion"]["choices"][0]["message"]["content"] for result in results)
    assert err.startswith("2 answers, $0.00")
    assert run.kimi._state.files.by_id == {}


def test_batches_are_listed_and_cancelled(run: Run, file: str) -> None:
    """As a table or as JSON."""
    ids = [run("batch", "submit", file, "--json")[1] for _ in range(2)]
    first = json.loads(ids[0])["id"]
    code, out, _ = run("batch", "cancel", first)
    assert (code, "cancelling" in out) == (0, True)
    code, out, _ = run("batch", "list", "--json")
    assert {each["id"]: each["status"] for each in json.loads(out)}[first] == "cancelling"
    assert len(run("batch", "list")[1].splitlines()) == 3


def test_wrong_lines_are_wrong_usage(run: Run, tmp_path: Path) -> None:
    """With the number and the reason, and nothing sent."""
    path = tmp_path / "in.jsonl"
    path.write_text(line("a") + line("a", "kimi-k3"))
    code, _, err = run("batch", "submit", str(path))
    assert code == 2
    assert "line 2, custom_id" in err
    assert "line 2, body.model" in err
    assert run("batch", "submit", "missing.jsonl")[0] == 2
    assert run("batch", "submit", str(path), "--window", "1h")[0] == 2
    assert run.kimi.requests == []


def test_what_did_not_run_is_an_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, file: str
) -> None:
    """Of an expired batch: exit code 1, and each request is named."""
    with Emulator(behaviour=Behaviour(batch_expires=True)) as kimi, instant():
        run = Run(kimi, capsys, monkeypatch)
        id = run("batch", "submit", file)[1].strip()
        assert run("batch", "wait", id, "--patience", "5")[0] == 1
        assert run("batch", "wait", id)[0] == 1
        code, out, err = run("batch", "results", id)
    assert code == 1
    assert sorted(json.loads(each)["status"] for each in out.splitlines()) == ["completed", "expired"]
    assert "; 1 without one" in err
