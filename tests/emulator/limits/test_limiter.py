"""The limits of the organization, over sockets: what is refused, with which words and headers, and what is counted."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from kimi_openai.emulator import AccountLimits, Behaviour, Emulator, rate_limited, reset, say
from tests.emulator.http import HELLO, Got, chat, send


class Clock:
    """A clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def error(got: Got) -> tuple[int, str]:
    return got.status, got.json["error"]["message"] if got.status != 200 else ""


def test_no_limits_by_default(kimi: Emulator) -> None:
    """Without limits nothing is refused, and what was used is counted all the same."""
    assert {chat(kimi, max_completion_tokens=100).status for _ in range(5)} == {200}
    report = kimi.limits
    assert (report.admitted, report.refused, report.most_running) == (5, {}, 1)
    assert report.reserved_tokens > 500
    assert 0 < report.used_tokens < report.reserved_tokens


def test_requests_a_minute() -> None:
    """The fourth request of a minute is refused, in Kimi's words and with the three headers that were measured."""
    clock = Clock()
    with Emulator(clock=clock, limits="tier0") as kimi:
        assert [chat(kimi, max_completion_tokens=9).status for _ in range(3)] == [200] * 3
        got = chat(kimi, max_completion_tokens=9)
        words = "request reached organization max RPM: 3, please try again after 1 seconds"
        assert error(got) == (429, f"Your account org-emulator<ak-emulator> {words}")
        assert got.json["error"]["type"] == "rate_limit_reached_error"
        assert [got.headers[name] for name in ("Retry-After", "x-retry-after")] == ["1", "1"]
        assert len(got.headers["x-msh-trace-id"]) == 32
        clock.now += 60
        assert chat(kimi, max_completion_tokens=9).status == 200
        assert (kimi.limits.admitted, kimi.limits.refused, kimi.limits.requests_now) == (4, {"rpm": 1}, 1)


@pytest.mark.parametrize(("switch", "used", "status"), [(True, 3, 429), (False, 1, 200)])
def test_refused_requests_count_toward_the_requests_a_minute(switch: bool, used: int, status: int) -> None:
    """Retries count, as the docs say; a switch for those who want to be safe under the other reading."""
    with Emulator(clock=1, limits=AccountLimits(rpm=3, tpm=60), behaviour=Behaviour(refused_count=switch)) as kimi:
        assert [chat(kimi, max_completion_tokens=999).status for _ in range(3)] == [429] * 3
        assert chat(kimi, model="kimi-k3", max_completion_tokens=1, thinking={"type": "disabled"}).status == status
        assert kimi.limits.requests_now == (4 if switch else used)


def test_a_request_reserves_its_prompt_and_its_limit_on_the_output() -> None:
    """Three K3 requests without a limit reserve 131,072 tokens each, and fill a TPM limit of 500,000 with a fourth."""
    with Emulator(clock=1, limits=AccountLimits(tpm=500_000)) as kimi:
        got = [chat(kimi) for _ in range(4)]
        assert [each.status for each in got] == [200, 200, 200, 429]
        assert 3 * 131_072 < kimi.limits.tokens_now < 3 * 131_200
        text = got[3].json["error"]["message"]
        assert text.startswith("Your account org-emulator<ak-emulator> request reached organization TPM rate limit, ")
        assert text.endswith(f"current:{kimi.limits.tokens_now // 3 * 4}, limit:500000")
        assert chat(kimi, max_tokens=1000).status == 200
        assert kimi.limits.refused == {"tpm": 1}


@pytest.mark.parametrize(("refunds", "least"), [(False, 1000), (True, 0)])
def test_what_an_answer_did_not_need(refunds: bool, least: int) -> None:
    """A short answer gives nothing back, unless the switch says so."""
    with Emulator(clock=1, limits=AccountLimits(tpm=10**6), behaviour=Behaviour(refunds=refunds)) as kimi:
        used = chat(kimi, max_completion_tokens=1000).json["usage"]["total_tokens"]
        assert kimi.limits.tokens_now == (used if refunds else kimi.limits.reserved_tokens)
        assert kimi.limits.tokens_now > least
        assert kimi.limits.used_tokens == used


def test_tokens_a_day() -> None:
    """Tokens a day are given back at the end of the day, not in the next minute."""
    clock = Clock()
    with Emulator(clock=clock, limits=AccountLimits(tpd=300_000)) as kimi:
        assert [chat(kimi).status for _ in range(2)] == [200, 200]
        clock.now += 3600
        status, text = error(chat(kimi))
        assert status == 429
        assert "request reached organization TPD rate limit, current:" in text
        clock.now += 86_400
        assert chat(kimi).status == 200


def test_a_project_may_have_less() -> None:
    """The limit of a project has words of its own."""
    with Emulator(clock=1, limits=AccountLimits(tpm=10**6, project_tpm=500)) as kimi:
        assert "request reached project TPM rate limit, current: " in error(chat(kimi))[1]


def test_a_project_may_have_a_budget() -> None:
    """A budget in USD ends a project as an empty account would."""
    with Emulator(limits=AccountLimits(project_budget=0.0001)) as kimi:
        assert [chat(kimi, max_completion_tokens=99).status for _ in range(2)] == [200, 429]
        assert chat(kimi).json["error"]["type"] == "exceeded_current_quota_error"


