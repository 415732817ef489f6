"""The loop that every framework goes through: two tools, called one after the other by a model that thinks, then the
answer."""

from __future__ import annotations

from kimi_openai.emulator import Emulator, call, say, think

MODELS = ["kimi-k3", "kimi-k2.6"]
QUESTION = "How is the weather?"
ANSWER = "It is sunny in Paris."


def get_city() -> str:
    """The user's city."""
    return "Paris"


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: the city's name
    """
    return f"sunny in {city}"


def script(kimi: Emulator, prefix: str = "") -> None:
    """What the model thinks, calls and says; the tools' names have the prefix."""
    kimi.script(think("where"), call(f"{prefix}get_city", {}))
    kimi.script(think("and how"), call(f"{prefix}get_weather", {"city": "Paris"}))
    kimi.script(think("so"), say(ANSWER))


def check(kimi: Emulator, prefix: str = "") -> None:
    """Three requests; the last one has both calls, each with its reasoning, and both results."""
    names = [f"{prefix}get_city", f"{prefix}get_weather"]
    assert len(kimi.chats) == 3
    *_, last = kimi.chats
    messages = [message for message in last["messages"] if message["role"] in ("assistant", "tool")]
    assert [message["role"] for message in messages] == ["assistant", "tool"] * 2
    calls, results = messages[::2], messages[1::2]
    assert [made["function"]["name"] for message in calls for made in message["tool_calls"]] == names
    assert ["Paris" in str(result["content"]) for result in results] == [True, True]
    assert [tool["function"]["name"] for tool in last["tools"]][:2] == names
    assert [message.get("reasoning_content") for message in calls] == ["where", "and how"]
