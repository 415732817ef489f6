"""The pure limiter with a fake clock: no window is ever exceeded, nobody starves, and it learns from refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kimi_openai.limits.admission import Admission
from kimi_openai.limits.feedback import Feedback, feedback_of
from kimi_openai.limits.rates import Rates, rates_of

MINUTE = 60.0
SPANS = {"rpm": MINUTE, "tpm": MINUTE, "tpd": 86_400.0}


@dataclass(frozen=True)
class Request:
    """A request that comes `gap` seconds after the one before it, and takes `duration` seconds."""

    gap: float
    tokens: int
    duration: float
    refusal: Feedback | None = None


@dataclass(frozen=True)
class Sent:
    """A request that was sent, and when it came."""

    came: float
    at: float
    until: float
    tokens: int


def simulate(admission: Admission, requests: Sequence[Request], start: float = 1_000_000.0) -> list[Sent]:
    """Send each request at the first moment at which it is admitted, in order. An open request ends in its time."""
    now, came, sent, ends = start, start, [], []
    for request in requests:
        came += request.gap
        now = max(now, came)
        for _ in range(10_000):
            over = sorted(end for end in ends if end[0] <= now)
            for end in over:
                admission.end(end[2])
                ends.remove(end)
            delay = admission.delay(request.tokens, now).seconds
            if not delay:
                break
            now = min([now + delay, *(end[0] for end in ends)])
            assert now < inf, "waits for ever"
        else:
            raise AssertionError("starved")
        admitted = admission.admit(request.tokens, now)
        ends.append((now + request.duration, len(sent), admitted))
        sent.append(Sent(came, now, now + request.duration, request.tokens))
        if request.refusal is not None:
            admission.learn(request.refusal, admitted, now)
    return sent


def most_in_any(span: float, sent: Sequence[Sent], amounts: Sequence[int]) -> int:
    """The largest sum in a window of this length, wherever it begins."""
    return max(
        sum(amount for each, amount in zip(sent, amounts, strict=True) if first.at <= each.at < first.at + span)
        for first in sent
    )


FEEDBACK = st.one_of(
    st.builds(Feedback, st.sampled_from([0.5, 3.0, 30.0])),
    st.builds(
        Feedback,
        st.just(1.0),
        st.sampled_from(["concurrency", "rpm", "tpm"]),
        st.none() | st.integers(1, 900),
        st.none() | st.integers(50, 400),
    ),
)
REQUESTS = st.lists(
    st.builds(
        Request,
        st.sampled_from([0.0, 0.0, 0.3, 7.0, 45.0]),
        st.integers(0, 50),
        st.sampled_from([0.0, 2.0, 90.0]),
        st.one_of(st.none(), st.none(), st.none(), FEEDBACK),
    ),
    min_size=1,
    max_size=40,
)
RATES = st.builds(
    Rates,
    concurrency=st.none() | st.integers(1, 5),
    rpm=st.none() | st.integers(1, 12),
    tpm=st.none() | st.integers(50, 300),
    tpd=st.none() | st.integers(2000, 4000),
)


@settings(max_examples=60, deadline=None)
@given(rates=RATES, requests=REQUESTS, slack=st.sampled_from([0.0, 1.0]))
def test_no_window_is_exceeded_and_nobody_starves(rates: Rates, requests: list[Request], slack: float) -> None:
    """Whatever comes and whatever is refused: in any sliding minute or day, and at any moment."""
    sent = simulate(Admission(rates, slack=slack), requests)
    assert len(sent) == len(requests)
    if rates.rpm is not None:
        assert most_in_any(MINUTE, sent, [1] * len(sent)) <= rates.rpm
    for limit, span in ((rates.tpm, MINUTE), (rates.tpd, SPANS["tpd"])):
        if limit is not None:
            assert most_in_any(span, sent, [each.tokens for each in sent]) <= limit
    if rates.concurrency is not None:
        assert all(
            sum(other.at <= each.at < other.until for other in sent[: index + 1] if other.until > each.at)
            <= rates.concurrency
            for index, each in enumerate(sent)
        )


@pytest.mark.parametrize("tier", ["tier1", "tier3"])
@pytest.mark.parametrize("cap", [4096, 131_072])
def test_the_binding_limit_is_used(tier: str, cap: int) -> None:
    """Under load, 95 % of RPM or TPM, whichever binds, once the first minute is over."""
    rates = rates_of(tier)
    sent = simulate(Admission(rates), [Request(0, cap + 200, 5.0)] * 700)
    minutes = (sent[-1].at - sent[0].at) // MINUTE
    within = [each for each in sent if each.at - sent[0].at < minutes * MINUTE]
    assert rates.rpm is not None
    assert rates.tpm is not None
    used = max(len(within) / rates.rpm, sum(each.tokens for each in within) / rates.tpm) / minutes
    assert used >= 0.95


def test_a_full_minute_is_spread() -> None:
    """The requests of a minute are not sent in one burst, which would reach the server late and unevenly."""
    sent = simulate(Admission(Rates(rpm=60)), [Request(0, 0, 0)] * 60)
    assert 5 < sent[-1].at - sent[0].at < 7


def admitted(rates: Rates, count: int, tokens: int = 0) -> Admission:
    """An admission with so many open requests at time 0."""
    admission = Admission(rates, slack=0)
    for _ in range(count):
        admission.admit(tokens, 0.0)
    return admission


def test_a_named_limit_is_kept_for_a_time() -> None:
    """Load lowers limits for a time; after that the caller's own number is tried again."""
    admission = admitted(Rates(rpm=100), 10)
    told = feedback_of("rate_limit", "organization max RPM: 10, please try again after 1 seconds", 1.0)
    assert told is not None
    admission.learn(told, admission.admit(0, 0.0), 0.0)
    assert admission.delay(0, 2.0).reason == "rpm"
    assert admission.adaptation.limit("rpm", 299) == 10
    assert admission.adaptation.limit("rpm", 301) == 100


