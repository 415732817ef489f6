"""A small part of `python -m tests.load`, which runs thousands of answers before a release."""

from __future__ import annotations

from kimi_openai import create_async_client, instant

from .load import empty_account, load, run_of, seeded, with_ours


def test_seeded_runs_lose_and_double_nothing() -> None:
    """Each seed has its own faults; synchronous and asynchronous clients take turns."""
    found = seeded(50)
    assert found["whole"] == 50
    assert found["requests"] > 50
    assert run_of(3) == run_of(3)


def test_streams_at_once_are_all_whole() -> None:
    """A fifth of the connections is cut and a fifth of the requests is refused for a moment."""
    with instant():
        result = load(with_ours, create_async_client, 20, seed=2)
    assert result.verdicts == {"whole": 20}
    assert result.requests > 20


def test_an_empty_account_costs_one_request_for_each_call() -> None:
    """However many calls there are at once."""
    assert empty_account(with_ours, create_async_client, 5) == 5
