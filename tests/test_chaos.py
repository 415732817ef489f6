"""A small slice of the chaos run, and whether the harness itself is right: it finds what is planted, and is fair."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from itertools import product
from math import inf
from multiprocessing import get_context
from random import Random
from typing import Any
from unittest.mock import Mock

import openai
import pytest

from .chaos.__main__ import report, story
from .chaos.faults import ANSWER_FAULTS, CONNECTION_FAULTS, REQUEST_FAULTS, raw, steps_of
from .chaos.meaning import events_of, is_fair
from .chaos.plans import KEY, Meant, Plan, plan_of
from .chaos.proxy import HOST, Passage
from .chaos.results import Chaos
from .chaos.run import run_all
from .chaos.shapes import answer_to
from .chaos.steps import FOREVER, Drip, Repeat
from .chaos.watch import watching
from .chaos.ways import WAYS, Way
from .chaos.wire import Answer, Request, read_answer

Outcome = tuple[str, list[list[str]]]


def in_new_process(run: Callable[[], Outcome]) -> Outcome:
    """The result of a run whose leaks are its own: threads and sockets of earlier tests may end late."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run).result()


def outcome_of(chaos: Chaos) -> Outcome:
    """What was found, as a table, and how each run ended."""
    return report(chaos) if chaos.counts else "", [result.ends for result in chaos.results]


def with_faults() -> Outcome:
    return outcome_of(run_all(map(plan_of, range(60))))


def without_faults() -> Outcome:
    modes: Any = [(False, "default"), (False, "httpx"), (True, "default"), (True, "httpx"), (True, "aiohttp")]
    servers: Any = ("emulator", "shapes", "shapes", "shapes")  # whose shapes differ by seed
    plans = [
        Plan(seed, way, *mode, server, patience=5, meant=MEANT if way == "run_tools" else replace(MEANT, calls=()))
        for seed, (way, mode, server) in enumerate(product(WAYS, modes, servers))
    ]
    return outcome_of(run_all(plans))


def test_nothing_hangs_and_nothing_untrue_is_delivered() -> None:
    """Runs of every way of asking, through the proxy."""
    found, ends = in_new_process(with_faults)
    assert found == ""
    assert sum("answer" in each for each in ends) > 5  # about 30, if nothing else is running here


def test_without_a_fault_every_way_answers() -> None:
    """Both servers, sync and async, each transport."""
    found, ends = in_new_process(without_faults)
    assert found == ""
    assert all(each == ["answer"] for each in ends)


MEANT = Meant("the sky\n\nüber 你好 😀", "hm …", (("add", '{"a": 1, "b": 2}'),))


# What is planted is found --------------------------------------------------------------------------------------------


async def _nothing_wrong(client: Any, plan: Plan) -> Any:
    return await WAYS["create"].ask(client, plan)


async def _swallows(client: Any, plan: Plan) -> Any:
    completion = await _nothing_wrong(client, plan)
    completion.choices[0].message.content = completion.choices[0].message.content[:-1]
    return completion


async def _counts_twice(client: Any, plan: Plan) -> Any:
    completion = await _nothing_wrong(client, plan)
    completion.usage.total_tokens *= 2
    return completion


async def _gives_none(client: Any, plan: Plan) -> Any:
    await _nothing_wrong(client, plan)


async def _raises(_: Any, __: Plan) -> Any:
    raise KeyError("choices")


async def _gives_up(_: Any, __: Plan) -> Any:
    raise openai.OpenAIError("no reason")


async def _shows_its_key(client: Any, _: Plan) -> Any:
    raise openai.OpenAIError(f"Authorization: Bearer {client.api_key}")


async def _sleeps(client: Any, _: Plan) -> Any:
    if isinstance(client, openai.AsyncOpenAI):
        await asyncio.sleep(60)
    with socket.create_connection((client.base_url.host, client.base_url.port)) as connection:
        connection.recv(1)


async def _is_late(client: Any, plan: Plan) -> Any:
    completion = await _nothing_wrong(client, plan)
    await asyncio.sleep(4) if plan.is_async else time.sleep(4)
    return completion


KEPT: list[Any] = []


async def _leaks_a_socket(client: Any, plan: Plan) -> Any:
    KEPT.append(socket.create_connection((client.base_url.host, client.base_url.port)))
    return await _nothing_wrong(client, plan)


