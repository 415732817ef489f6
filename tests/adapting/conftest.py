"""A bare client of the SDK on an HTTP client that adapts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import openai
import pytest

from kimi_openai import adapting_async_http_client, adapting_http_client
from tests.conftest import Mode

MakeBare = Callable[..., Any]


@pytest.fixture
def bare(mode: Mode) -> Iterator[MakeBare]:
    """Makes `openai.OpenAI` or `openai.AsyncOpenAI`: `bare(base_url=..., api_key=..., adapting={...})`."""
    clients: list[Any] = []

    def make(*, adapting: Any = None, **options: Any) -> Any:
        kind: Any = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
        make_http: Any = adapting_async_http_client if mode.is_async else adapting_http_client
        clients.append(kind(http_client=make_http(**(adapting or {})), **options))
        return clients[-1]

    yield make
    for client in clients:
        mode.run(client.close())
