"""`thinking`: the right `extra_body` for each model, or an error instead of a 400."""

from __future__ import annotations

import re
from typing import Any

import pytest

from kimi_openai import thinking
from kimi_openai.emulator import Emulator
from kimi_openai.models.catalog import facts
from kimi_openai.models.reasoning import nearest_effort
from tests.conftest import Mode

BODIES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
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


@pytest.mark.parametrize(("model", "options", "body"), BODIES.values(), ids=BODIES)
def test_each_family_has_its_own_field(model: str, options: dict[str, Any], body: dict[str, Any]) -> None:
    """K3 takes `reasoning_effort`, K2 takes `thinking`; an unknown model gets the values as they are."""
    assert thinking(model, **options) == body


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


@pytest.mark.parametrize(("model", "options", "words"), REFUSED.values(), ids=REFUSED)
def test_a_value_that_kimi_refuses_is_an_error(model: str, options: dict[str, Any], words: str) -> None:
    """The `ValueError` says what to write instead, before anything is sent."""
    with pytest.raises(ValueError, match=re.escape(words)):
        thinking(model, **options)


@pytest.mark.k2  # no other model can be switched off
def test_thinking_is_sent_in_the_body(mode: Mode, kimi: Emulator) -> None:
    """The dict reaches the wire through `extra_body`, and the model does not think."""
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


def test_openais_effort_levels_have_a_nearest_one() -> None:
    """Only the K3 family has levels; K2 has none."""
    words = ("none", "off", "minimal", "low", "medium", "high", "xhigh", "max", "bogus")
    expected = ["low", "low", "low", "low", "high", "high", "max", "max", None]
    assert [nearest_effort(facts("kimi-k3"), word) for word in words] == expected
    assert nearest_effort(facts("kimi-k2.6"), "low") is None