async def _leaks_a_thread(client: Any, plan: Plan) -> Any:
    over = threading.Event()
    KEPT.append(over)
    threading.Thread(target=over.wait, args=(20,), name="left").start()
    return await _nothing_wrong(client, plan)


async def _leaks_a_task(client: Any, plan: Plan) -> Any:
    KEPT.append(asyncio.create_task(asyncio.sleep(20)))
    return await _nothing_wrong(client, plan)


async def _never_retrieves(client: Any, plan: Plan) -> Any:
    asyncio.create_task(_raises(client, plan))  # noqa: RUF006 - that is the fault
    return await _nothing_wrong(client, plan)


async def _leaves_unclosed(client: Any, plan: Plan) -> Any:
    socket.create_connection((client.base_url.host, client.base_url.port))
    return await _nothing_wrong(client, plan)


async def _blocks_the_loop(client: Any, plan: Plan) -> Any:
    time.sleep(1.5)
    return await _nothing_wrong(client, plan)


PLANTED: tuple[tuple[Any, str], ...] = (
    (_swallows, "untrue"),
    (_counts_twice, "untrue"),
    (_gives_none, "untrue"),
    (_raises, "foreign"),
    (_gives_up, "needless"),
    (_shows_its_key, "key"),
    (_sleeps, "hang"),
    (_is_late, "hang"),
    (_leaks_a_socket, "socket"),
    (_leaks_a_thread, "thread"),
    (_leaks_a_task, "task"),
)


HANGING = {ask.__name__ for ask, kind in PLANTED if kind == "hang"}


def test_what_is_planted_is_found() -> None:
    """In the run that it was planted in, and nothing else there; the runs beside it are clean."""
    ways = {ask.__name__: Way(ask, WAYS["create"].judge) for ask, _ in PLANTED} | {"clean": WAYS["create"]}
    runs = [
        (way, is_async) for way, is_async in product(ways, (False, True)) if (way, is_async) != ("_leaks_a_task", False)
    ]
    plans = [
        Plan(seed, way, is_async, patience=1 if way in HANGING else 4, upstream="shapes")
        for seed, (way, is_async) in enumerate(runs)
    ]
    chaos = run_all(plans, ways)
    for kept in KEPT:
        getattr(kept, "close", getattr(kept, "set", bool))()
    KEPT.clear()
    kinds = {ask.__name__: {kind} for ask, kind in PLANTED}
    kinds["_shows_its_key"].add("needless")  # it is an error, too
    found = {(result.plan.way, result.plan.is_async): {kind for kind, _ in result.findings} for result in chaos.results}
    assert found == {(way, is_async): kinds.get(way, set()) for way, is_async in runs}
    assert str(plans[0]) in story(chaos)
    assert "untrue, 2 times: text\n" in report(chaos)


@pytest.mark.parametrize(
    ("ask", "is_async"),
    [(_never_retrieves, True), (_blocks_the_loop, True), (_leaves_unclosed, True), (_leaves_unclosed, False)],
)
def test_noise_is_found(ask: Any, is_async: bool) -> None:
    """Of exceptions that are never retrieved, sockets that are never closed, and an event loop that stands still."""
    plan = Plan(1, "noisy", is_async, patience=4, upstream="shapes")
    assert set(run_all([plan], {"noisy": Way(ask, WAYS["create"].judge)}).counts) == {"noise"}


# It is fair ----------------------------------------------------------------------------------------------------------


@cache
def _answers() -> tuple[Answer, ...]:
    """Answers of all kinds and shapes."""
    return tuple(_generated())


def _generated() -> Iterator[Answer]:
    chat = b'{"messages": [{"role": "user", "content": "Hi"}], "stream": %s}'
    asked = [("POST", "/v1/chat/completions", chat % b"true")] * 4 + [("POST", "/v1/chat/completions", chat % b"false")]
    asked += [("GET", "/v1/files/file_1/content", b""), ("GET", "/v1/models", b"")]
    for seed in range(25):
        for method, path, body in asked:
            data, _ = answer_to(plan_of(seed), Request(method, path, {}, body, b""))
            answer, failed = _read(data, path)
            assert not failed
            assert raw(answer.pieces) == data
            yield answer


