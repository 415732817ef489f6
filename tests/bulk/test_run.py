"""`bulk` over sockets: what is asked, what is written, what ends a run and what does not."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai import Limits, create_client, instant
from kimi_openai.bulk import BulkStoppedError, Estimate, InputError, OutputError, Progress, bulk
from kimi_openai.bulk.output import OutputFile
from kimi_openai.emulator import (
    AccountLimits,
    Emulator,
    bad_key,
    drop_after,
    finish,
    internal_error,
    out_of_quota,
    overloaded,
    say,
    stall,
)
from tests.bulk.conftest import Files, ids, line, records

ROOT = str(Path(__file__).parents[2])


def test_answers_by_id(files: Files) -> None:
    """In the form of OpenAI's batch output; the second run asks nothing."""
    files.write([line(number) for number in range(7)])
    report = files.run(concurrency=3)
    assert sorted(ids(files.output)) == [f"r{number}" for number in range(7)]
    record = records(files.output)[0]
    assert record["response"]["status_code"] == 200
    assert record["response"]["body"]["choices"][0]["message"]["content"]
    assert record["error"] is None
    assert (report.answered, report.failed, report.left) == (7, 0, 0)
    assert report.tokens.prompt > 0
    assert report.cost > 0
    again = files.run()
    assert len(files.kimi.chats) == 7
    assert (again.resumed, again.answered, again.cost) == (7, 0, report.cost)


class Pandas:
    """A DataFrame as pandas has it, as far as it is read."""

    columns = ("word", "custom_id")

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self._rows = rows

    def itertuples(self, index: bool, name: None) -> Any:
        """The rows as tuples."""
        assert (index, name) == (False, None)
        return (tuple(row[column] for column in self.columns) for row in self._rows)


