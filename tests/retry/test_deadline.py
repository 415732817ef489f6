"""A deadline counts the waits that `instant` skips; what ends a read in time is tested with `stream`."""

from __future__ import annotations

from kimi_openai import instant
from kimi_openai._internal.clock import real_wait
from kimi_openai.retry.deadline import Deadline


def test_a_deadline_passes() -> None:
    """Something positive is always left, because it becomes a timeout; a wait of 0 seconds is too long then."""
    with instant():
        deadline = Deadline(1000)
        assert 900 < (deadline.left() or 0) <= 1000
        assert (deadline.ends_within(900), deadline.ends_within(1000)) == (False, True)
        real_wait(2000)
        assert 2000 <= deadline.elapsed() < 2100
        assert 0 < (deadline.left() or 0) < 0.01
        assert deadline.ends_within(0)


def test_no_patience_is_no_deadline() -> None:
    """It never ends, and still measures."""
    deadline = Deadline()
    assert (deadline.left(), deadline.ends_within(1e9)) == (None, False)
    assert deadline.elapsed() >= 0
