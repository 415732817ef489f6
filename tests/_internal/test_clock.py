"""`instant` skips waits, and the clock counts them all the same."""

from __future__ import annotations

import pytest

from kimi_openai import instant
from kimi_openai._internal.clock import now, real_wait


def test_instant_nests_and_restores() -> None:
    """Waits are real again after the outermost block, also after an exception."""
    assert real_wait(0.5) == 0.5
    before = now()
    with instant():
        with pytest.raises(KeyError), instant():
            raise KeyError
        assert real_wait(50) == 0
    assert real_wait(0.5) == 0.5
    assert now() - before >= 50