class Polars:
    """A DataFrame as polars has it, as far as it is read."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        self._rows = rows

    def iter_rows(self, *, named: bool) -> Any:
        """The rows as mappings."""
        assert named
        return iter(self._rows)


@pytest.mark.parametrize("kind", ["list", "generator", "csv", "function", "pandas", "polars"])
def test_rows_and_a_template(files: Files, tmp_path: Path, kind: str) -> None:
    """A table or rows: the names of columns in braces; ids from the column `custom_id`, or by number."""
    rows = [{"word": "run", "custom_id": "a"}, {"word": "sun", "custom_id": ""}]
    source: Any = rows
    template: Any = "Is {word} a noun?"
    if kind == "csv":
        source = tmp_path / "in.csv"
        source.write_text("word,custom_id\nrun,a\nsun,\n")
    elif kind in ("pandas", "polars"):
        source = {"pandas": Pandas, "polars": Polars}[kind](rows)
    elif kind == "generator":
        source = (row for row in rows)
    elif kind == "function":
        template = lambda row: [{"role": "user", "content": f"Is {row['word']} a noun?"}]  # noqa: E731
    report = files.run(source, messages=template, model="kimi-k3", params={"max_completion_tokens": 999})
    assert report.answered == 2
    assert sorted(ids(files.output)) == ["a", "row-2"]
    asked = sorted(chat["messages"][0]["content"] for chat in files.kimi.chats)
    assert asked == ["Is run a noun?", "Is sun a noun?"]


BAD = {
    "not JSON": ('{"custom_id": ', "line 2: it is not JSON"),
    "no object": ("[]", "line 2: it is not an object"),
    "no body": ('{"custom_id": "x"}', "line 2: it has no body"),
    "no id": (json.dumps({"body": line(1)["body"]}), "line 2: custom_id is missing"),
    "a number as id": (json.dumps({**line(1), "custom_id": 5}), "line 2: custom_id is 5; it is a text"),
    "a text": ('"hello"', "line 2: it is not an object"),
    "a double id": (json.dumps(line(0)), "line 2: custom_id 'r0' is that of line 1 too"),
    "another URL": (json.dumps({**line(1), "url": "/v1/embeddings"}), "line 2: method and url"),
    "no model": (json.dumps(line(1, model=None)), "line 2 (r1): the model is missing"),
    "no messages": (json.dumps(line(1, messages=[])), "line 2 (r1): messages is not a list of messages"),
    "several answers": (json.dumps(line(1, n=2)), "line 2 (r1): n must be 1"),
    "refused by Kimi": (json.dumps(line(1, tools=[{"type": "retrieval"}])), "line 2 (r1): body.tools.0"),
    "too large for a day": (
        json.dumps(line(1, max_completion_tokens=99_000)),
        "line 2 (r1): it reserves 99,092 tokens, and the account's tpd is 90,000; set a smaller max_completion",
    ),
    "a wrong type": (json.dumps(line(1, max_completion_tokens="9")), "line 2 (r1): body.max_completion_tokens: it is"),
    "too large": (json.dumps(line(1, max_completion_tokens=900_000)), "line 2 (r1): it reserves 900,0"),
    "too large, by its older name": (
        json.dumps(line(1, max_completion_tokens=None, max_tokens=900_000)),
        "line 2 (r1): it reserves 900,092 tokens, and the account's tpm is 100,000; set a smaller max_tokens, or",
    ),
    "without a limit": (
        json.dumps(line(1, max_completion_tokens=None)),
        "line 2 (r1): it reserves 131,164 tokens, and the account's tpm is 100,000; set max_completion_tokens "
        "(--max-tokens), without which 131,072 are reserved, or",
    ),
}


@pytest.mark.parametrize(("text", "problem"), BAD.values(), ids=BAD)
def test_a_bad_line_is_found_before_anything_is_sent(files: Files, text: str, problem: str) -> None:
    """With its number and the reason."""
    files.input.write_text(f"{json.dumps(line(0))}\n{text}\n")
    with pytest.raises(InputError) as caught:
        files.run(client={"limits": Limits(tpm=100_000, tpd=90_000)})
    assert caught.value.problems[0].startswith(problem)
    assert files.kimi.requests == []


def test_many_bad_lines_are_not_all_read(files: Files) -> None:
    """Twenty are enough."""
    files.input.write_text("x\n" * 100)
    with pytest.raises(InputError) as caught:
        files.run()
    assert len(caught.value.problems) == 21


def test_failed_lines_do_not_end_the_run(files: Files) -> None:
    """They are in the error file with the reason, and are asked again on request only."""
    files.write([line(number, "fail" if number == 1 else "") for number in range(4)])
    files.kimi.reply = lambda body: [say("x"), finish("content_filter")] if "fail" in str(body) else None
    report = files.run()
    assert (report.answered, report.failed) == (3, 1)
    (failure,) = records(files.errors)
    assert (failure["custom_id"], failure["line"]) == ("r1", 2)
    assert "content filter" in failure["error"]["message"]
    again = files.run()
    assert (again.resumed, again.resumed_failures) == (4, 1)
    assert "4 from before (1 of them failed; retry_failed" in str(again)
    files.kimi.reply = None
    assert files.run(retry_failed=True).answered == 1
    assert records(files.errors) == []
    assert sorted(ids(files.output)) == ["r0", "r1", "r2", "r3"]


def test_failures_are_kept_until_they_are_asked_again(files: Files) -> None:
    """A run that sends nothing, or is stopped first, leaves their reasons and their costs."""
    files.write([line(number, "fail") for number in range(3)])
    files.kimi.reply = lambda _: [say("x"), finish("content_filter")]
    first = files.run(concurrency=1)
    before = records(files.errors)
    no = files.run(retry_failed=True, confirm=lambda _: False)
    assert (no.left, no.cost) == (3, first.cost)
    assert records(files.errors) == before
    with pytest.raises(InputError):
        files.run([line(0), {}], retry_failed=True)
    assert records(files.errors) == before
    files.kimi.reply = None
    files.kimi.script(say("a prime"))
    files.kimi.script(say("x"), finish("content_filter"))
    files.kimi.fail(None, None, bad_key())
    with pytest.raises(BulkStoppedError) as caught:
        files.run(retry_failed=True, concurrency=1)
    report = caught.value.report
    assert (report.answered, report.failed, report.left) == (1, 1, 1)
    assert sorted(ids(files.errors)) == ["r1", "r2"]
    again = files.run()
    assert (again.resumed, again.left, again.cost) == (3, 0, report.cost)
    assert files.run(retry_failed=True).answered == 2
    assert records(files.errors) == []


def test_failures_that_were_asked_again_when_it_was_killed(files: Files) -> None:
    """What is in both files, or twice in one, counts once."""
    files.write([line(number) for number in range(3)])
    files.kimi.reply = lambda _: [say("x"), finish("content_filter")]
    cost = files.run(concurrency=1).cost
    files.kimi.reply = None
    old = files.errors.read_bytes()
    report = files.run(retry_failed=True, limit=1)
    rest = files.errors.read_bytes()
    files.errors.write_bytes(old + rest)
    again = files.run()
    assert (again.resumed, again.left, again.cost) == (3, 0, report.cost)
    assert files.errors.read_bytes() == rest
    assert report.cost > cost


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [(out_of_quota, openai.RateLimitError, "top up"), (bad_key, openai.AuthenticationError, "key")],
)
def test_an_account_problem_ends_the_run(files: Files, fault: Any, kind: Any, words: str) -> None:
    """At once, with how to go on; the line is not counted as failed, and the next run answers it."""
    files.write([line(number) for number in range(30)])
    files.kimi.fail(*[fault() for _ in range(30)])
    with pytest.raises(BulkStoppedError, match="goes on where it stopped") as caught:
        files.run(concurrency=2)
    assert words in str(caught.value)
    assert isinstance(caught.value.__cause__, kind)
    assert len(files.kimi.requests) <= 4
    files.kimi.clear()
    assert files.run().answered == 30


def test_a_model_that_is_not_there(files: Files) -> None:
    """Ends the run at once if all lines have it, and none of them counts as failed; else its lines fail."""
    files.write([line(number, model="kimi-k9") for number in range(9)])
    with pytest.raises(BulkStoppedError, match="Not found the model kimi-k9"):
        files.run(concurrency=1)
    assert (len(files.kimi.requests), records(files.errors)) == (1, [])
    assert files.run(model="kimi-k3").answered == 9
    files.write([line(20, model="kimi-k9"), line(21)])
    report = files.run()
    assert (report.answered, report.failed) == (1, 1)


def test_the_same_failure_over_and_over_ends_the_run(files: Files) -> None:
    """Twenty in a row: something is wrong with all of them."""
    files.write([line(number) for number in range(60)])
    files.kimi.reply = lambda _: [say("x"), finish("content_filter")]
    with pytest.raises(BulkStoppedError, match="20 lines in a row failed for the same reason"):
        files.run(concurrency=1)
    assert len(records(files.errors)) == 20


def test_cut_streams_and_refusals_lose_nothing(files: Files) -> None:
    """Answers are whole, and none is there twice."""
    files.write([line(number) for number in range(20)])
    for number in range(20):
        files.kimi.fail((drop_after(3), overloaded(), internal_error())[number % 3])
    with instant():
        report = files.run(concurrency=4)
    assert sorted(ids(files.output)) == sorted(f"r{number}" for number in range(20))
    assert report.failed == 0
    assert report.retries > 0
    assert report.refused > 0
    for record in records(files.output):
        assert "can only quote you" in record["response"]["body"]["choices"][0]["message"]["content"]


def test_a_schema_is_checked(files: Files) -> None:
    """An answer that does not fit is asked for once more, with what is wrong; the second time it is a failure."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}
    files.write([line(0, response_format=form)])
    files.kimi.script(say('{"n": "two"}'))
    files.kimi.script(say('{"n": 2}'))
    assert files.run().answered == 1
    assert "n: must be an integer" in files.kimi.chats[-1]["messages"][-1]["content"]
    files.write([line(1, response_format=form)])
    files.kimi.script(say('{"n": "two"}'))
    files.kimi.script(say('{"n": "two"}'))
    assert files.run().failed == 1
    assert records(files.errors)[0]["error"]["code"] == "SchemaError"


