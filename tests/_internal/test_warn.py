"""Warnings: without keys."""

from __future__ import annotations

import pytest

from kimi_openai._internal.warn import warn


def test_a_key_in_a_warning_is_masked() -> None:
    """A warning is printed, and often logged."""
    with pytest.warns(UserWarning, match=r"^what is sk-\*\*\*$"):
        warn("what is sk-secret", UserWarning)
