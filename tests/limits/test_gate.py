"""The limiter: never more permits than its limit, in order, none lost; alone, and in clients over sockets."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest

from kimi_openai import Gate, create_async_client, create_client, instant
from kimi_openai.emulator import Emulator, empty_body, internal_error, out_of_quota, overloaded, reset, say, stall
from kimi_openai.errors.exceptions import SettingsError
from tests.canned import Canned
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}


def until(condition: Callable[[], bool]) -> None:
    """Waits for another thread."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.001)


# Alone ---------------------------------------------------------------------------------------------------------------


def test_threads_and_tasks_are_served_in_order() -> None:
    """First come, first served, threads and tasks alike."""
    gate, order = Gate(1), []
    first = gate.enter()

    def thread(number: int) -> None:
        permit = gate.enter()
        order.append(number)
        permit.release()

    async def task(number: int) -> None:
        permit = await gate.enter_async()
        order.append(number)
        permit.release()

    workers = []
    for number in range(6):
        work = thread if number % 2 else lambda number: asyncio.run(task(number))
        workers.append(threading.Thread(target=work, args=(number,)))
        workers[-1].start()
        until(lambda: gate.waiting == len(workers))
    first.release()
    for worker in workers:
        worker.join(10)
    assert order == [0, 1, 2, 3, 4, 5]
    assert (gate.open, gate.waiting) == (0, 0)


def test_a_permit_is_given_back_once() -> None:
    """A second release does not raise the limit."""
    gate = Gate(2)
    permits = [gate.enter(), gate.enter()]
    for _ in range(3):
        permits[0].release()
    assert gate.open == 1
    permits[1].release()
    assert gate.open == 0


def test_a_wait_that_times_out_leaves_the_queue() -> None:
    """In threads and in tasks; the permit is not lost."""
    gate = Gate(1)
    permit = gate.enter()
    with pytest.raises(TimeoutError, match=r"no permit came free within 0.01 s"):
        gate.enter(0.01)
    with pytest.raises(TimeoutError):
        asyncio.run(gate.enter_async(0.01))
    assert gate.waiting == 0
    permit.release()
    gate.enter(0.01).release()
    assert gate.open == 0


def test_cancelled_tasks_lose_no_permit() -> None:
    """Cancelled while they wait, or in the same step in which they get it."""
    gate = Gate(3)

    async def work(delay: int) -> None:
        permit = await gate.enter_async()
        try:
            for _ in range(delay):
                await asyncio.sleep(0)
        finally:
            permit.release()

    async def many() -> None:
        tasks = [asyncio.create_task(work(number % 5)) for number in range(300)]
        for number, task in enumerate(tasks):
            if number % 3:
                await asyncio.sleep(0)
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(many())
    assert (gate.open, gate.waiting) == (0, 0)


def test_threads_never_exceed_the_limit() -> None:
    """Twelve threads, three permits."""
    gate, most, now, lock = Gate(3), [0], [0], threading.Lock()

    def work() -> None:
        for _ in range(100):
            permit = gate.enter()
            with lock:
                now[0] += 1
                most[0] = max(most[0], now[0])
            with lock:
                now[0] -= 1
            permit.release()

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert 1 <= most[0] <= 3
    assert gate.open == 0


def test_a_permit_may_come_back_while_the_lock_is_held() -> None:
    """A garbage collection may do that: whoever holds the lock hands it on afterwards."""
    gate = Gate(1)
    permit = gate.enter()
    queue = gate._process.line
    with queue.lock:
        permit.release()
        assert gate.open == 1
    gate.enter(0.01).release()
    assert gate.open == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_starts_with_all_permits() -> None:
    """What the parent's threads hold would never come back in the child."""
    gate = Gate(1)
    permit = gate.enter()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            gate.enter(1)
            permit.release()
            os._exit(0 if gate.open == 1 else 2)
        finally:
            os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert gate.open == 1


# In clients ----------------------------------------------------------------------------------------------------------


def gate_of(client: Any) -> Gate:
    gate: Gate = client.kimi_options.max_concurrency
    return gate


def test_every_kind_of_call_gives_its_permit_back(mode: Mode, kimi: Emulator) -> None:
    """Typed and raw, whole and streamed; answered, refused, broken and empty."""
    client = mode.client(kimi, max_concurrency=1, max_retries=1, patience=60)
    create = client.chat.completions.create
    gate = gate_of(client)
    mode.run(create(**ASK))
    mode.run(client.chat.completions.with_raw_response.create(**ASK))
    assert gate.open == 0
    assert mode.each(mode.run(create(**ASK, stream=True)))
    assert gate.open == 0
    for fault in (out_of_quota(), overloaded(), internal_error(), reset(), empty_body()):
        kimi.fail(fault, fault)
        for stream in (False, True):
            with instant(), pytest.raises(openai.APIError):
                mode.run(create(**ASK, stream=stream))
            assert gate.open == 0
            kimi.clear()
            kimi.fail(fault, fault)
        kimi.clear()


