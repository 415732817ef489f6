"""When the retries of one answer end, and how its waits grow."""

from __future__ import annotations

import openai
import pytest

from kimi_openai import RetryEvent, instant
from kimi_openai._internal.clock import real_wait
from kimi_openai.retry.budget import CUTS, PATIENCE, RetryBudget
from tests.canned import LIBRARY

REQUEST = LIBRARY.Request("POST", "http://127.0.0.1/v1/chat/completions")
BROKEN = openai.APIConnectionError(request=REQUEST)
CUT = OSError("connection reset")


def test_attempts_in_a_row_are_counted() -> None:
    """Progress starts a new row; the reason for the end is known."""
    budget = RetryBudget(attempts=3)
    assert budget.after_cut(CUT, progress=False) == 0
    assert budget.after_refusal(BROKEN) is not None
    assert budget.after_cut(CUT, progress=True) == 0
    assert budget.after_cut(CUT, progress=False) is not None
    assert budget.outcome(5) == "5 requests"
    assert budget.after_cut(None, progress=False) is None
    assert budget.outcome(6) == "6 requests; 3 in a row brought nothing"


def test_one_attempt_is_not_called_a_row() -> None:
    """A client without retries gives up at once."""
    budget = RetryBudget(attempts=1)
    assert budget.after_refusal(BROKEN) is None
    assert budget.outcome(1) == "not retried"


def test_waits_grow_with_the_refusals_in_a_row() -> None:
    """A cut in between makes the next refusal the first one again."""
    budget = RetryBudget(attempts=9)
    first, second = budget.after_refusal(BROKEN), budget.after_refusal(BROKEN)
    budget.after_cut(CUT, progress=True)
    again = budget.after_refusal(BROKEN)
    assert 0.5 <= (first or 0) <= 0.75
    assert 1 <= (second or 0) <= 1.5
    assert 0.5 <= (again or 0) <= 0.75


def test_an_error_that_lasts_is_not_retried() -> None:
    """Its headers may say so, too."""
    response = LIBRARY.Response(503, headers={"retry-after": "121"}, request=REQUEST)
    assert RetryBudget().after_refusal(openai.InternalServerError("", response=response, body=None)) is None
    assert RetryBudget().after_refusal(KeyError("x")) is None


@pytest.mark.parametrize("patience", [None, 30.0], ids=["default", "given"])
def test_patience_ends_it(patience: float | None) -> None:
    """A given patience runs from the start; the default one from the first failure of a row."""
    with instant():
        budget = RetryBudget(attempts=99, patience=patience)
        real_wait(2 * PATIENCE if patience is None else 20)
        assert budget.after_cut(CUT, progress=True) == 0
        real_wait(PATIENCE if patience is None else 10)
        assert budget.after_cut(CUT, progress=False) is None
    assert budget.outcome(2).startswith(f"2 requests; patience={patience or PATIENCE:g} ends within a wait of 0.")


def test_an_answer_may_not_be_cut_for_ever() -> None:
    """Not even if each part brings something."""
    budget = RetryBudget()
    assert [budget.after_cut(CUT, progress=True) for _ in range(CUTS)] == [0] * CUTS
    assert budget.after_cut(CUT, progress=True) is None
    assert budget.outcome(CUTS + 1) == f"{CUTS + 1} requests; an answer may be cut {CUTS} times at most"


def test_each_wait_is_reported() -> None:
    """With the kind of the fault; what the HTTP library raises in a stream is a cut."""
    events: list[RetryEvent] = []
    budget = RetryBudget(on_retry=events.append)
    budget.after_refusal(BROKEN)
    budget.after_cut(CUT, progress=True)
    budget.after_cut(None, progress=True)
    assert [(event.attempt, event.kind, event.status) for event in events] == [
        (1, "connection", None),
        (1, "stream_cut", None),
        (1, "stream_cut", None),
    ]