def test_the_budget_is_not_passed(files: Files) -> None:
    """The most that an answer may cost is reserved before it is asked for."""
    files.write([line(number, max_completion_tokens=10_000) for number in range(50)])  # $0.15 each at most
    report = files.run(budget="0.16", concurrency=20)
    assert report.stopped.startswith("the budget")
    assert 0 < report.answered < 50
    assert report.cost <= Decimal("0.16")
    more = files.run(budget="0.17")
    assert more.answered > 0
    assert more.cost <= Decimal("0.17")


def test_a_budget_needs_a_price(files: Files) -> None:
    """Of each model; nothing is sent without."""
    files.write([line(0, model="kimi-k9")])
    with pytest.raises(InputError, match="no price is known for kimi-k9"):
        files.run(budget=1)
    assert files.kimi.requests == []


def test_what_is_to_be_sent_is_estimated_first(files: Files) -> None:
    """Lines, tokens, cost and time by the limits; who says no sends nothing."""
    files.write([line(number) for number in range(300)])
    seen: list[Estimate] = []
    report = files.run(client={"limits": "tier1"}, confirm=lambda estimate: bool(seen.append(estimate)))
    assert report.stopped.startswith("not confirmed")
    assert files.kimi.requests == []
    (estimate,) = seen
    assert (estimate.left, estimate.minutes, estimate.models) == (300, 3.0, ("kimi-k3",))
    assert estimate.cost is not None
    assert 18 < estimate.cost < 20


