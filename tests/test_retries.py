"""Waits, patience and the number of requests: the SDK's loop steered by its headers, and the tenacity objects."""

from __future__ import annotations

import gc
import io
import logging
import math
from collections.abc import Callable
from typing import Any

import openai
import pytest
import tenacity

from kimi_openai import (
    async_retrying,
    create_client,
    instant,
    retries,
    retry_if_mendable,
    retrying,
    stop_after,
    wait_as_asked,
)
from kimi_openai.emulator import (
    Emulator,
    bad_key,
    content_filtered,
    html,
    internal_error,
    out_of_quota,
    overloaded,
    rate_limited,
    refuse,
    reset,
    say,
    stall,
)
from kimi_openai.errors import SettingsError
from kimi_openai.faults import Refusal
from kimi_openai.waits import RetryEvent, advice, named_wait, now, real_wait, wait_for

from .conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}

# The rule ------------------------------------------------------------------------------------------------------------

LIMIT = "rate_limit_reached_error"
OVERLOAD = "engine_overloaded_error"
NAMED = "please try again after 2 seconds"
NEVER = {"x-should-retry": "false"}

ADVICE: dict[str, tuple[Refusal, dict[str, str], dict[str, str]]] = {
    "header": (Refusal(429, LIMIT, NAMED), {"retry-after": "7"}, {"x-should-retry": "true", "retry-after-ms": "7000"}),
    "x-header": (Refusal(429, LIMIT), {"x-retry-after": "7"}, {"x-should-retry": "true", "retry-after-ms": "7000"}),
    "message": (Refusal(429, LIMIT, NAMED), {}, {"x-should-retry": "true", "retry-after-ms": "2000"}),
    "zero is no time": (
        Refusal(429, LIMIT),
        {"retry-after": "0"},
        {"x-should-retry": "true", "retry-after-ms": "3000"},
    ),
    "not a number": (
        Refusal(429, LIMIT),
        {"retry-after": "soon"},
        {"x-should-retry": "true", "retry-after-ms": "3000"},
    ),
    "overload": (Refusal(429, OVERLOAD), {}, {"x-should-retry": "true", "retry-after-ms": "3000"}),
    "TPM": (Refusal(429, LIMIT, "TPM rate limit"), {}, {"x-should-retry": "true", "retry-after-ms": "10000"}),
    "120 s": (Refusal(429, LIMIT), {"retry-after": "120"}, {"x-should-retry": "true", "retry-after-ms": "120000"}),
    "too long": (Refusal(429, LIMIT), {"retry-after": "121"}, NEVER),
    "TPD": (Refusal(429, LIMIT, "TPD rate limit"), {"retry-after": "1"}, NEVER),
    "5xx too long": (Refusal(503), {"retry-after": "3600"}, NEVER),
    "5xx": (Refusal(500), {}, {}),
    "5xx with a time": (Refusal(503), {"retry-after": "4"}, {"x-should-retry": "true", "retry-after-ms": "4000"}),
    "400": (Refusal(400, "invalid_request_error"), {}, NEVER),
    "unknown": (Refusal(418), {}, {}),
}


@pytest.mark.parametrize(("refusal", "headers", "expected"), ADVICE.values(), ids=ADVICE)
def test_advice(refusal: Refusal, headers: dict[str, str], expected: dict[str, str]) -> None:
    """What the SDK's loop is told, without jitter."""
    assert advice(refusal, headers) == expected


def test_jitter_only_ever_adds_and_spreads_wider() -> None:
    """Nobody comes back early, and the second time the crowd is thinner."""
    refusal = Refusal(429, LIMIT, NAMED)
    assert [wait_for(refusal, {}, attempt=n, jitter=1.0) for n in (0, 1, 2, 9)] == [3, 4, 6, 32]
    assert wait_for(refusal, {"retry-after": "119"}, attempt=4, jitter=1.0) == 120
    assert [wait_for(Refusal(429, OVERLOAD), {}, attempt=n) for n in (0, 1, 2, 3, 4, 999)] == [3, 6, 12, 24, 30, 30]
    assert wait_for(Refusal(429, OVERLOAD), {}, attempt=0, jitter=1.0) == 4.5


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "", "1e999"])
def test_a_time_that_is_none_is_not_named(text: str) -> None:
    """Then the kind's own backoff holds."""
    assert named_wait(Refusal(429), {"retry-after": text}) is None


