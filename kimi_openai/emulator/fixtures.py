"""A pytest fixture for users: `from kimi_openai.emulator.fixtures import kimi` in a conftest.

Only this module imports pytest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .emulator import Emulator

__all__ = ["kimi"]


@pytest.fixture
def kimi() -> Iterator[Emulator]:
    """A running emulator for one test."""
    with Emulator() as emulator:
        yield emulator
