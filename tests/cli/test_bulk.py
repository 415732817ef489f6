"""`kimi-openai bulk`: its options reach `bulk`, and a terminal is asked before much is spent."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kimi_openai import instant
from kimi_openai.emulator import finish, say
from tests.bulk.conftest import ids, line

from .conftest import Run, TerminalFile


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """100 lines, which may cost $6 at most."""
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps(line(number)) + "\n" for number in range(100)))
    return path


def test_a_file_is_answered(run: Run, source: Path, tmp_path: Path) -> None:
    """With the options of the command; the summary is JSON on request."""
    output = tmp_path / "out.jsonl"
    options = ("--limits", "tier5", "--model", "kimi-k2.6", "--limit", "3", "--max-tokens", "50", "--ordered", "--json")
    code, out, err = run("bulk", str(source), "-o", str(output), *options)
    report = json.loads(out)
    assert (code, report["answered"], report["total"]) == (0, 3, 3)
    assert ids(output) == ["r0", "r1", "r2"]
    assert (run.sent()["model"], run.sent()["max_completion_tokens"]) == ("kimi-k2.6", 50)
    assert "3 of 3 lines to send (kimi-k2.6)" in err


@pytest.mark.parametrize(("answer", "sent"), [("y", 100), ("n", 0)])
def test_a_terminal_is_asked(run: Run, source: Path, tmp_path: Path, answer: str, sent: int) -> None:
    """Above a dollar."""
    code, _, err = run("bulk", str(source), "-o", str(tmp_path / "out.jsonl"), stdin=TerminalFile(f"{answer}\n"))
    assert "at most $6" in err
    assert "send them? [y/N]" in err
    assert (code, len(run.kimi.chats)) == (0 if sent else 1, sent)


def test_yes_and_a_small_cost_are_not_asked(run: Run, source: Path, tmp_path: Path) -> None:
    """Nor is who has no terminal."""
    output = str(tmp_path / "out.jsonl")
    for options in (("--limit", "2"), ("--yes", "--limit", "40")):
        code, _, err = run("bulk", str(source), "-o", output, *options, stdin=TerminalFile(""))
        assert (code, "[y/N]" in err) == (0, False)


@pytest.mark.k2
def test_the_batch_engine(run: Run, source: Path, tmp_path: Path) -> None:
    """With its window; the estimate has both prices, and a model without batches is wrong usage."""
    output = tmp_path / "out.jsonl"
    with instant():
        code, out, err = run(
            "bulk",
            str(source),
            "-o",
            str(output),
            "--engine",
            "batch",
            "--window",
            "3d",
            "--model",
            "kimi-k2.6",
            "--json",
        )
    assert (code, json.loads(out)["answered"]) == (0, 100)
    (batch,) = run.kimi._state.batches.by_id.values()
    assert batch["completion_window"] == "3d"
    assert "as a batch ($1.6" in err
    code, _, err = run("bulk", str(source), "-o", str(tmp_path / "other.jsonl"), "--engine", "batch")
    assert (code, "kimi-k3 is not listed for batches" in err) == (2, True)


def test_the_same_request_once(run: Run, tmp_path: Path) -> None:
    """With `--dedupe`."""
    source, output = tmp_path / "in.csv", tmp_path / "out.jsonl"
    source.write_text("word\nrun\nsun\nrun\n")
    options = (
        "--messages",
        "Is {word} a noun?",
        "--model",
        "kimi-k3",
        "--max-tokens",
        "99",
        "--dedupe",
        "--patience",
        "60",
    )
    code, _, err = run("bulk", str(source), "-o", str(output), *options)
    assert (code, len(run.kimi.chats), len(ids(output))) == (0, 2, 3)
    assert "of which 1 are copies of others" in err


def test_lines_that_failed_before_are_no_success(run: Run, tmp_path: Path) -> None:
    """Exit code 1 also of a run that has nothing to ask, until they are asked again."""
    source, output = tmp_path / "in.jsonl", str(tmp_path / "out.jsonl")
    source.write_text(json.dumps(line(0)) + "\n")
    run.kimi.script(say("x"), finish("content_filter"))
    assert run("bulk", str(source), "-o", output)[0] == 1
    code, out, _ = run("bulk", str(source), "-o", output)
    assert (code, "1 of them failed" in out, len(run.kimi.chats)) == (1, True, 1)
    assert run("bulk", str(source), "-o", output, "--retry-failed")[0] == 0


def test_bad_input_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    """Exit code 2, with the line."""
    (tmp_path / "in.jsonl").write_text("{}\n")
    code, _, err = run("bulk", str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.jsonl"))
    assert (code, "line 1: it has no body" in err) == (2, True)
    code, _, err = run("bulk", str(tmp_path / "none.jsonl"), "-o", str(tmp_path / "out.jsonl"))
    assert (code, "none.jsonl" in err) == (2, True)
    assert err == f"the input file '{tmp_path / 'none.jsonl'}' does not exist\n"
    assert run("bulk", str(tmp_path), "-o", "out.jsonl") == (2, "", f"{tmp_path}: Is a directory\n")


def test_what_the_engine_ray_does_not_have(run: Run, source: Path, tmp_path: Path) -> None:
    """Is wrong usage; nothing is sent. Its runs are in `tests/ray`."""
    output = str(tmp_path / "out.jsonl")
    code, _, err = run("bulk", str(source), "-o", output, "--engine", "ray", "--budget", "1", "--ordered")
    assert (code, "--engine ray has no --budget, --ordered" in err) == (2, True)
    assert run.kimi.requests == []
