"""`bulk` with `engine="batch"`: the same files as those of the live engine, and nothing is submitted twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai import CompatError, KimiCompatWarning, instant
from kimi_openai.bulk import BulkStoppedError, Estimate, InputError, OutputError, Progress
from kimi_openai.emulator import Emulator, bad_key, finish, internal_error, reset, say
from kimi_openai.emulator.behaviour import Behaviour
from tests.bulk.conftest import Files, ids, line, records
from tests.conftest import Mode

pytestmark = pytest.mark.k2

K26 = "kimi-k2.6"

ROOT = str(Path(__file__).parents[3])


def k26(number: int, content: str = "", **body: Any) -> dict[str, Any]:
    """A line for a model that takes batches."""
    return line(number, content, **{"model": K26, **body})


def batches(kimi: Emulator) -> list[Any]:
    """The batches on the platform."""
    return list(kimi._state.batches.by_id.values())


def uploads(kimi: Emulator) -> list[Any]:
    """The input files of batches on the platform."""
    return [file for file in kimi._state.files.by_id.values() if file.purpose == "batch"]


def run(files: Files, **options: Any) -> Any:
    """One run of the batch engine that waits for nothing."""
    with instant():
        return files.run(engine="batch", **options)


def test_the_same_files_as_live(files: Files) -> None:
    """Lines of the same form, each with its batch; the next run asks nothing, with either engine."""
    files.write([k26(number) for number in range(5)])
    report = run(files)
    assert (report.answered, report.failed, report.left, report.open) == (5, 0, 0, 0)
    assert sorted(ids(files.output)) == [f"r{number}" for number in range(5)]
    (batch,) = batches(files.kimi)
    for record in records(files.output):
        assert record["batch_id"] == batch["id"]
        assert record["error"] is None
        assert f"Say {record['id'][1:]}." in record["response"]["body"]["choices"][0]["message"]["content"]
    assert not any(files.output.with_suffix(".batches").iterdir())
    assert (run(files).resumed, files.run().resumed) == (5, 5)
    assert len(batches(files.kimi)) == 1
    assert files.kimi.chats == []


def test_the_price_is_that_of_batches(files: Files) -> None:
    """Also after a restart, beside lines that were asked live."""
    files.write([k26(number) for number in range(4)])
    live = files.run(limit=2).cost
    report = run(files)
    assert live < report.cost < live * Decimal("1.7")
    assert run(files).cost == report.cost
    assert report.cost == sum(Decimal(record["cost"]) for record in records(files.output))


def test_a_file_has_one_model(files: Files) -> None:
    """As many batches as there are models; what a batch does not take is adapted or left out."""
    files.write([k26(number, model=("kimi-k2.7-code", K26)[number % 2], max_tokens=99) for number in range(6)])
    with pytest.warns(KimiCompatWarning, match="max_tokens: left out .in 3 lines."):
        assert run(files).answered == 6
    sent = [json.loads(each) for file in uploads(files.kimi) for each in file.data.splitlines()]
    assert [each["body"]["model"] for each in sent] == ["kimi-k2.7-code"] * 3 + [K26] * 3
    assert "max_tokens" not in sent[0]["body"]
    assert set(sent[0]) == {"custom_id", "method", "url", "body"}


def test_large_inputs_are_split(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size of the lines as they are sent."""
    monkeypatch.setattr("kimi_openai.bulk.batches.splitting.MAX_FILE_BYTES", 700)
    files.write([k26(number) for number in range(9)])
    assert run(files).answered == 9
    sizes = [len(file.data) for file in uploads(files.kimi)]
    assert max(sizes) <= 700
    assert len(sizes) == len(batches(files.kimi)) == 3


