"""`Limits` in clients and alone: who waits, for how long, what they reserve, and what refusals teach."""

from __future__ import annotations

import asyncio
import pickle
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from kimi_openai import KimiCompatWarning, Limits, LimitsError, complete, create_async_client, instant, stream
from kimi_openai._internal.clock import now
from kimi_openai.emulator import AccountLimits, Behaviour, Emulator, overloaded
from kimi_openai.errors.exceptions import SettingsError
from kimi_openai.limits.rates import Rates, rates_of
from tests.conftest import Mode
from tests.limits.test_gate import until
from tests.servers import MakeAnswering

ASK: dict[str, Any] = {
    "model": "kimi-k3",
    "messages": [{"role": "user", "content": "hi"}],
    "max_completion_tokens": 999,
}
REFUSAL = {"error": {"type": "rate_limit_reached_error", "message": "request reached TPM rate limit, {}"}}


def seconds_for(count: int, mode: Mode, client: Any, **params: Any) -> float:
    """The seconds, by the clock that skips waits, of so many requests one after the other."""
    start = now()
    with instant():
        for _ in range(count):
            mode.run(client.chat.completions.create(**{**ASK, **params}))
    return now() - start


def test_requests_wait_for_the_next_minute(mode: Mode, kimi: Emulator) -> None:
    """Three a minute: the fourth is sent a minute after the first, and a copy counts with the client."""
    client = mode.client(kimi, limits=Limits(rpm=3))
    assert seconds_for(3, mode, client) < 30
    assert 25 < seconds_for(1, mode, client.with_options(timeout=30)) < 65
    assert len(kimi.requests) == 4


def test_tokens_are_reserved_with_the_cap(mode: Mode, kimi: Emulator) -> None:
    """Prompt and `max_completion_tokens` count, however short the answer is."""
    client = mode.client(kimi, limits=Limits(tpm=30_000))
    assert seconds_for(2, mode, client, max_completion_tokens=10_000) < 30
    assert seconds_for(1, mode, client, max_completion_tokens=10_000) > 25
    assert 30_000 < client.kimi_options.limits.usage().tokens + 10_000 <= 40_000


READINGS: dict[str, dict[str, Any]] = {
    "sliding": {},
    "fixed": {"limit_window": "fixed"},
    "refunds": {"refunds": True},
    "refused requests do not count": {"refused_count": False},
    "exact waits": {"exact_retry_after": True},
    "no header": {"retry_after": False},
}


@pytest.mark.parametrize("reading", READINGS.values(), ids=READINGS)
@pytest.mark.parametrize("wanted", [{"rpm": 3}, {"tpm": 30_000}], ids=["rpm", "tpm"])
def test_nothing_is_refused_however_kimi_counts(mode: Mode, reading: dict[str, Any], wanted: dict[str, int]) -> None:
    """A client with the limits of its account, under each reading of the docs. Both clocks skip the waits."""
    limits = AccountLimits(**wanted)
    with Emulator(clock=now, limits=limits, behaviour=Behaviour(**reading)) as kimi:
        client = mode.client(kimi, limits=Limits(**wanted))
        assert seconds_for(8, mode, client, max_completion_tokens=9_000) > 60
        assert (kimi.limits.admitted, kimi.limits.refused) == (8, {})


@pytest.mark.parametrize("switches", [READINGS[name] for name in ("sliding", "fixed", "exact waits", "no header")])
def test_what_is_refused_is_asked_again(mode: Mode, switches: dict[str, Any]) -> None:
    """A client without limits, whatever Kimi says about the wait."""
    behaviour = Behaviour(refused_count=False, **switches)
    with Emulator(clock=now, limits=AccountLimits(rpm=3), behaviour=behaviour) as kimi:
        client = mode.client(kimi, max_retries=30)
        assert seconds_for(4, mode, client) > 1
        assert kimi.limits.admitted == 4


def test_a_tier_has_the_published_numbers(mode: Mode, kimi: Emulator) -> None:
    """By name; single numbers can be replaced."""
    assert mode.client(kimi, limits="tier3").kimi_options.limits.rates == rates_of("tier3")
    assert Limits("tier1", rpm=7).rates == Rates(15, 7, 2_000_000, None)


