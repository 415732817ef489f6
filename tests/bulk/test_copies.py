"""`dedupe`: the same request is asked once, and each of its lines has the answer under its own id."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai import instant
from kimi_openai.bulk import BulkReport, Estimate
from kimi_openai.emulator import finish, say

from .conftest import Files, ids, line, records


def content_of(record: Any) -> str:
    """The text of an answer."""
    return str(record["response"]["body"]["choices"][0]["message"]["content"])


def run(files: Files, **options: Any) -> BulkReport:
    """One run that waits for nothing."""
    with instant():
        return files.run(dedupe=True, **options)


@pytest.mark.parametrize("engine", ["live", pytest.param("batch", marks=pytest.mark.k2)])
def test_one_answer_for_all(files: Files, engine: Any) -> None:
    """By the body as it is sent; each answer is the right one, and is paid once."""
    model = {"model": "kimi-k2.6"} if engine == "batch" else {}
    lines = [line(number, f"Word {number % 3}", **model) for number in range(12)]
    del lines[4]["body"]["max_completion_tokens"]
    lines[4]["body"]["max_tokens"] = 4096  # the same request when it is sent
    files.write(lines)
    seen: list[Estimate] = []
    report = run(files, engine=engine, confirm=lambda estimate: seen.append(estimate) or True)
    assert (report.answered, report.left, seen[0].copies) == (12, 0, 9)
    asked = files.kimi.chats or _sent_in_batches(files)
    assert sorted(chat["messages"][0]["content"] for chat in asked) == ["Word 0", "Word 1", "Word 2"]
    found = {record["custom_id"]: record for record in records(files.output)}
    assert len(found) == len(records(files.output)) == 12
    for number in range(12):
        record = found[f"r{number}"]
        assert record["id"] == f"r{number}"
        assert f"Word {number % 3}" in content_of(record)
        assert record.get("copy_of") == (None if number < 3 else f"r{number % 3}")
    again = run(files, engine=engine)
    assert (again.resumed, again.cost, again.tokens) == (12, report.cost, report.tokens)


def _sent_in_batches(files: Files) -> list[Any]:
    return [
        json.loads(each)["body"]
        for file in files.kimi._state.files.by_id.values()
        if file.purpose == "batch"
        for each in file.data.splitlines()
    ]


def test_without_it_each_line_is_asked(files: Files) -> None:
    """A model gives other answers to the same question."""
    files.write([line(0, "Word"), line(1, "Word")])
    files.run()
    assert len(files.kimi.chats) == 2


def test_a_later_run_uses_the_answers_of_earlier_ones(files: Files) -> None:
    """Whichever line was asked then."""
    files.write([line(0, "a"), line(1, "b")])
    files.run()
    files.write([line(5, "b"), line(6, "c"), line(0, "a"), line(1, "b"), line(7, "c")])
    assert run(files).answered == 3
    assert [chat["messages"][0]["content"] for chat in files.kimi.chats[2:]] == ["c"]
    assert {record["custom_id"]: record.get("copy_of") for record in records(files.output)}["r5"] == "r1"


def test_copies_of_a_failure_failed(files: Files) -> None:
    """With their own line numbers; asked again, they are answered by one request."""
    files.kimi.reply = lambda body: [say("x"), finish("content_filter")] if "fail" in str(body) else None
    files.write([line(0, "fail"), line(1, "fine"), line(2, "fail")])
    report = run(files)
    assert (report.answered, report.failed) == (1, 2)
    assert [(each["custom_id"], each["line"]) for each in records(files.errors)] == [("r0", 1), ("r2", 3)]
    files.kimi.reply = None
    assert run(files, retry_failed=True).answered == 2
    assert len(files.kimi.chats) == 3


def test_a_killed_run_writes_the_rest(files: Files) -> None:
    """Between the answer and its copies: nothing is asked again."""
    files.write([line(number, "same") for number in range(4)])
    run(files)
    whole = files.output.read_bytes().splitlines(keepends=True)
    files.output.write_bytes(b"".join(whole[:2]) + whole[2][:50])
    assert run(files).answered == 2
    assert sorted(ids(files.output)) == ["r0", "r1", "r2", "r3"]
    assert len(files.kimi.chats) == 1