def test_a_line_larger_than_a_file_is_refused(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its number; nothing is sent, and nothing stays on the disk."""
    monkeypatch.setattr("kimi_openai.bulk.batches.splitting.MAX_FILE_BYTES", 700)
    files.write([k26(0), k26(1, "x" * 700)])
    with pytest.raises(InputError, match=r"line 2 \(r1\): .* bytes"):
        run(files)
    assert files.kimi.requests == []
    assert not any(files.output.with_suffix(".batches").iterdir())


def test_a_model_without_batches_is_refused(files: Files) -> None:
    """Before anything is sent, with what to do."""
    files.write([k26(0), line(1), line(2)])
    with pytest.raises(InputError) as caught:
        run(files)
    (problem,) = caught.value.problems
    assert problem.startswith("line 2 (r1): kimi-k3 is not listed for batches (kimi-k2.7-code, kimi-k2.6)")
    assert "--model" in problem
    assert "leave out engine" in problem
    assert files.kimi.requests == []
    assert run(files, model=K26).answered == 3


def test_an_alias_may_name_the_model(files: Files) -> None:
    """The price is that of what is sent."""
    files.write([k26(0, model="gpt-4o")])
    assert run(files, client={"model_aliases": {"gpt-4o": K26}}, budget=1).cost > 0


@pytest.mark.parametrize("engine", ["live", "batch"])
def test_the_estimate_has_both_prices(files: Files, engine: Any) -> None:
    """Whichever engine is used; of a model without batches there is one."""
    files.write([k26(number) for number in range(100)])
    seen: list[Estimate] = []
    with instant():
        files.run(engine=engine, confirm=lambda estimate: bool(seen.append(estimate)))
    (estimate,) = seen
    assert estimate.live_cost is not None
    assert estimate.batch_cost is not None
    assert Decimal("0.59") < estimate.batch_cost / estimate.live_cost < Decimal("0.61")
    assert estimate.cost == (estimate.live_cost if engine == "live" else estimate.batch_cost)
    assert ("as a batch" in str(estimate), "$1.6" in str(estimate)) == (True, True)
    assert files.kimi.requests == []
    files.write([line(0)])
    files.run(confirm=lambda estimate: bool(seen.append(estimate)))
    assert (seen[1].batch_cost, "batch" in str(seen[1])) == (None, False)


@pytest.mark.parametrize("shape", [{}, {"batch_error_line": "error"}, {"batch_errors_in": "both"}])
def test_failed_lines_have_their_reasons(files: Files, shape: Any) -> None:
    """In the error file, whatever form Kimi gives them, and they are asked again on request only."""
    with Emulator(behaviour=Behaviour(**shape)) as kimi:
        files.kimi = kimi
        kimi.reply = lambda body: [say("x"), finish("content_filter")] if "fail" in str(body) else None
        files.write([k26(0), k26(1, "fail"), k26(2)])
        report = run(files)
        assert (report.answered, report.failed) == (2, 1)
        (failure,) = records(files.errors)
        assert (failure["custom_id"], failure["line"]) == ("r1", 2)
        assert "content filter" in failure["error"]["message"]
        kimi.reply = None
        again = run(files, retry_failed=True)
        assert (again.answered, records(files.errors)) == (1, [])
        assert again.cost > report.cost


def test_an_expired_batch(files: Files) -> None:
    """What it has answered is kept, the rest is in the error file."""
    with Emulator(behaviour=Behaviour(batch_expires=True)) as kimi:
        files.kimi = kimi
        files.write([k26(number) for number in range(4)])
        report = run(files)
        assert (report.answered, report.failed) == (2, 2)
        for failure in records(files.errors):
            assert failure["error"]["code"] == "batch_expired"
            assert "expired and has not answered this one; ask again with retry_failed" in failure["error"]["message"]


def test_a_cancelled_batch(files: Files) -> None:
    """Someone else has cancelled it."""

    def cancel(_: Progress) -> None:
        for batch in batches(files.kimi):
            if batch["status"] == "in_progress":
                batch["status"] = "cancelling"

    with Emulator(behaviour=Behaviour(batch_keeps_partial=False)) as kimi:
        files.kimi = kimi
        files.write([k26(number) for number in range(2)])
        report = run(files, progress=cancel)
    assert (report.answered, report.failed) == (0, 2)
    assert {failure["error"]["code"] for failure in records(files.errors)} == {"batch_cancelled"}


def test_a_batch_that_fails_validation(files: Files) -> None:
    """Each of its lines failed; the reason is Kimi's, if there is one."""
    files.write([k26(0), k26(1)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("kimi_openai.emulator.endpoints.batches.batch_requests", lambda *_: None)
        report = run(files)
    assert report.failed == 2
    assert "none of its requests ran" in records(files.errors)[0]["error"]["message"]
    assert run(files, retry_failed=True).answered == 2


def test_a_refused_creation_ends_the_run(files: Files) -> None:
    """Nothing stays: the next run decides anew."""
    files.write([k26(0)])
    files.kimi.fail(*[bad_key() for _ in range(3)])
    with pytest.raises(BulkStoppedError, match="goes on where it stopped") as caught:
        run(files)
    assert isinstance(caught.value.__cause__, openai.AuthenticationError)
    files.kimi.clear()
    assert files.run().answered == 1
    assert batches(files.kimi) == []


def test_failures_while_it_waits_are_waited_over(files: Files) -> None:
    """A broken connection or an overload ends nothing."""
    files.write([k26(0)])
    left = [internal_error(), reset(), internal_error(), reset()]

    def fail(_: Progress) -> None:
        if batches(files.kimi) and left:
            files.kimi.fail(left.pop())

    with Emulator(behaviour=Behaviour(batch_polls=3)) as kimi:
        files.kimi = kimi
        assert run(files, progress=fail).answered == 1
    assert not left


def test_the_budget_is_reserved_first(files: Files) -> None:
    """A batch has as many lines as fit at their worst; what they cost less than that is spent on more."""
    files.write([k26(number, max_completion_tokens=10_000) for number in range(20)])  # $0.024 each at most
    report = run(files, budget="0.1")
    made = batches(files.kimi)
    assert made[0]["request_counts"]["total"] == 4
    assert report.cost <= Decimal("0.1")
    assert len(made) > 1
    assert (report.answered, report.stopped) == (20, "")
    assert sum(batch["request_counts"]["total"] for batch in made) == 20


def test_a_budget_that_covers_nothing(files: Files) -> None:
    """Nothing is submitted."""
    files.write([k26(0, max_completion_tokens=10_000)])
    report = run(files, budget="0.001")
    assert report.stopped == "the budget of 0.001 does not cover the next line"
    assert batches(files.kimi) == []


def test_a_live_run_does_not_pay_what_is_in_a_batch(files: Files) -> None:
    """It is refused, with what to do; another prompt with the same id is noticed too."""
    files.write([k26(0), k26(1)])
    stop = _stopped_while_waiting(files)
    assert stop.open == 2
    with pytest.raises(OutputError, match=r"2 lines of this output are in batches .* engine=\"batch\""):
        files.run()
    files.write([k26(0), k26(1, "something else")])
    with pytest.raises(OutputError, match=r"line 2 \(r1\)"):
        run(files)
    files.write([k26(0), k26(1)])
    assert run(files).answered == 2
    assert len(batches(files.kimi)) == 1


def _stopped_while_waiting(files: Files) -> Progress:
    """A run that ends when its batch is submitted: its status cannot be asked for."""
    seen: list[Progress] = []

    def refuse(progress: Progress) -> None:
        seen.append(progress)
        if batches(files.kimi) and len(seen) < 9:
            files.kimi.fail(bad_key())

    with pytest.raises(BulkStoppedError, match=r"cannot be asked for: .* delete .*out\.batches"):
        run(files, progress=refuse)
    files.kimi.clear()
    return seen[-1]


def test_progress_tells_of_batches(files: Files) -> None:
    """How many lines wait in them, and how many of those are ready."""
    files.write([k26(number) for number in range(3)])
    seen: list[Progress] = []
    run(files, progress=seen.append)
    assert any(each.open == 3 and each.done == 0 for each in seen)
    assert (seen[-1].done, seen[-1].open, seen[-1].ready) == (3, 0, 0)


def test_answers_are_checked_as_live_ones(files: Files) -> None:
    """Cut off, no JSON, against the schema: failures, with what came; a fence is removed."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    answers = {"a": '{"n": 1}', "b": '{"n": "x"}', "c": "no", "d": '```json\n{"n": 2}\n```', "e": "cut"}

    def reply(request: Any) -> Any:
        name = str(request.json["messages"][-1]["content"])
        return [say(answers[name]), *([finish("length")] if name == "e" else [])]

    files.kimi.reply = reply
    lines = [k26(number, name, response_format=form) for number, name in enumerate("abcd")]
    files.write([*lines, k26(4, "e")])
    report = run(files)
    assert (report.answered, report.failed) == (2, 3)
    codes = {failure["custom_id"]: failure["error"]["code"] for failure in records(files.errors)}
    assert codes == {"r1": "SchemaError", "r2": "UnexpectedAnswerError", "r4": "TruncatedAnswerError"}
    contents = {
        each["custom_id"]: each["response"]["body"]["choices"][0]["message"]["content"]
        for each in records(files.output)
    }
    assert contents == {"r0": '{"n": 1}', "r3": '{"n": 2}'}


@pytest.mark.parametrize("deletes", [False, True])
def test_files_on_the_platform(files: Files, deletes: bool) -> None:
    """They stay, or are deleted when the answers are written."""
    files.write([k26(0)])
    assert run(files, delete_files=deletes).answered == 1
    assert len(files.kimi._state.files.by_id) == (0 if deletes else 2)
    assert ids(files.output) == ["r0"]


def test_a_wrong_window_or_engine(files: Files) -> None:
    """Is told before the input is read."""
    with pytest.raises(CompatError, match="12 hours to 7 days"):
        files.run("none.jsonl", engine="batch", completion_window="1h")
    with pytest.raises(ValueError, match="engine is 'fast'"):
        files.run("none.jsonl", engine="fast")


PROGRAM = """
import sys
from kimi_openai import create_client, instant
from kimi_openai.bulk import bulk
with instant():
    bulk(create_client(base_url=sys.argv[1], api_key=sys.argv[2]), sys.argv[3], sys.argv[4], engine="batch")
"""


def test_ctrl_c_ends_the_waiting(tmp_path: Path, mode: Mode) -> None:
    """At once, as an error; the batch goes on, and the next run has its answers."""
    with Emulator(behaviour=Behaviour(batch_polls=40)) as kimi:
        files = Files(tmp_path, mode, kimi)
        files.write([k26(0), k26(1)])
        command = [sys.executable, "-c", PROGRAM, kimi.base_url, kimi.api_key, str(files.input), str(files.output)]
        process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": ROOT}, stderr=subprocess.PIPE, text=True)
        while not batches(kimi):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        assert (process.returncode, "KeyboardInterrupt: 0 answered" in err) == (-signal.SIGINT, True)
        assert ids(files.output) == []
        assert run(files).answered == 2
        assert len(batches(kimi)) == 1