# The SDK's loop ------------------------------------------------------------------------------------------------------

ONE_REQUEST = {
    "empty account": out_of_quota(),
    "TPD": rate_limited("tpd"),
    "content": content_filtered(),
    "key": bad_key(),
    "context": refuse("Your request exceeded model token limit : 9"),
    "too long": rate_limited(retry_after=121),
}


@pytest.mark.parametrize("fault", ONE_REQUEST.values(), ids=ONE_REQUEST)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_one_request_where_a_repetition_cannot_help(mode: Mode, kimi: Emulator, fault: Any, stream: bool) -> None:
    """The bare SDK sends three, of the three per minute that a new account has."""
    kimi.fail(fault)
    with pytest.raises(openai.APIStatusError):
        mode.run(mode.client(kimi, max_retries=9).chat.completions.create(**ASK, stream=stream))
    assert len(kimi.requests) == 1


def test_too_long_a_wait_is_reported_with_its_time(mode: Mode, kimi: Emulator) -> None:
    """On every SDK; openai 1 would come back after a second."""
    kimi.fail(rate_limited(retry_after=3600))
    with pytest.raises(
        openai.RateLimitError, match=r"\(not retried; Kimi asks to wait 3600 s; more than 120 s are not"
    ):
        mode.run(mode.client(kimi).chat.completions.create(**ASK))


class Events(list[RetryEvent]):
    """An `on_retry` that keeps what it is given."""

    def __call__(self, event: RetryEvent) -> None:
        self.append(event)


WAITS = {
    "message": (rate_limited("rpm", seconds=1), 1, 2, "rate_limit", 429),
    "organization": (rate_limited(seconds=5), 5, 6, "rate_limit", 429),
    "header": (rate_limited(retry_after=7), 7, 8, "rate_limit", 429),
    "beyond what openai 1 obeys": (rate_limited(retry_after=100), 100, 101, "rate_limit", 429),
    "TPM": (rate_limited("tpm"), 10, 15, "rate_limit", 429),
    "overload": (overloaded(), 3, 4.5, "overloaded", 429),
    "overload with a time": (overloaded(2), 2, 3, "overloaded", 429),
    "500": (internal_error(), 0, 0.51, "server_error", 500),
    "504": (html(504), 0, 0.51, "gateway_timeout", 504),
    "reset": (reset(), 0, 0.51, "connection", None),
}


@pytest.mark.parametrize(("fault", "least", "most", "kind", "status"), WAITS.values(), ids=WAITS)
def test_each_kind_waits_its_time(
    mode: Mode, kimi: Emulator, fault: Any, least: float, most: float, kind: str, status: int | None
) -> None:
    """The wait that the SDK's loop was given, as the callback sees it; then the call succeeds."""
    events = Events()
    kimi.fail(fault)
    with instant():
        mode.run(mode.client(kimi, on_retry=events).chat.completions.create(**ASK))
    (event,) = events
    assert least <= event.wait <= most
    assert (event.attempt, event.kind, event.status) == (1, kind, status)
    assert (event.request_id is None) == (status is None)
    assert len(kimi.requests) == 2