@pytest.mark.parametrize(("window", "status"), [("sliding", 429), ("fixed", 200)])
def test_kind_of_the_window(window: Any, status: int) -> None:
    """A minute is the last 60 seconds, or begins anew every 60 seconds: a switch."""
    clock = Clock()
    with Emulator(clock=clock, limits=AccountLimits(rpm=2), behaviour=Behaviour(limit_window=window)) as kimi:
        chat(kimi)
        clock.now += 50
        chat(kimi)
        clock.now += 11
        chat(kimi)
        assert chat(kimi).status == status if window == "sliding" else 200


@pytest.mark.parametrize(("exact", "wait"), [(False, "1"), (True, "45")])
def test_advised_wait(exact: bool, wait: str) -> None:
    """A 429 says to wait for a second, as was measured; with the switch until the request fits."""
    clock, behaviour = Clock(), Behaviour(exact_retry_after=exact, refused_count=False)
    with Emulator(clock=clock, limits=AccountLimits(rpm=1), behaviour=behaviour) as kimi:
        chat(kimi)
        clock.now += 15
        got = chat(kimi)
        assert got.headers["Retry-After"] == wait
        assert got.json["error"]["message"].endswith(f"after {wait} seconds")


def test_without_headers() -> None:
    """The headers are not promised; a switch leaves them out."""
    with Emulator(limits=AccountLimits(rpm=0), behaviour=Behaviour(retry_after=False)) as kimi:
        assert not [name for name in chat(kimi).headers if "retry" in name.lower() or "trace" in name.lower()]


def test_a_shorter_minute() -> None:
    """Time can be scaled, and with it the advised wait."""
    clock = Clock()
    with Emulator(clock=clock, limits=AccountLimits(rpm=1), minute=0.6) as kimi:
        assert [chat(kimi).status, chat(kimi).status] == [200, 429]
        assert chat(kimi).headers["Retry-After"] == "0.01"
        clock.now += 0.6
        assert chat(kimi).status == 200


def test_at_the_same_time() -> None:
    """Requests beyond the concurrency are refused while the others run, until their responses have ended."""
    with Emulator(limits=AccountLimits(concurrency=3), latency=0.2) as kimi:
        assert sorted(asyncio.run(at_once(kimi, 8))) == [200] * 3 + [429] * 5
        assert chat(kimi).status == 200
        report = kimi.limits
        assert (report.refused, report.most_running, report.running) == ({"concurrency": 5}, 3, 0)


async def at_once(kimi: Emulator, count: int, **body: Any) -> list[int]:
    """The statuses of so many requests that are sent together."""
    headers = {"Authorization": f"Bearer {kimi.api_key}"}
    whole = {"model": "kimi-k3", "messages": HELLO, **body}

    async def one(session: aiohttp.ClientSession) -> int:
        async with session.post(f"{kimi.base_url}/chat/completions", json=whole, headers=headers) as answer:
            await answer.read()
            return answer.status

    async with aiohttp.ClientSession() as session:
        return await asyncio.gather(*(one(session) for _ in range(count)))


def test_a_client_that_leaves_is_not_running() -> None:
    """A response whose connection breaks gives its place back."""
    with Emulator(limits=AccountLimits(concurrency=1)) as kimi:
        for _ in range(3):
            kimi.fail(reset())
            with pytest.raises(ConnectionError):
                chat(kimi)
        assert chat(kimi).status == 200
        assert kimi.limits.running == 0


def test_what_counts() -> None:
    """Refused bodies and other endpoints do not count; a queued fault counts as a request, and not as tokens."""
    with Emulator(clock=1, limits=AccountLimits(rpm=2)) as kimi:
        assert chat(kimi, n=2).status == 400
        assert send(kimi, "GET", "/v1/models").status == 200
        assert kimi.limits.requests_now == 0
        kimi.fail(rate_limited())
        assert [chat(kimi).status for _ in range(3)] == [429, 200, 429]
        assert kimi.limits.refused == {"rpm": 1}


def test_a_refused_request_takes_no_script() -> None:
    """A script is for the next request that is answered."""
    with Emulator(clock=1, limits=AccountLimits(rpm=0)) as kimi:
        kimi.script(say("later"))
        assert chat(kimi).status == 429
        kimi.set_limits(None)
        assert chat(kimi).message["content"] == "later"


def test_minutes_and_clear() -> None:
    """The report has each minute since the first request, also those in which nothing happened."""
    clock = Clock()
    with Emulator(clock=clock, limits=AccountLimits(rpm=1)) as kimi:
        chat(kimi, max_completion_tokens=10)
        chat(kimi, max_completion_tokens=10)
        clock.now += 150
        chat(kimi, max_completion_tokens=10)
        minutes = kimi.limits.minutes
        assert [(each.admitted, each.refused) for each in minutes] == [(1, 1), (0, 0), (1, 0)]
        assert sum(each.tokens for each in minutes) == kimi.limits.reserved_tokens
        kimi.clear()
        assert (kimi.limits.minutes, kimi.limits.admitted, kimi.limits.requests_now) == ((), 0, 0)


def test_tiers_by_name() -> None:
    """A tier's name is enough; an unknown one is a ValueError that names the tiers."""
    assert Emulator(limits="tier3").limits.limits == AccountLimits(concurrency=50, rpm=200, tpm=3_000_000)
    with pytest.raises(ValueError, match="no tier 'gold'; the tiers are tier0, tier1"):
        Emulator(limits="gold")