@pytest.mark.parametrize("limits", ["tier9", 3, {"rpm": 3}])
def test_wrong_limits_are_refused(mode: Mode, kimi: Emulator, limits: Any) -> None:
    """With the names that are known."""
    with pytest.raises(SettingsError, match="'tier0', 'tier1'"):
        mode.client(kimi, limits=limits)


WRONG: list[dict[str, Any]] = [
    {"rpm": 0},
    {"tpm": -1},
    {"concurrency": 1.5},
    {"rpm": True},
    {"minute": 0},
    {"estimate": "guess"},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_number_is_refused(wrong: dict[str, Any]) -> None:
    """Limits are numbers from 1 up."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


def test_clients_share_one_object(kimi: Emulator) -> None:
    """Synchronous and asynchronous at once: twelve requests of two clients, two open at a time."""
    limits, most = Limits(concurrency=2), [0]
    kimi.reply = lambda _: most.append(limits.open)
    options: dict[str, Any] = {"base_url": kimi.base_url, "api_key": kimi.api_key, "limits": limits}
    client = Mode("sync").client(**options)

    async def tasks() -> None:
        async with create_async_client(**options) as other:
            await asyncio.gather(*(other.chat.completions.create(**ASK) for _ in range(6)))

    threads = [threading.Thread(target=client.chat.completions.create, kwargs=ASK) for _ in range(6)]
    threads.append(threading.Thread(target=asyncio.run, args=(tasks(),)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    client.close()
    assert len(kimi.requests) == 12
    assert max(most) == 2
    assert (limits.open, limits.waiting) == (0, 0)


def test_patience_ends_the_wait(mode: Mode, kimi: Emulator) -> None:
    """At once if the wait is certain to be longer; the error names the limits."""
    client = mode.client(kimi, limits=Limits(rpm=1), patience=20)
    start = now()
    mode.run(client.chat.completions.create(**ASK))
    with pytest.raises(openai.APITimeoutError, match=r"no permit of limits=Limits\(rpm=1\) came free in time"):
        mode.run(client.chat.completions.create(**ASK))
    assert now() - start < 15
    assert len(kimi.requests) == 1


def test_a_request_larger_than_the_limit_is_not_sent(mode: Mode, kimi: Emulator) -> None:
    """It would wait for ever."""
    client = mode.client(kimi, limits=Limits(tpm=50_000))
    with pytest.raises(LimitsError, match=r"reserves 60,\d{3} tokens .* tpm is 50,000; set a smaller"):
        mode.run(client.chat.completions.create(**{**ASK, "max_completion_tokens": 60_000}))
    assert kimi.requests == []
    assert client.kimi_options.limits.open == 0


def test_a_missing_cap_is_told_once(mode: Mode, kimi: Emulator) -> None:
    """With what it costs; not if RPM binds anyway, and not without TPM."""
    uncapped = {name: value for name, value in ASK.items() if name != "max_completion_tokens"}
    client = mode.client(kimi, limits="tier3")
    with pytest.warns(KimiCompatWarning, match=r"reserves 131,072 .* at most 22 such .* it would be 200"):
        mode.run(client.chat.completions.create(**uncapped))
    mode.run(client.chat.completions.create(**uncapped))
    for limits in (Limits(rpm=3, tpm=500_000), Limits(rpm=3)):
        mode.run(mode.client(kimi, limits=limits).chat.completions.create(**uncapped))


def test_a_refusal_corrects_the_limits(mode: Mode, answering: MakeAnswering) -> None:
    """`current` and `limit` in the text of a 429, and the time it names."""
    text = REFUSAL["error"]["message"].format("current:1800, limit:1900")
    server = answering(429, {"error": {**REFUSAL["error"], "message": text}}, {"retry-after": "7"})
    limits = Limits(tpm=9000)
    client = mode.client(api_key="sk-x", base_url=server.base_url, limits=limits, max_retries=0)
    with pytest.raises(openai.RateLimitError):
        mode.run(client.chat.completions.create(**ASK))
    assert limits.rates.tpm == 1900
    assert limits.usage().tokens == 1800
    with pytest.raises(openai.APITimeoutError):
        mode.run(client.with_options(patience=6).chat.completions.create(**ASK))
    assert len(server.requests) == 1


def test_an_overload_holds_back_every_client(mode: Mode, kimi: Emulator) -> None:
    """The request of another client waits out the pause too."""
    limits = Limits()
    kimi.fail(overloaded())
    with pytest.raises(openai.APIError):
        mode.run(mode.client(kimi, limits=limits, max_retries=0).chat.completions.create(**ASK))
    assert 2 < seconds_for(1, mode, mode.client(kimi, limits=limits)) < 6


def test_every_attempt_counts(mode: Mode, kimi: Emulator) -> None:
    """The SDK's retries, and the requests of `stream` and `complete`."""
    limits = Limits(rpm=100)
    client = mode.client(kimi, limits=limits)
    kimi.fail(overloaded())
    with instant():
        mode.run(client.chat.completions.create(**ASK))
        mode.run(complete(client, **ASK))
        mode.each(stream(client, **ASK))
    assert limits._process.admission._requests.total == 4
    assert limits.open == 0


def test_the_platform_is_asked_for_the_size(mode: Mode, kimi: Emulator) -> None:
    """`estimate="server"`: one more request before each, and its count is reserved."""
    limits = Limits(tpm=100_000, estimate="server")
    mode.run(mode.client(kimi, limits=limits).chat.completions.create(**ASK))
    assert [request.path for request in kimi.requests] == [
        "/v1/tokenizers/estimate-token-count",
        "/v1/chat/completions",
    ]
    assert 999 < limits.usage().tokens < 999 + 80


@pytest.mark.parametrize("way", ["create", "stream=True", "stream", "complete"])
def test_answers_correct_the_estimate(mode: Mode, kimi: Emulator, way: str) -> None:
    """The size of the prompt in the usage of an answer is what the next estimate is nearer to."""
    limits = Limits(tpm=10_000_000)
    client = mode.client(kimi, limits=limits)
    long = {**ASK, "max_completion_tokens": 9999, "messages": [{"role": "user", "content": "x " * 3000}]}
    if way == "create":
        mode.run(client.chat.completions.create(**long))
    elif way == "stream=True":
        mode.each(mode.run(client.chat.completions.create(**long, stream=True)))
    elif way == "stream":
        mode.each(stream(client, **long))
    else:
        mode.run(complete(client, **long))
    assert limits.estimator.factor > 1.1


@pytest.mark.parametrize("estimate", ["offline", "server"])
@pytest.mark.parametrize("streams", [False, True])
def test_a_response_reserves_and_corrects(mode: Mode, kimi: Emulator, estimate: Any, streams: bool) -> None:
    """Its input and `max_output_tokens`; its usage corrects the estimate. The platform is not asked for the size."""
    limits = Limits(tpm=10_000_000, estimate=estimate)
    client = mode.client(kimi, limits=limits)
    ask: dict[str, Any] = {"model": "kimi-k3", "input": "x " * 3000, "max_output_tokens": 9999, "stream": streams}
    answer = mode.run(client.responses.create(**ask))
    if streams:
        mode.each(answer)
    assert 9999 + 1500 < limits.usage().tokens < 9999 + 6000
    assert limits.estimator.factor > 1.1
    assert limits.open == 0
    assert [request.path for request in kimi.requests] == ["/v1/responses"]


def test_what_a_response_continues_is_reserved(mode: Mode, kimi: Emulator) -> None:
    """The remembered items are sent and counted; a stored response that is read reserves nothing."""
    limits = Limits(tpm=10_000_000)
    client = mode.client(kimi, limits=limits)
    ask: dict[str, Any] = {"model": "kimi-k3", "max_output_tokens": 10}
    first = mode.run(client.responses.create(**ask, input="x " * 3000))
    before = limits.usage().tokens
    mode.run(client.responses.create(**ask, input="more", previous_response_id=first.id))
    after = limits.usage().tokens
    assert after - before > 1500
    mode.run(client.responses.retrieve(first.id))
    assert limits.usage().tokens == after


def test_a_response_larger_than_the_limit_is_not_sent(mode: Mode, kimi: Emulator) -> None:
    """As with chats; without a limit of the output, the warning names the field of Responses."""
    client = mode.client(kimi, limits=Limits("tier3", tpm=50_000))
    with pytest.raises(LimitsError, match="max_output_tokens in Responses"):
        mode.run(client.responses.create(model="kimi-k3", input="hi", max_output_tokens=60_000))
    assert kimi.requests == []
    with pytest.warns(KimiCompatWarning, match="without max_output_tokens reserves"):
        mode.run(mode.client(kimi, limits="tier3").responses.create(model="kimi-k3", input="hi"))


def test_limits_can_be_changed_while_requests_wait() -> None:
    """Who waits for the next minute goes at once."""
    limits = Limits(rpm=1)
    limits.enter().release()
    waiting = threading.Thread(target=lambda: limits.enter().release())
    waiting.start()
    until(lambda: limits.waiting == 1)
    limits.change(rpm=10_000)
    waiting.join(20)
    assert not waiting.is_alive()
    with pytest.raises(ValueError, match="rpn"):
        limits.change(rpn=3)


def test_limits_survive_pickling() -> None:
    """For worker processes, each of which counts for itself."""
    copy = pickle.loads(pickle.dumps(Limits("tier2", rpm=7)))
    assert copy.rates == Rates(40, 7, 3_000_000, None)
    assert repr(copy) == "Limits(concurrency=40, rpm=7, tpm=3000000)"


def test_cancelled_tasks_leave_nothing_behind() -> None:
    """Cancelled while they wait for the minute: their place and their tokens are given back."""

    async def main() -> None:
        limits = Limits(rpm=2, tpm=100)
        (await limits.enter_async(tokens=60)).release()
        tasks = [asyncio.ensure_future(limits.enter_async(tokens=60)) for _ in range(5)]
        while limits.waiting < 5:
            await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert (limits.open, limits.waiting, limits.usage().tokens) == (0, 0, 60)

    asyncio.run(main())


def test_no_warning_without_limits(mode: Mode, kimi: Emulator) -> None:
    """A client without limits reserves nothing."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mode.run(mode.client(kimi).chat.completions.create(model="kimi-k3", messages=ASK["messages"]))


# Against the emulator's own limits -----------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"rpm": 20}, {"tpm": 100_000}, {"concurrency": 1, "tpm": 50_000}], ids=str)
def test_nothing_is_refused(mode: Mode, limits: dict[str, int]) -> None:
    """Kimi's counting and ours agree over some minutes, by the clock that skips waits."""
    with Emulator(limits=AccountLimits(**limits), clock=now) as kimi:
        client = mode.client(kimi, limits=Limits(**limits))
        seconds = seconds_for(45, mode, client, max_completion_tokens=4900)
        report = kimi.limits
    assert report.admitted == 45
    assert sum(report.refused.values()) == 0
    assert seconds < 125 * (100_000 / limits["tpm"] if "tpm" in limits else 1) + 60


def test_unknown_limits_are_learnt(mode: Mode) -> None:
    """Without numbers, each limit is met and then kept."""
    with Emulator(limits=AccountLimits(rpm=20, concurrency=4), minute=0.5, latency=0.02) as kimi:
        limits = Limits(minute=0.5)
        client = mode.client(kimi, limits=limits, max_retries=9)
        ask_many(mode, client, 30)
        report = kimi.limits
    assert report.admitted == 30
    assert limits.rates == Rates(concurrency=4, rpm=20)


def ask_many(mode: Mode, client: Any, count: int) -> None:
    """So many requests at once."""

    async def tasks() -> None:
        await asyncio.gather(*(client.chat.completions.create(**ASK) for _ in range(count)))

    if mode.is_async:
        mode.run(tasks())
        return
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: client.chat.completions.create(**ASK), range(count)))