def test_another_prompt_with_the_same_id_is_noticed(files: Files) -> None:
    """Nothing is sent, and nothing is overwritten."""
    files.write([line(0), line(1)])
    files.run()
    files.write([line(0), line(1, "something else")])
    with pytest.raises(OutputError, match=r"line 2 \(r1\)"):
        files.run()
    assert len(files.kimi.chats) == 2


def test_one_run_has_the_output(files: Files) -> None:
    """A second one is refused."""
    files.write([line(0)])
    other = OutputFile(files.output)
    with pytest.raises(OutputError, match="another run writes to"):
        files.run()
    other.close()
    assert files.run().answered == 1


def test_the_order_of_the_input(files: Files) -> None:
    """On request, at the end; what other inputs have left stays."""
    files.write([line(99)])
    files.run()
    files.write([line(number) for number in range(9, -1, -1)])
    files.run(ordered=True, concurrency=5)
    assert ids(files.output) == [*(f"r{number}" for number in range(9, -1, -1)), "r99"]


def test_progress_is_reported(files: Files) -> None:
    """To a function; the last call has all."""
    files.write([line(number) for number in range(3)])
    seen: list[Progress] = []
    files.run(progress=seen.append)
    assert (seen[-1].done, seen[-1].open) == (3, 0)
    assert "kimi_bulk_lines_answered_total 3" in seen[-1].prometheus()
    assert seen[-1].rate > 0


def test_the_limits_hold(files: Files) -> None:
    """No request is refused, and the limiter decides how many lines are answered at once."""
    limits = {"concurrency": 4, "rpm": 60}
    with Emulator(limits=AccountLimits(**limits), minute=3, latency=0.01) as kimi:
        files.kimi = kimi
        files.write([line(number) for number in range(40)])
        report = files.run(client={"limits": Limits(**limits, minute=3)})
        assert kimi.limits.admitted == 40
        assert kimi.limits.most_running <= 4
    assert (report.answered, report.refused) == (40, 0)


