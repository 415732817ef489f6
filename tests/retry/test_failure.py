"""The parts of an error: what it means, what the answer said, and which wait it names."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai.emulator import Emulator, rate_limited, reset
from kimi_openai.errors.faults import Refusal
from kimi_openai.retry.failure import failure_of
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "0", "", "soon", "1e999"])
def test_a_wait_that_is_no_time_is_not_named(text: str) -> None:
    """The message is looked at instead, and names none here."""
    assert failure_of(Refusal(429), {"retry-after": text}).named_wait is None


def test_an_error_has_the_parts_of_its_answer(mode: Mode, kimi: Emulator) -> None:
    """Status, named wait and request id come from the response that the SDK's exception holds."""
    kimi.fail(rate_limited(retry_after=7))
    with pytest.raises(openai.RateLimitError) as caught:
        mode.run(mode.client(kimi, max_retries=0).chat.completions.create(**ASK))
    failure = failure_of(caught.value)
    assert (failure.fault.kind, failure.refusal.status, failure.named_wait) == ("rate_limit", 429, 7)
    assert failure.request_id == caught.value.request_id is not None


def test_an_error_without_an_answer_has_none_of_them(mode: Mode, kimi: Emulator) -> None:
    """Neither has an exception of somebody else's, nor no exception at all."""
    kimi.fail(reset())
    with pytest.raises(openai.APIConnectionError) as caught:
        mode.run(mode.client(kimi, max_retries=0).chat.completions.create(**ASK))
    failures = [failure_of(caught.value), failure_of(KeyError("x")), failure_of(None)]
    assert [each.fault.kind for each in failures] == ["connection", "unknown", "unknown"]
    assert {(each.refusal.status, each.named_wait, each.request_id) for each in failures} == {(None, None, None)}