def test_the_sdk_obeys_the_headers_that_steer_it(mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`x-should-retry` and `retry-after-ms`, on the SDK's own client: if this fails, a new SDK stopped obeying them."""
    waits: list[float] = []
    kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    calculate = kind._calculate_retry_timeout

    def noted(self: Any, *args: Any, **options: Any) -> float:
        waits.append(calculate(self, *args, **options))
        return 0.0

    monkeypatch.setattr(kind, "_calculate_retry_timeout", noted)
    client = kind(base_url=kimi.base_url, api_key=kimi.api_key)
    headers = iter([{"x-should-retry": "true", "retry-after-ms": "1250"}, {"x-should-retry": "false"}])

    def steer(response: Any) -> None:
        response.headers.update(next(headers))

    async def steer_async(response: Any) -> None:
        steer(response)

    client._client.event_hooks["response"].append(steer_async if mode.is_async else steer)
    kimi.fail(refuse("no", status=400), internal_error(), internal_error())
    with pytest.raises(openai.InternalServerError):
        mode.run(client.chat.completions.create(**ASK))
    mode.run(client.close())
    assert waits == [1.25]
    assert len(kimi.requests) == 2


def test_with_options_counts_attempts(mode: Mode, kimi: Emulator) -> None:
    """`max_retries=0` is one request, as in the SDK."""
    kimi.fail(overloaded())
    with pytest.raises(openai.RateLimitError, match=r"\(not retried\)$"):
        mode.run(mode.client(kimi).with_options(max_retries=0).chat.completions.create(**ASK))
    assert len(kimi.requests) == 1


def test_waits_are_logged(mode: Mode, kimi: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """One line each, at info level."""
    kimi.fail(rate_limited(seconds=1))
    with instant(), caplog.at_level(logging.INFO, "kimi_openai"):
        mode.run(mode.client(kimi).chat.completions.create(**ASK))
    (line,) = [record.getMessage() for record in caplog.records if record.name == "kimi_openai"]
    assert line.startswith("attempt 1 failed (rate_limit, status 429, request ")


def test_a_call_leaves_no_cycle(kimi: Emulator) -> None:
    """It is in the extensions of the request that it knows: together they would wait for a garbage collection."""

    def left_by(kind: Any) -> int:
        with kind(base_url=kimi.base_url, api_key=kimi.api_key) as client:
            client.chat.completions.create(**ASK)
            gc.collect()
            gc.disable()
            try:
                for _ in range(10):
                    client.chat.completions.create(**ASK)
                return gc.collect()
            finally:
                gc.enable()

    assert left_by(create_client) - left_by(openai.OpenAI) < 200


# Patience ------------------------------------------------------------------------------------------------------------


def test_patience_ends_before_a_wait_that_would_exceed_it(mode: Mode, kimi: Emulator) -> None:
    """Waits that `instant` skips count as if slept: 3 s and more, 6 s and more, then 12 s are too many."""
    events = Events()
    client = mode.client(kimi, max_retries=9, on_retry=events).with_options(patience=15)
    kimi.fail(*[overloaded()] * 9)
    with instant(), pytest.raises(openai.RateLimitError, match=r"\(retried 2 times; the next wait, .* patience=15\)"):
        mode.run(client.chat.completions.create(**ASK))
    assert len(kimi.requests) == 3
    assert [event.attempt for event in events] == [1, 2]
    assert 3 <= events[1].elapsed < 5


def test_patience_holds_for_connection_errors(mode: Mode, kimi: Emulator) -> None:
    """They do not pass the hook that sees answers."""
    kimi.fail(*[reset()] * 9)
    client = mode.client(kimi, max_retries=9, patience=0.1)
    with pytest.raises(openai.APIConnectionError, match=r"\(not retried; the next wait, 0.\d s, .* patience=0.1\)"):
        mode.run(client.chat.completions.create(**ASK))
    assert len(kimi.requests) == 1


def test_patience_shortens_the_timeout_of_an_attempt(mode: Mode, kimi: Emulator) -> None:
    """A server that says nothing is not waited for longer than that, whatever `timeout` says."""
    kimi.fail(stall(-1), stall(-1))
    client = mode.client(kimi, timeout=600, patience=0.2)
    with pytest.raises(openai.APITimeoutError, match=r"Request timed out. .*patience=0.2"):
        mode.run(client.chat.completions.create(**ASK))
    assert len(kimi.requests) == 1


def test_without_patience_the_timeouts_are_the_sdks(mode: Mode, kimi: Emulator) -> None:
    """Nothing is touched."""
    client = mode.client(kimi, timeout=5)
    response = mode.run(client.chat.completions.with_raw_response.create(**ASK)).http_response
    assert response.request.extensions["timeout"] == {"connect": 5, "read": 5, "write": 5, "pool": 5}


@pytest.mark.parametrize("patience", [0, -1, math.nan])
def test_patience_is_positive(mode: Mode, kimi: Emulator, patience: float) -> None:
    """Said at construction."""
    with pytest.raises(SettingsError, match="patience"):
        mode.client(kimi, patience=patience)


# Uploads -------------------------------------------------------------------------------------------------------------


class Pipe(io.RawIOBase):
    """A file that can be read once."""

    name = "pipe.txt"

    def __init__(self, content: bytes) -> None:
        self.left = content

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        part, self.left = self.left[: len(buffer)], self.left[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)


@pytest.mark.parametrize("fault", [overloaded(), internal_error(), reset()], ids=["overload", "500", "reset"])
def test_an_upload_that_cannot_be_read_twice_is_sent_once(mode: Mode, kimi: Emulator, fault: Any) -> None:
    """openai before 3.19 sends what is left of it, an empty file, and reports success."""
    kimi.fail(fault)
    client = mode.client(kimi, max_retries=3)
    with instant(), pytest.raises(openai.APIError, match=r"\(not retried; the upload cannot be read twice\)"):
        mode.run(client.files.create(file=Pipe(b"x" * 10_000), purpose="file-extract"))
    assert len(kimi.requests) == 1


@pytest.mark.parametrize("content", [lambda: io.BytesIO(b"x" * 10_000), lambda: b"x" * 10_000], ids=["file", "bytes"])
def test_an_upload_that_can_be_read_twice_is_whole_both_times(
    mode: Mode, kimi: Emulator, content: Callable[[], Any]
) -> None:
    """Rewound in between."""
    kimi.fail(overloaded())
    with instant():
        mode.run(mode.client(kimi).files.create(file=("a.txt", content()), purpose="file-extract"))
    assert [request.body.count(b"x" * 10_000) for request in kimi.requests] == [1, 1]


# instant -------------------------------------------------------------------------------------------------------------


def test_instant_nests_and_restores() -> None:
    """Also after an exception."""
    assert real_wait(0.5) == 0.5
    before = now()
    with instant():
        with pytest.raises(KeyError), instant():
            raise KeyError
        assert real_wait(50) == 0
    assert real_wait(0.5) == 0.5
    assert now() - before >= 50


# tenacity's ----------------------------------------------------------------------------------------------------------


def asked(mode: Mode, client: Any, **rules: Any) -> Any:
    """One question through `retrying` or `async_retrying`."""
    once = client.with_options(max_retries=0)
    if not mode.is_async:
        return retrying(**rules)(once.chat.completions.create, **ASK)

    async def ask() -> Any:
        return await async_retrying(**rules)(once.chat.completions.create, **ASK)

    return mode.run(ask())


def test_a_function_is_retried_by_the_same_rule(mode: Mode, kimi: Emulator) -> None:
    """And told to the same callback."""
    events = Events()
    kimi.fail(rate_limited(seconds=4), overloaded(), reset())
    kimi.script(say("well"))
    with instant():
        answer = asked(mode, mode.client(kimi), attempts=4, on_retry=events)
    assert answer.choices[0].message.content == "well"
    assert [event.kind for event in events] == ["rate_limit", "overloaded", "connection"]
    assert 4 <= events[0].wait <= 5
    assert 6 <= events[1].wait <= 9


@pytest.mark.parametrize("fault", ONE_REQUEST.values(), ids=ONE_REQUEST)
def test_a_function_is_not_retried_where_that_cannot_help(mode: Mode, kimi: Emulator, fault: Any) -> None:
    """The error comes as it is."""
    kimi.fail(fault)
    with instant(), pytest.raises(openai.APIStatusError):
        asked(mode, mode.client(kimi))
    assert len(kimi.requests) == 1


def test_a_function_stops_after_its_attempts_and_its_patience(mode: Mode, kimi: Emulator) -> None:
    """Whichever is first."""
    kimi.fail(*[overloaded()] * 9)
    with instant(), pytest.raises(openai.RateLimitError):
        asked(mode, mode.client(kimi), attempts=2)
    assert len(kimi.requests) == 2
    with instant(), pytest.raises(openai.RateLimitError):
        asked(mode, mode.client(kimi), attempts=9, patience=15)
    assert len(kimi.requests) == 5


def test_the_parts_compose_with_tenacitys_own() -> None:
    """They are tenacity's kinds of objects."""
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
    assert not {"wait", "stop", "retry", "retries", "nap", "before", "after"} & set(retries.__all__)


def test_the_sdk_still_computes_its_waits_where_we_look() -> None:
    """A private name: patience and `on_retry` hang on it."""
    for client in (openai.OpenAI, openai.AsyncOpenAI):
        assert callable(client._calculate_retry_timeout)
        assert "_calculate_retry_timeout" in client._sleep_for_retry.__code__.co_names
