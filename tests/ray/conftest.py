"""A Ray cluster, and the emulator with the limits of an account."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kimi_openai.emulator import Emulator

from .cluster import Unavailable, cluster

MINUTE = 6.0


@pytest.fixture(scope="session")
def ray() -> Iterator[Any]:
    """Ray, started; without it the tests are skipped."""
    try:
        with cluster() as ray:
            yield ray
    except Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture
def account(ray: Any) -> Iterator[Emulator]:  # noqa: ARG001 - in its network
    """An account of the first tier; its minute is shorter."""
    with Emulator(limits="tier1", minute=MINUTE, latency=0.2) as kimi:
        yield kimi
