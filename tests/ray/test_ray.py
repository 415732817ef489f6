"""Two Ray workers under one account: the local engine's answers, limits that hold, and whatever dies half-way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import Limits, create_client
from kimi_openai.bulk import BulkStoppedError, InputError, bulk, ray_limits
from kimi_openai.bulk.ray import KimiStage, bulk_ray, shared_limits
from kimi_openai.emulator import Emulator, finish, out_of_quota, say
from tests.bulk.conftest import ids, line, records
from tests.ray.conftest import MINUTE

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]  # Ray's, of itself

LINES = 300
TTL = 3.0


def options(kimi: Emulator) -> dict[str, Any]:
    return {"base_url": kimi.base_url, "api_key": kimi.api_key}


def answers(path: Path) -> dict[str, Any]:
    """What is in an output file, without what differs from call to call."""
    found = {}
    for record in records(path):
        body = record["response"]["body"]
        tokens = body["usage"]["total_tokens"]  # the second engine finds the prompts in the cache
        found[record["custom_id"]] = (record["fingerprint"], body["choices"], tokens, record["error"])
    return found


def processes(title: str) -> list[int]:
    """The processes of this cluster whose title begins so: those in the network namespace of this thread."""
    here, found = os.readlink("/proc/thread-self/ns/net"), []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            is_it = (folder / "cmdline").read_bytes().startswith(title.encode())
            if is_it and os.readlink(folder / "ns/net") == here:
                found.append(int(folder.name))
    return sorted(found)


@contextmanager
def when(condition: Callable[[], bool], act: Callable[[], object]) -> Iterator[list[Any]]:
    """Calls `act` in another thread, as soon as the condition holds; what it returns is in the list."""
    found: list[Any] = []
    is_over = threading.Event()

    def watch() -> None:
        while not is_over.wait(0.02):
            if condition():
                found.append(act())
                return

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        is_over.set()
        thread.join()


def kill(title: str) -> int:
    """Kill the first process of this title."""
    pid = processes(title)[0]
    os.kill(pid, signal.SIGKILL)
    return pid


def run(kimi: Emulator, output: Path, lines: Any = None, limits: Any = None, **more: Any) -> Any:
    rows = [line(number) for number in range(LINES)] if lines is None else lines
    return bulk_ray(rows, output, limits=limits, workers=2, client=options(kimi), **more)


def held(kimi: Emulator) -> bool:
    """Whether the limits were never reached: the emulator refuses whatever is beyond them in any minute."""
    report = kimi.limits
    return sum(report.refused.values()) < report.admitted / 100 and report.most_running <= 15


def test_the_same_answers_as_the_local_engine(account: Emulator, tmp_path: Path) -> None:
    """And the limits are used, not exceeded; both workers take part."""
    limits = shared_limits("tier1", minute=MINUTE, ttl=TTL)
    with when(lambda: account.limits.admitted > 150, lambda: processes("ray::MapWorker")) as workers:
        report = run(account, tmp_path / "ray.jsonl", limits=limits)
    assert (report.answered, report.failed, report.left) == (LINES, 0, 0)
    assert report.cost > 0
    assert len(workers[0]) == 2
    assert held(account)
    assert account.limits.admitted == LINES
    assert max(minute.admitted for minute in account.limits.minutes) == 100
    account.set_limits(None)
    with create_client(**options(account)) as client:
        bulk(client, [line(number) for number in range(LINES)], tmp_path / "local.jsonl")
    assert answers(tmp_path / "ray.jsonl") == answers(tmp_path / "local.jsonl")


def test_a_worker_that_dies(account: Emulator, tmp_path: Path) -> None:
    """Is replaced, and its rows are asked again: at most what was open. No answer is there twice."""
    limits = shared_limits("tier1", minute=MINUTE, ttl=TTL)
    with when(lambda: account.limits.admitted > 110, lambda: kill("ray::MapWorker")) as killed:
        report = run(account, tmp_path / "out.jsonl", limits=limits)
    assert killed
    assert report.answered == LINES
    assert sorted(ids(tmp_path / "out.jsonl")) == sorted(f"r{number}" for number in range(LINES))
    assert account.limits.admitted - LINES <= 15
    assert held(account)


def test_a_limiter_that_dies(account: Emulator, tmp_path: Path) -> None:
    """It does not know what was sent, so it admits nothing for a minute; the limits hold."""
    limits = shared_limits("tier1", minute=MINUTE, ttl=TTL)
    before = processes("ray::LimiterActor")
    with when(lambda: account.limits.admitted > 110, lambda: kill("ray::LimiterActor")) as killed:
        report = run(account, tmp_path / "out.jsonl", limits=limits)
    assert killed == before
    assert processes("ray::LimiterActor") != before
    assert report.answered == LINES
    assert account.limits.admitted == LINES
    assert held(account)


def test_files_that_die_with_their_actor(account: Emulator, tmp_path: Path) -> None:
    """The actor that writes is restarted, goes on where it was, and nothing is lost or there twice."""
    account.set_limits(None)
    with when(lambda: account.limits.admitted > 30, lambda: kill("ray::Journal")) as killed:
        report = run(account, tmp_path / "out.jsonl")
    assert killed
    assert report.answered == LINES
    assert len(ids(tmp_path / "out.jsonl")) == len(set(ids(tmp_path / "out.jsonl"))) == LINES


def test_one_engine_goes_on_where_the_other_stopped(account: Emulator, tmp_path: Path) -> None:
    """The files are the same; nothing is asked twice, and failed rows only on request."""
    account.set_limits(None)
    lines = [line(number, "fail" if number == 1 else "") for number in range(10)]
    account.reply = lambda body: [say("x"), finish("content_filter")] if "fail" in str(body) else None
    with create_client(**options(account)) as client:
        bulk(client, lines, tmp_path / "out.jsonl", limit=5)
    report = run(account, tmp_path / "out.jsonl", lines)
    assert (report.resumed, report.answered, report.failed) == (5, 5, 0)
    assert len(account.chats) == 10
    account.reply = None
    assert run(account, tmp_path / "out.jsonl", lines, retry_failed=True).answered == 1
    again = run(account, tmp_path / "out.jsonl", lines)
    assert (again.resumed, again.answered, again.left) == (10, 0, 0)
    assert again.cost > 0
    assert sorted(ids(tmp_path / "out.jsonl")) == [f"r{number}" for number in range(10)]


def test_failed_rows_are_as_in_the_local_engine(account: Emulator, tmp_path: Path) -> None:
    """In the error file, with the number of the line, and the run goes on."""
    account.set_limits(None)
    lines = [line(number, "fail" if number == 7 else "") for number in range(20)]
    account.reply = lambda body: [say("x"), finish("content_filter")] if "fail" in str(body) else None
    with create_client(**options(account)) as client:
        bulk(client, lines, tmp_path / "local.jsonl")
    shown: list[Any] = []
    report = run(account, tmp_path / "ray.jsonl", lines, progress=shown.append)
    assert (report.answered, report.failed) == (19, 1)
    failures = [records(tmp_path / f"{engine}.errors.jsonl")[0] for engine in ("ray", "local")]
    assert failures[0].keys() == failures[1].keys()
    for name in ("custom_id", "fingerprint", "line", "error"):
        assert failures[0][name] == failures[1][name]
    assert shown[-1] == report


def test_an_empty_account_ends_the_run(account: Emulator, tmp_path: Path) -> None:
    """With what to do; the same call goes on."""
    account.set_limits(None)
    account.fail(*[out_of_quota() for _ in range(100)])
    with pytest.raises(BulkStoppedError, match="top up") as caught:
        run(account, tmp_path / "out.jsonl", [line(number) for number in range(60)])
    assert caught.value.report.answered == 0
    account.clear()
    assert run(account, tmp_path / "out.jsonl", [line(number) for number in range(60)]).answered == 60


def test_the_same_failure_over_and_over_ends_the_run(account: Emulator, tmp_path: Path) -> None:
    """Twenty in a row, over all workers."""
    account.set_limits(None)
    account.reply = lambda _: [say("x"), finish("content_filter")]
    with pytest.raises(BulkStoppedError, match="20 rows in a row failed for the same reason"):
        run(account, tmp_path / "out.jsonl", [line(number) for number in range(200)])
    assert len(account.chats) < 200


def test_bad_input_is_found_before_anything_is_sent(account: Emulator, tmp_path: Path) -> None:
    """As by the local engine."""
    with pytest.raises(InputError, match="row 2: custom_id 'r0'"):
        run(account, tmp_path / "out.jsonl", [line(0), line(0)])
    assert run(account, tmp_path / "out.jsonl", [line(0)], confirm=lambda _: False).stopped.startswith("not confirmed")
    with pytest.raises(ValueError, match="workers is 0"):
        bulk_ray([line(0)], tmp_path / "out.jsonl", workers=0)
    with pytest.raises(ValueError, match="output is the input file"):
        bulk_ray(tmp_path / "out.jsonl", tmp_path / "out.jsonl")
    assert account.requests == []


def test_the_command(account: Emulator, tmp_path: Path) -> None:
    """It starts a Ray of its own; the workers find the key in the environment."""
    account.set_limits(None)
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line(number)) + "\n" for number in range(20)))
    arguments = [str(tmp_path / "in.jsonl"), "-o", str(tmp_path / "out.jsonl"), "--engine", "ray", "--json"]
    settings = {"MOONSHOT_BASE_URL": account.base_url, "MOONSHOT_API_KEY": account.api_key}
    done = subprocess.run(
        [sys.executable, "-m", "kimi_openai", "bulk", *arguments, "--limits", "tier1"],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1])["answered"] == 20
    assert len(ids(tmp_path / "out.jsonl")) == 20


def pipeline(ray: Any, kimi: Emulator, rows: Any, **stage: Any) -> Any:
    data = ray.data
    ds = data.from_items(rows) if isinstance(rows, list) else rows
    return ds.map_batches(
        KimiStage,
        fn_constructor_kwargs={"client": options(kimi), **stage},
        batch_size=8,
        compute=data.ActorPoolStrategy(size=2),
        num_cpus=0.25,
    )


def test_a_stage_of_a_pipeline(ray: Any, account: Emulator) -> None:
    """A template, and three columns more; a row that fails for good has an error, and the job goes on."""
    rows = [{"word": f"word{number}" if number != 3 else "fail", "number": number} for number in range(40)]
    account.reply = lambda request: (
        [say("x"), finish("content_filter")] if "fail" in str(request.json) else [say(str(request.json["messages"][0]))]
    )
    limits = shared_limits("tier1", minute=MINUTE, ttl=TTL)
    asked = {"messages": "Is {word} a noun?", "model": "kimi-k3", "params": {"max_completion_tokens": 99}}
    found = pipeline(ray, account, rows, limits=limits, **asked).take_all()
    assert len(found) == 40
    for row in found:
        assert row["answer"] == (
            "" if row["word"] == "fail" else str({"role": "user", "content": f"Is {row['word']} a noun?"})
        )
        assert row["error"] == ("ContentFilterFinishReasonError" if row["word"] == "fail" else "")
        assert '"custom_id"' in row["line"]
    assert account.limits.most_running <= 15
    assert {chat["max_completion_tokens"] for chat in account.chats} == {99}


def test_lines_of_a_batch_file_in_a_pipeline(ray: Any, account: Emulator, tmp_path: Path) -> None:
    """Read as text; what is wrong with a line is its error, and nothing is sent of it."""
    texts = [json.dumps(line(0)), json.dumps(line(1, model=None)), "{", "[]"]
    (tmp_path / "in.txt").write_text("\n".join(texts))
    found = pipeline(ray, account, ray.data.read_text(str(tmp_path / "in.txt"))).take_all()
    assert {row["text"]: bool(row["error"]) for row in found} == dict(
        zip(texts, [False, True, True, True], strict=True)
    )
    assert len(account.chats) == 1


def test_an_empty_account_ends_a_pipeline(ray: Any, account: Emulator) -> None:
    """With what to do."""
    account.fail(*[out_of_quota() for _ in range(100)])
    with pytest.raises(Exception, match="top up"):
        pipeline(ray, account, [line(number) for number in range(20)]).take_all()


def test_limits_are_shared_with_clients(ray: Any, account: Emulator) -> None:
    """Of this process and of others, by name; another account's have another name."""
    limits = shared_limits(rpm=5, minute=MINUTE, ttl=TTL, name="small")
    settings = options(account)

    @ray.remote
    def ask(limits: Any) -> None:
        with create_client(**settings, limits=limits) as client:
            client.chat.completions.create(**line(0)["body"])

    start = time.monotonic()
    ray.get([ask.remote(limits), ask.remote(limits)])
    with create_client(**options(account), limits=shared_limits(rpm=5, minute=MINUTE, ttl=TTL, name="small")) as client:
        for _ in range(4):
            client.chat.completions.create(**line(0)["body"])
    assert time.monotonic() - start >= MINUTE
    assert limits.rates.rpm == 5
    with pytest.raises(ValueError, match="'small' are there already"):
        shared_limits(rpm=6, name="small")


def test_limits_that_are_not_shared_are_refused() -> None:
    """Each worker would count for itself."""
    limits: Any = Limits("tier1")
    with pytest.raises(ValueError, match=r"write shared_limits\(\.\.\.\)"):
        KimiStage(limits=limits)


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The module can be imported; the functions cannot be used."""
    monkeypatch.setattr(ray_limits, "find_spec", lambda _: None)
    for use in (lambda: bulk_ray([], tmp_path / "out.jsonl"), lambda: shared_limits("tier1")):
        with pytest.raises(ModuleNotFoundError, match=r"pip install 'kimi-openai\[ray\]'"):
            use()