def test_a_full_disk_ends_the_run(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file ends with a whole line, and the next run goes on."""
    files.write([line(number) for number in range(5)])
    write, left = os.write, [2]

    def full(file: int, data: bytes) -> int:
        if data.startswith(b'{"id":"r'):
            left[0] -= 1
            if left[0] < 0:
                write(file, data[:10])
                raise OSError(28, "No space left on device")
        return write(file, data)

    with monkeypatch.context() as patch:
        patch.setattr("kimi_openai.bulk.output.os.write", full)
        with pytest.raises(BulkStoppedError, match="No space left on device"):
            files.run(concurrency=1)
    assert len(records(files.output)) == 2
    assert files.run().answered == 3


def test_a_full_disk_when_the_order_is_made(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """All answers stay, in the order in which they came, and the next run makes the order."""
    files.write([line(number) for number in range(3, 0, -1)])
    files.run(limit=1)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("kimi_openai.bulk.output.os.replace", full)
        with pytest.raises(BulkStoppedError, match=r"cannot be put in order \(No space left"):
            files.run(ordered=True, concurrency=1)
    assert len(ids(files.output)) == 3
    assert [path.name for path in files.output.parent.glob("*.tmp")] == []
    files.run(ordered=True)
    assert ids(files.output) == ["r3", "r2", "r1"]


def test_it_works_inside_a_running_loop(kimi: Emulator, tmp_path: Path) -> None:
    """As in a notebook, with a synchronous client."""

    async def cell() -> int:
        with create_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            return bulk(client, [line(0), line(1)], tmp_path / "out.jsonl").answered

    assert asyncio.run(cell()) == 2


# Other processes -----------------------------------------------------------------------------------------------------


def start(files: Files, *options: str) -> subprocess.Popen[str]:
    """`kimi-openai bulk` in another process."""
    environment = {
        **os.environ,
        "PYTHONPATH": ROOT,
        "MOONSHOT_API_KEY": files.kimi.api_key,
        "MOONSHOT_BASE_URL": files.kimi.base_url,
    }
    command = [sys.executable, "-m", "kimi_openai", "bulk", str(files.input), "-o", str(files.output), *options]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdout=pipe, stderr=pipe, stdin=subprocess.DEVNULL, text=True)


def wait_for_lines(files: Files, count: int) -> None:
    """Until the output has so many lines."""
    end = time.monotonic() + 60
    while not files.output.exists() or files.output.read_bytes().count(b"\n") < count:
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.fixture
def slow(kimi: Emulator, tmp_path: Path, mode: Any) -> Files:
    """120 lines, and answers that take a while."""
    if mode.is_async:
        pytest.skip("the command has one client")
    files = Files(tmp_path, mode, kimi)
    files.write([line(number) for number in range(120)])
    lock = threading.Lock()

    def reply(_: Any) -> None:
        with lock:
            time.sleep(0.005)

    kimi.reply = reply
    return files


def test_kill_9(slow: Files) -> None:
    """Nothing is lost, and nothing is asked twice but what was being answered; a torn line is repaired."""
    process = start(slow, "--concurrency", "8")
    wait_for_lines(slow, 30)
    process.kill()
    process.communicate()
    before = ids(slow.output)
    asked = len(slow.kimi.chats)
    with slow.output.open("ab") as output:
        output.write(b'{"id":"r199","custom_id":"r199","finger')
    process = start(slow, "--concurrency", "8", "--json")
    out, err = process.communicate(timeout=90)
    assert process.returncode == 0, err
    report = json.loads(out)
    found = ids(slow.output)
    assert sorted(found) == sorted(f"r{number}" for number in range(120))
    assert found[: len(before)] == before
    assert report["resumed"] == len(before)
    assert asked >= 30
    assert len(slow.kimi.chats) <= 120 + 8


def test_ctrl_c_finishes_what_is_being_answered(slow: Files) -> None:
    """Exit code 130; the next run goes on."""
    process = start(slow, "--concurrency", "4")
    wait_for_lines(slow, 10)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped: interrupted" in err
    count = len(ids(slow.output))
    assert count == len(slow.kimi.chats) < 120


def test_a_second_ctrl_c_does_not_wait(slow: Files) -> None:
    """What is being answered is given up."""
    slow.kimi.fail(*[stall(-1) for _ in range(2)])
    process = start(slow, "--concurrency", "2")
    end = time.monotonic() + 60
    while len(slow.kimi.requests) < 2 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