def _read(data: bytes, path: str) -> tuple[Answer, bool]:
    """What a strict reader has of an answer, and whether it fails in it."""

    async def read() -> tuple[Answer, bool]:
        reader = asyncio.StreamReader(limit=2**22, loop=Mock())  # nothing is waited for: all the bytes are there
        reader.feed_data(data)
        reader.feed_eof()
        pieces: list[Any] = []
        try:
            while (answer := await read_answer(reader, path, pieces)).pieces[0].data.startswith(b"HTTP/1.1 1"):
                pieces.clear()
            return answer, False
        except (ValueError, EOFError):
            return Answer(tuple(pieces), path), True

    with pytest.raises(StopIteration) as end:
        read().send(None)
    return end.value.value


@pytest.mark.parametrize("name", ANSWER_FAULTS)
def test_damage_can_be_noticed(name: str) -> None:
    """A strict reader that is handed what the proxy sends finds it broken, or has what the server meant."""
    random = Random(name)
    used = 0
    for answer in _answers():
        done, steps = steps_of(name, random.randrange(2**32), answer)
        used += done == name
        read, failed = _read(_bytes(steps), answer.path)
        is_success = bool(read.pieces) and read.pieces[0].data.startswith(b"HTTP/1.1 2")
        if not is_success or "content-encoding" in read.headers:
            continue
        if failed:  # what came of a stream until then was handed over
            assert not answer.is_stream or is_fair(answer, read.body)
        elif not read.pieces[0].data.startswith((b"HTTP/1.1 204", b"HTTP/1.1 205")):
            assert is_fair(answer, read.body)
    assert used > 10


def _bytes(steps: Any) -> bytes:
    data = b""
    for step in steps:
        if step == FOREVER:
            break
        data += step if isinstance(step, bytes) else step.data if isinstance(step, Drip | Repeat) else b""
    return data


@pytest.mark.parametrize("kind", ["chunks", "length"])
def test_what_a_body_means_is_compared(kind: str) -> None:
    """Not its bytes: other blanks are the same, another word or a lost event is not, a broken one can be noticed."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
    body = b'data: {"a": 1}\n\ndata: {"b": 2}\n\ndata: [DONE]\n\n'
    framed = (
        b"Content-Length: %d\r\n\r\n%s"
        if kind == "length"
        else b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n"
    )
    answer, failed = _read(head + framed % (len(body), body), "")
    assert (answer.body, failed) == (body, False)
    assert events_of(body)[:2] == [{"a": 1}, {"b": 2}]
    assert is_fair(answer, body.replace(b": 1", b":1"))
    assert is_fair(answer, body.replace(b"1}", b"1]"))
    assert is_fair(answer, body[:15])
    assert not is_fair(answer, body.replace(b"1", b"7"))
    assert not is_fair(answer, body.replace(b'data: {"a"', b'dXta: {"a"'))
    assert not is_fair(answer, body.replace(b'data: {"b"', b'data: {"a": 1}\n\ndata: {"b"'))


def test_a_seed_is_always_the_same_run() -> None:
    """And the seeds differ: all ways, transports and faults are among some hundred."""
    plans = [plan_of(seed) for seed in range(600)]
    plan_of.cache_clear()
    assert plans == [plan_of(seed) for seed in range(600)]
    assert {plan.way for plan in plans} == set(WAYS)
    assert {(plan.is_async, plan.transport) for plan in plans} >= {
        (True, "aiohttp"),
        (True, "httpx"),
        (False, "default"),
    }
    assert {name for plan in plans for name, _ in plan.faults} == {*ANSWER_FAULTS, *CONNECTION_FAULTS, *REQUEST_FAULTS}
    assert {plan.refused_for for plan in plans} >= {0.0, inf}


@pytest.mark.parametrize("turns", range(5))
def test_a_connection_while_a_run_ends_is_no_noise(turns: int) -> None:
    """However many turns of the event loop it came before."""

    async def end() -> None:
        passage = Passage(Plan(1), 0)
        await passage.open()
        with socket.create_connection((HOST, passage.port)):
            for _ in range(turns):
                await asyncio.sleep(0)
            await passage.close()
            await asyncio.sleep(0.01)

    with watching() as watch:
        asyncio.run(end())
    assert watch.noises == []


def test_keys_and_warnings_of_the_harness_stay_its_own() -> None:
    """Warnings are recorded inside, and treated as before afterwards."""
    run_all([Plan(1)])
    assert socket.socket.connect is not None
    assert "connect" not in vars(socket.socket)
    with pytest.raises(ResourceWarning):
        warnings.warn("still an error", ResourceWarning, stacklevel=1)
    assert KEY not in repr(plan_of(1))
