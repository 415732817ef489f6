"""One call through all its attempts: the SDK's loop with the waits that Kimi needs, patience, and uploads."""

from __future__ import annotations

import gc
import io
import logging
import math
from collections.abc import Callable
from typing import Any

import openai
import pytest

from kimi_openai import RetryEvent, create_client, instant
from kimi_openai.emulator import (
    Emulator,
    html,
    internal_error,
    overloaded,
    rate_limited,
    refuse,
    reset,
    stall,
)
from kimi_openai.errors.exceptions import SettingsError
from tests.conftest import Mode
from tests.lasting_faults import LASTING

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("fault", LASTING.values(), ids=LASTING)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_lasting_error_costs_one_request(mode: Mode, kimi: Emulator, fault: Any, stream: bool) -> None:
    """The bare SDK sends three: all that a new account may send in a minute."""
    kimi.fail(fault)
    with pytest.raises(openai.APIStatusError):
        mode.run(mode.client(kimi, max_retries=9).chat.completions.create(**ASK, stream=stream))
    assert len(kimi.requests) == 1


def test_too_long_a_wait_is_reported_with_its_time(mode: Mode, kimi: Emulator) -> None:
    """With every SDK; openai 1 alone would try again after a second."""
    kimi.fail(rate_limited(retry_after=3600))
    with pytest.raises(
        openai.RateLimitError, match=r"\(not retried; Kimi asks to wait 3600 s; more than 120 s are not"
    ):
        mode.run(mode.client(kimi).chat.completions.create(**ASK))


class Events(list[RetryEvent]):
    """An `on_retry` that keeps its events."""

    def __call__(self, event: RetryEvent) -> None:
        self.append(event)


WAITS = {
    "message": (rate_limited("rpm", seconds=1), 1, 2, "rate_limit", 429),
    "organization": (rate_limited(seconds=5), 5, 6, "rate_limit", 429),
    "header": (rate_limited(retry_after=7), 7, 8, "rate_limit", 429),
    "beyond what openai 1 obeys": (rate_limited(retry_after=100), 100, 101, "rate_limit", 429),
    "TPM": (rate_limited("tpm"), 10, 15, "token_limit", 429),
    "overload": (overloaded(), 3, 4.5, "overloaded", 429),
    "overload with a time": (overloaded(2), 2, 3, "overloaded", 429),
    "500": (internal_error(), 0, 0.51, "server_error", 500),
    "504": (html(504), 0, 0.51, "gateway_timeout", 504),
    "reset": (reset(), 0, 0.51, "connection", None),
}


@pytest.mark.parametrize(("fault", "least", "most", "kind", "status"), WAITS.values(), ids=WAITS)
def test_each_kind_of_fault_has_its_wait(
    mode: Mode, kimi: Emulator, fault: Any, least: float, most: float, kind: str, status: int | None
) -> None:
    """The callback sees the wait that the SDK's loop was given; then the call succeeds."""
    events = Events()
    kimi.fail(fault)
    with instant():
        mode.run(mode.client(kimi, on_retry=events).chat.completions.create(**ASK))
    (event,) = events
    assert least <= event.wait <= most
    assert (event.attempt, event.kind, event.status) == (1, kind, status)
    assert (event.request_id is None) == (status is None)
    assert len(kimi.requests) == 2


def test_the_sdk_obeys_the_headers_of_the_hook(mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`x-should-retry` and `retry-after-ms`, with the SDK's own client. If this fails, a new SDK ignores them."""
    waits: list[float] = []
    kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    calculate = kind._calculate_retry_timeout

    def calculate_and_note(self: Any, *args: Any, **options: Any) -> float:
        waits.append(calculate(self, *args, **options))
        return 0.0

    monkeypatch.setattr(kind, "_calculate_retry_timeout", calculate_and_note)
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
    """The request refers to the call and the call to the request: both would live until a garbage collection."""

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
    """Waits that `instant` skips count as if they had happened: two fit, the third would end too late."""
    events = Events()
    client = mode.client(kimi, max_retries=9, on_retry=events).with_options(patience=15)
    kimi.fail(*[overloaded()] * 9)
    with instant(), pytest.raises(openai.RateLimitError, match=r"\(retried 2 times; the next wait, .* patience=15\)"):
        mode.run(client.chat.completions.create(**ASK))
    assert len(kimi.requests) == 3
    assert [event.attempt for event in events] == [1, 2]
    assert 3 <= events[1].elapsed < 5


def test_patience_holds_for_connection_errors(mode: Mode, kimi: Emulator) -> None:
    """The hook for responses does not see them."""
    kimi.fail(*[reset()] * 9)
    client = mode.client(kimi, max_retries=9, patience=0.35)  # less than the SDK's first wait
    with pytest.raises(openai.APIConnectionError, match=r"\(not retried; the next wait, 0.\d s, .* patience=0.35\)"):
        mode.run(client.chat.completions.create(**ASK))
    assert len(kimi.requests) == 1


def test_patience_shortens_the_timeout_of_an_attempt(mode: Mode, kimi: Emulator) -> None:
    """A silent server is not waited for any longer, even if `timeout` is longer."""
    kimi.fail(stall(-1), stall(-1))
    client = mode.client(kimi, timeout=600, patience=0.2)
    with pytest.raises(openai.APITimeoutError, match=r"Request timed out. .*patience=0.2"):
        mode.run(client.chat.completions.create(**ASK))
    assert len(kimi.requests) == 1


def test_without_patience_the_timeouts_are_the_sdks(mode: Mode, kimi: Emulator) -> None:
    """They reach the HTTP library unchanged."""
    client = mode.client(kimi, timeout=5)
    response = mode.run(client.chat.completions.with_raw_response.create(**ASK)).http_response
    assert response.request.extensions["timeout"] == {"connect": 5, "read": 5, "write": 5, "pool": 5}


@pytest.mark.parametrize("patience", [0, -1, math.nan])
def test_patience_is_positive(mode: Mode, kimi: Emulator, patience: float) -> None:
    """The constructor refuses anything else."""
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
    """openai before 3.19 would send what is left of it, an empty file, and report success."""
    kimi.fail(fault)
    client = mode.client(kimi, max_retries=3)
    with instant(), pytest.raises(openai.APIError, match=r"\(not retried; the upload cannot be read twice\)"):
        mode.run(client.files.create(file=Pipe(b"x" * 10_000), purpose="file-extract"))
    assert len(kimi.requests) == 1


@pytest.mark.parametrize("content", [lambda: io.BytesIO(b"x" * 10_000), lambda: b"x" * 10_000], ids=["file", "bytes"])
def test_an_upload_that_can_be_read_twice_is_whole_both_times(
    mode: Mode, kimi: Emulator, content: Callable[[], Any]
) -> None:
    """The SDK rewinds it in between."""
    kimi.fail(overloaded())
    with instant():
        mode.run(mode.client(kimi).files.create(file=("a.txt", content()), purpose="file-extract"))
    assert [request.body.count(b"x" * 10_000) for request in kimi.requests] == [1, 1]


def test_the_sdk_still_computes_its_waits_where_we_look() -> None:
    """A private name: `patience` and `on_retry` depend on it."""
    for client in (openai.OpenAI, openai.AsyncOpenAI):
        assert callable(client._calculate_retry_timeout)
        assert "_calculate_retry_timeout" in client._sleep_for_retry.__code__.co_names