def test_a_stream_holds_its_permit_until_it_is_closed(mode: Mode, kimi: Emulator) -> None:
    """Copies of the client share the limiter; patience ends the wait for a permit."""
    kimi.script(say("one two three"))
    client = mode.client(kimi, max_concurrency=1)
    stream = mode.run(client.chat.completions.create(**ASK, stream=True))
    copy = client.with_options(patience=0.05)
    with pytest.raises(openai.APITimeoutError, match=r"no permit of max_concurrency=Gate\(1\) came free in time"):
        mode.run(copy.chat.completions.create(**ASK))
    assert len(kimi.requests) == 1
    mode.run(stream.close())
    mode.run(copy.with_options(patience=None).chat.completions.create(**ASK))
    assert gate_of(client).open == 0


def test_a_streaming_response_holds_its_permit(mode: Mode, kimi: Emulator) -> None:
    """Until the `with` block ends."""
    client = mode.client(kimi, max_concurrency=1)
    gate = gate_of(client)

    def ask() -> None:
        with client.chat.completions.with_streaming_response.create(**ASK):
            assert gate.open == 1

    async def ask_async() -> None:
        async with client.chat.completions.with_streaming_response.create(**ASK):
            assert gate.open == 1

    mode.run(ask_async() if mode.is_async else ask())
    assert gate.open == 0


def test_a_stream_that_is_dropped_gives_its_permit_back(mode: Mode) -> None:
    """Like a file that nobody closed."""
    http = Canned(b"data: {}\n\n" * 3).client(mode.is_async)
    client = mode.client(api_key="sk-x", http_client=http, max_concurrency=1)
    stream = mode.run(client.chat.completions.create(**ASK, stream=True))
    assert gate_of(client).open == 1
    del stream
    gc.collect()
    assert gate_of(client).open == 0


def test_a_wait_before_the_next_attempt_holds_no_permit(mode: Mode, kimi: Emulator) -> None:
    """Other requests may go first."""
    open_while_waiting: list[int] = []
    gate = Gate(1)
    client = mode.client(kimi, max_concurrency=gate, on_retry=lambda _: open_while_waiting.append(gate.open))
    kimi.fail(overloaded(), reset())
    with instant():
        mode.run(client.chat.completions.create(**ASK))
    assert open_while_waiting == [0, 0]


def test_a_cancelled_call_gives_its_permit_back(kimi: Emulator) -> None:
    """While it waits for the permit, and while it waits for the answer."""
    kimi.fail(stall(-1))

    async def main() -> None:
        client = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key, max_concurrency=1)
        tasks = [asyncio.ensure_future(client.chat.completions.create(**ASK)) for _ in range(3)]
        while len(kimi.requests) < 1 or gate_of(client).waiting < 2:
            await asyncio.sleep(0.001)
        tasks[1].cancel()
        tasks[0].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert tasks[2].exception() is None
        assert gate_of(client).open == 0
        await client.close()

    asyncio.run(main())
    assert len(kimi.requests) == 2


def test_requests_open_at_once_stay_within_the_limit(mode: Mode, kimi: Emulator) -> None:
    """Twenty callers, four at a time."""
    gate, seen = Gate(4), []
    kimi.reply = lambda _: seen.append(gate.open)
    options: dict[str, Any] = {"base_url": kimi.base_url, "api_key": kimi.api_key, "max_concurrency": gate}

    async def many() -> None:
        async with create_async_client(**options) as client:
            await asyncio.gather(*(client.chat.completions.create(**ASK) for _ in range(20)))

    def one(client: Any) -> None:
        client.chat.completions.create(**ASK)

    if mode.is_async:
        asyncio.run(many())
    else:
        with create_client(**options) as client:
            threads = [threading.Thread(target=one, args=(client,)) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(20)
    assert len(seen) == 20
    assert max(seen) <= 4
    assert gate.open == 0


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_is_positive(mode: Mode, kimi: Emulator, limit: int) -> None:
    """The constructor refuses anything else."""
    with pytest.raises(SettingsError, match="max_concurrency"):
        mode.client(kimi, max_concurrency=limit)
    with pytest.raises(ValueError, match="max_concurrency"):
        Gate(limit)


def test_without_a_limit_there_is_no_limiter(mode: Mode, kimi: Emulator) -> None:
    """The response stays as the HTTP library made it."""
    client = mode.client(kimi)
    response = mode.run(client.chat.completions.with_raw_response.create(**ASK)).http_response
    assert client.kimi_options.max_concurrency is None
    assert not {"close", "aclose"} & vars(response).keys()