def test_a_named_limit_fills_an_unknown_one_for_good() -> None:
    """Who gives no numbers learns them. A higher number than the caller's own changes nothing."""
    admission = admitted(Rates(rpm=5), 1)
    one = admission.admit(0, 0.0)
    admission.learn(Feedback(1.0, "tpm", 900, 500), one, 0.0)
    admission.learn(Feedback(1.0, "rpm", None, 50), one, 0.0)
    assert admission.adaptation.limit("tpm", 1e9) == 500
    assert admission.adaptation.limit("rpm", 1.0) == 5


def test_the_servers_count_replaces_ours() -> None:
    """Others use the account too: what they used in this minute is waited for."""
    admission = admitted(Rates(tpm=500), 1, 100)
    admission.learn(Feedback(1.0, "tpm", 490, 500), admission.admit(50, 0.0), 0.0)
    assert admission.usage(1.0).tokens == 490
    assert admission.delay(100, 10.0).seconds > 40


def test_an_overload_holds_all_back_and_the_share_rises_again() -> None:
    """Many refusals of one burst count once; a later one halves again."""
    admission = Admission(Rates(concurrency=16))
    burst = [admission.admit(0, 0.0) for _ in range(16)]
    for each in burst:
        admission.learn(Feedback(10.0), each, 1.0)
        admission.end(each)
    assert admission.delay(0, 1.0).seconds == 10.0
    assert admission.adaptation.concurrency(11.0) == 8
    admission.learn(Feedback(10.0), admission.admit(0, 11.0), 11.0)
    assert admission.adaptation.concurrency(21.0) == 4
    assert admission.adaptation.concurrency(21.0 + 30) == 12
    assert admission.adaptation.concurrency(21.0 + 60) == 16


def test_after_an_overload_requests_are_spread_evenly() -> None:
    """They do not come back as one herd."""
    admission = Admission(Rates(rpm=60))
    first = admission.admit(0, 0.0)
    admission.learn(Feedback(5.0), first, 0.0)
    admission.end(first)
    sent = simulate(admission, [Request(0, 0, 0)] * 10, start=1.0)
    assert sent[0].at >= 5.0
    assert sent[9].at - sent[0].at > 9.0


def test_an_unexplained_refusal_widens_the_window_for_a_time() -> None:
    """Server and client see different minutes."""
    admission = admitted(Rates(rpm=100), 1)
    admission.learn(Feedback(1.0, "rpm"), admission.admit(0, 0.0), 0.0)
    assert 0 < admission.adaptation.slack(1.0) <= 5
    assert admission.adaptation.slack(700.0) == 0


def test_what_was_never_sent_does_not_count() -> None:
    """A cancelled wait gives everything back."""
    admission = Admission(Rates(concurrency=1, rpm=1, tpm=10))
    admission.withdraw(admission.admit(10, 0.0))
    assert admission.usage(1.0).requests == 0
    assert admission.delay(10, 7.0).seconds == 0


def test_a_request_that_can_never_be_sent_is_refused() -> None:
    """Larger than a minute's or a day's tokens, or the day is over."""
    admission = Admission(Rates(tpm=1000, tpd=1500))
    assert "tpm is 1,000" in admission.refusal(1001, 0.0)
    assert admission.refusal(1000, 0.0) == ""
    admission.admit(1000, 0.0)
    assert "go on in 24.0 hours" in admission.refusal(600, 1.0)
    assert admission.refusal(600, 86_390.0) == ""


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("request reached organization max concurrency: 3, please try again after 1 seconds", ("concurrency", None, 3)),
        ("request reached organization TPM rate limit, current:520, limit:500", ("tpm", 520, 500)),
        ("request reached organization TPD rate limit, current: 1505241", ("tpd", 1505241, None)),
        ("Organization Rate limit exceeded, please try again after 1 seconds", (None, None, None)),
        ("request reached organization max RPM: 0", ("rpm", None, None)),
    ],
)
def test_texts_of_refusals(message: str, expected: tuple[object, ...]) -> None:
    """The texts of the errors page, old and new."""
    found = feedback_of("rate_limit", message, 1.0)
    assert found is not None
    assert (found.dimension, found.current, found.limit) == expected
