"""The rules as tenacity objects: loops around calls, and parts to compose with tenacity's own."""

from __future__ import annotations

from typing import Any

import openai
import pytest
import tenacity

from kimi_openai import (
    RetryEvent,
    async_retrying,
    instant,
    retry,
    retry_if_mendable,
    retrying,
    stop_after,
    wait_as_asked,
)
from kimi_openai.emulator import (
    Emulator,
    overloaded,
    rate_limited,
    reset,
    say,
)
from tests.conftest import Mode
from tests.lasting_faults import LASTING

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}


def ask(mode: Mode, client: Any, **rules: Any) -> Any:
    """One call through `retrying` or `async_retrying`."""
    once = client.with_options(max_retries=0)
    if not mode.is_async:
        return retrying(**rules)(once.chat.completions.create, **ASK)

    async def ask_async() -> Any:
        return await async_retrying(**rules)(once.chat.completions.create, **ASK)

    return mode.run(ask_async())


def test_a_function_is_retried_by_the_same_rule(mode: Mode, kimi: Emulator) -> None:
    """And reported to the same callback."""
    events: list[RetryEvent] = []
    kimi.fail(rate_limited(seconds=4), overloaded(), reset())
    kimi.script(say("well"))
    with instant():
        answer = ask(mode, mode.client(kimi), attempts=4, on_retry=events.append)
    assert answer.choices[0].message.content == "well"
    assert [event.kind for event in events] == ["rate_limit", "overloaded", "connection"]
    assert [(event.attempt, event.status) for event in events] == [(1, 429), (2, 429), (3, None)]
    assert 4 <= events[0].wait <= 5
    assert 6 <= events[1].wait <= 9
    assert events[0].wait + events[1].wait <= events[2].elapsed


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
def test_a_function_is_not_retried_if_the_error_lasts(mode: Mode, kimi: Emulator, fault: Any) -> None:
    """The error is raised unchanged."""
    kimi.fail(fault)
    with instant(), pytest.raises(openai.APIStatusError):
        ask(mode, mode.client(kimi))
    assert len(kimi.requests) == 1


def test_a_function_stops_after_its_attempts_and_its_patience(mode: Mode, kimi: Emulator) -> None:
    """Whichever ends first."""
    kimi.fail(*[overloaded()] * 9)
    with instant(), pytest.raises(openai.RateLimitError):
        ask(mode, mode.client(kimi), attempts=2)
    assert len(kimi.requests) == 2
    with instant(), pytest.raises(openai.RateLimitError):
        ask(mode, mode.client(kimi), attempts=9, patience=15)
    assert len(kimi.requests) == 5


def test_the_parts_compose_with_tenacitys_own() -> None:
    """They are objects of tenacity's classes."""
    calls: list[int] = []

    @tenacity.retry(
        retry=retry_if_mendable | tenacity.retry_if_exception_type(KeyError),
        wait=wait_as_asked + tenacity.wait_fixed(0),
        stop=stop_after(3) | tenacity.stop_after_delay(60),
        sleep=lambda _: None,
        reraise=True,
    )
    def failing() -> None:
        calls.append(1)
        raise KeyError

    with pytest.raises(KeyError):
        failing()
    assert len(calls) == 3


def test_no_exported_name_is_a_module_of_tenacitys_or_ours() -> None:
    """`tenacity.retry` is a function and a module; ours are not."""
    assert not {"wait", "stop", "retry", "retries", "nap", "before", "after"} & set(retry.__all__)
