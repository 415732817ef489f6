"""Two tools, a request, and a run against scripted answers of the emulator."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import pydantic

from kimi_openai import instant, run_tools
from kimi_openai.emulator import Emulator
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Weather?"}]}
SEARCH = {"type": "builtin_function", "function": {"name": "$web_search"}}


def weather(city: str, days: Annotated[int, pydantic.Field(ge=1)] = 1) -> dict[str, Any]:
    """The weather in a city.

    Args:
        city: Where.
        days: How long.
    """
    if city == "Atlantis":
        raise LookupError("no such city")
    return {"city": city, "sun": days}


async def clock() -> str:
    """The time."""
    await asyncio.sleep(0)
    return "noon"


def run_turns(mode: Mode, kimi: Emulator, *turns: Any, tools: Any = (weather, clock, SEARCH), **params: Any) -> Any:
    """The run in which Kimi gives these answers, each a list of steps."""
    for turn in turns:
        kimi.script(*turn)
    with instant():
        return mode.run(run_tools(mode.client(kimi), **{**ASK, **params}, tools=tools))


def results(kimi: Emulator) -> list[str]:
    """The contents of the tool messages in the last request."""
    return [message["content"] for message in kimi.chats[-1]["messages"] if message["role"] == "tool"]
