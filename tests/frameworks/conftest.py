"""Fixtures for frameworks that run event loops of their own, or leave tasks in ours. None of them calls home."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from typing import Any

import pytest

from kimi_openai import create_async_client
from kimi_openai.emulator import Emulator
from tests.conftest import Mode

os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", HAYSTACK_TELEMETRY_ENABLED="False")


@pytest.fixture
def mode(mode: Mode) -> Iterator[Mode]:
    """`mode`, without the tasks that a framework leaves behind: the loop cancels them, as `asyncio.run` does."""
    yield mode
    if mode.is_async:
        mode.run(_cancel_other_tasks())


async def _cancel_other_tasks() -> None:
    tasks = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture
def async_client(kimi: Emulator) -> Iterator[Any]:
    """For the emulator; closed at the end."""
    client = create_async_client(base_url=kimi.base_url, api_key=kimi.api_key)
    yield client
    asyncio.run(client.close())
