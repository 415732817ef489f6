"""steering.py: one wish becomes the right extra_body, or an error instead of a 400."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai import thinking
from kimi_openai.emulator import Emulator
from kimi_openai.models import facts
from kimi_openai.steering import nearest_effort

from .conftest import Mode

WISHES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "nothing": ("kimi-k3", {}, {}),
    "K3 effort": ("kimi-k3", {"effort": "high"}, {"reasoning_effort": "high"}),
    "K3.1 effort": ("kimi-k3.1-pro", {"effort": "low", "enabled": True}, {"reasoning_effort": "low"}),
    "K3 on is the default": ("kimi-k3", {"enabled": True}, {}),
    "K2.6 off": ("kimi-k2.6", {"enabled": False}, {"thinking": {"type": "disabled"}}),
    "K2.6 keep": ("kimi-k2.6", {"keep": "all"}, {"thinking": {"type": "enabled", "keep": "all"}}),
    "K2.7 on": ("kimi-k2.7-code", {"enabled": True}, {"thinking": {"type": "enabled"}}),
    "unknown off": ("kimi-k4", {"enabled": False}, {"thinking": {"type": "disabled"}}),
    "unknown effort": ("kimi-k4", {"effort": "ultra"}, {"reasoning_effort": "ultra"}),
    "unknown both": (
        "kimi-k4",
        {"enabled": True, "effort": "max"},
        {"reasoning_effort": "max", "thinking": {"type": "enabled"}},
    ),
}


@pytest.mark.parametrize(("model", "wish", "body"), WISHES.values(), ids=WISHES)
def test_a_wish_becomes_the_body_of_its_model(model: str, wish: dict[str, Any], body: dict[str, Any]) -> None:
    """Each family is steered by its own field; an unknown model gets what was asked for."""
    assert thinking(model, **wish) == body


REFUSED = {
    "K3 off": ("kimi-k3", {"enabled": False}, "documented as always thinking; effort='low'"),
    "K2.7 off": ("kimi-k2.7-code-highspeed", {"enabled": False}, "only type=enabled"),
    "K2.6 effort": ("kimi-k2.6", {"effort": "low"}, "no effort levels"),
    "K3 keep": ("kimi-k3", {"keep": "all"}, "has no `keep`"),
    "K3 medium": ("kimi-k3", {"effort": "medium"}, "knows 'low', 'high', 'max' (the nearest is 'high')"),
    "K3 nonsense": ("kimi-k3", {"effort": "bogus"}, "knows 'low', 'high', 'max'"),
    "keep some": ("kimi-k2.6", {"keep": "some"}, "keep is 'some'"),
    "off and keep": ("kimi-k2.6", {"enabled": False, "keep": "all"}, "needs thinking on"),
    "off and effort": ("kimi-k4", {"enabled": False, "effort": "low"}, "needs thinking on"),
}


@pytest.mark.parametrize(("model", "wish", "words"), REFUSED.values(), ids=REFUSED)
def test_what_kimi_would_refuse_is_said_before(model: str, wish: dict[str, Any], words: str) -> None:
    """A ValueError with the way out."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are compared below
        thinking(model, **wish)
    assert words in str(caught.value)


def test_the_wish_arrives(mode: Mode, kimi: Emulator) -> None:
    """Through extra_body, and the model obeys."""
    client = mode.client(kimi)
    off = mode.run(
        client.chat.completions.create(
            model="kimi-k2.6",
            messages=[{"role": "user", "content": "Hi"}],
            extra_body=thinking("kimi-k2.6", enabled=False),
        )
    )
    assert kimi.chats[-1]["thinking"] == {"type": "disabled"}
    assert not off.choices[0].message.reasoning_content


def test_openais_effort_words_have_a_nearest_level() -> None:
    """Of the family of K3 only; K2 has no levels."""
    words = ("none", "off", "minimal", "low", "medium", "high", "xhigh", "max", "bogus")
    expected = ["low", "low", "low", "low", "high", "high", "max", "max", None]
    assert [nearest_effort(facts("kimi-k3"), word) for word in words] == expected
    assert nearest_effort(facts("kimi-k2.6"), "low") is None
