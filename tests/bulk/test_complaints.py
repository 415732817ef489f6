"""What users of other tools complain about, where no other test here has it: counts, budgets, memory, stragglers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from kimi_openai import Limits, instant
from kimi_openai.bulk import Progress
from kimi_openai.emulator import (
    AccountLimits,
    Emulator,
    cut,
    drop_after,
    error,
    finish,
    internal_error,
    overloaded,
    say,
    stall,
)

from .conftest import Files, ids, line, records

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
FORM = {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}


def spent(files: Files) -> Decimal:
    """What the account was charged."""
    return Decimal(files.kimi._state.account.spent)


def ending(request: Any) -> Any:
    """Answers by the question: filtered, against the schema, or the default one."""
    text = str(request.json["messages"][0]["content"])
    if "filtered" in text:
        return [say("some words before it ends"), finish("content_filter")]
    return say('{"n": "x"}') if "schema" in text else None


@pytest.mark.parametrize("engine", ["live", pytest.param("batch", marks=pytest.mark.k2)])
def test_cost_and_tokens_are_those_of_the_account(files: Files, engine: Any) -> None:
    """Also of lines that failed or were asked twice, and after restarts."""
    model = {"model": "kimi-k2.6"}
    files.kimi.reply = ending
    lines = [line(number, **model) for number in range(4)]
    files.write([*lines, line(4, "filtered", **model), line(5, "schema", response_format=FORM, **model)])
    with instant():
        report = files.run(engine=engine)
        assert (report.answered, report.failed) == (4, 2)
        assert abs(report.cost - spent(files)) < Decimal("1e-9")
        again = files.run(engine=engine)
        assert again.cost == report.cost
        files.kimi.reply = None
        last = files.run(engine=engine, retry_failed=True)
        assert (last.answered, last.failed) == (2, 0)
        assert abs(last.cost - spent(files)) < Decimal("1e-9")
        assert files.run(engine=engine).cost == last.cost


def test_the_account_is_not_charged_beyond_the_budget(files: Files) -> None:
    """With failures, answers that are asked twice, and runs that go on."""
    files.kimi.reply = lambda request: ending(request) if request.number % 3 else None
    files.write(
        [line(number, ("schema", "filtered", "x")[number % 3], max_completion_tokens=2000) for number in range(60)]
    )
    for amount in ("0.1", "0.15", "0.2"):
        files.run(budget=amount, concurrency=7, retry_failed=amount == "0.2")
        assert spent(files) <= Decimal(amount)


class Counted:
    """Rows that know how many of them are read before an answer has come."""

    def __init__(self, count: int) -> None:
        self.count, self.read = count, 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self.read = 0
        for number in range(self.count):
            self.read += 1
            yield line(number)


def test_rows_are_read_as_they_are_needed(files: Files) -> None:
    """No task and no memory for a row that is not being answered."""
    rows, ahead = Counted(60), list[int]()
    lock = threading.Lock()

    def reply(_: Any) -> None:
        with lock:
            ahead.append(rows.read - len(ahead))

    files.kimi.reply = reply
    assert files.run(rows, concurrency=4).answered == 60
    assert max(ahead) <= 4 + 1


def test_a_poison_row_fails_alone(files: Files) -> None:
    """Whatever its answer is like, each time it is asked for."""

    def reply(request: Any) -> Any:
        match request.json["messages"][0]["content"]:
            case "Say 1.":
                raise ValueError("status 500, each time")
            case "Say 2.":
                return [error("this one is refused", type="invalid_request_error", status=400)]
            case "Say 3.":
                return [say("half an answ"), cut()]
            case _:
                return None

    files.kimi.reply = reply
    files.write([line(number) for number in range(6)])
    with instant():
        report = files.run(concurrency=2)
    assert (report.answered, report.failed) == (3, 3)
    assert sorted(ids(files.output)) == ["r0", "r4", "r5"]
    assert sorted(ids(files.errors)) == ["r1", "r2", "r3"]


def test_a_straggler_is_given_up_after_its_patience(files: Files) -> None:
    """It is asked once, the other lines do not wait for it, and it may be asked again."""
    files.kimi.fail(stall(0))
    files.write([line(number) for number in range(5)])
    report = files.run(concurrency=2, patience=1.0)
    assert (report.answered, report.failed) == (4, 1)
    assert len(files.kimi.chats) == 5
    (failure,) = records(files.errors)
    assert failure["error"]["code"] == "timeout"
    assert files.run(retry_failed=True).answered == 1


def test_limits_are_changed_while_it_runs(files: Files) -> None:
    """More lines are answered at once from then on."""
    with Emulator(limits=AccountLimits(concurrency=50), latency=0.02) as kimi:
        files.kimi = kimi
        limits = Limits(concurrency=1)

        def widen(progress: Progress) -> None:
            if progress.answered:
                limits.change(concurrency=8)

        files.write([line(number) for number in range(80)])
        assert files.run(client={"limits": limits}, concurrency=10, progress=widen).answered == 80
        assert 1 < kimi.limits.most_running <= 8


def test_cuts_refusals_and_overloads_of_a_large_run(files: Files) -> None:
    """Half of the requests go wrong: each line has one whole answer, and the waits are counted."""
    faults = [drop_after(2), overloaded(), internal_error()]
    files.kimi.fail(*(faults[number % 3] for number in range(100)))
    files.write([line(number) for number in range(100)])
    with instant():
        report = files.run(concurrency=20)
    assert (report.answered, report.failed) == (100, 0)
    assert len(set(ids(files.output))) == len(ids(files.output)) == 100
    assert report.retries >= 66
    assert json.loads(report.to_json())["answered"] == 100
