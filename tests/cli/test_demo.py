"""The demo: both sides of every step, on an emulator of its own, whatever this machine's settings are."""

from __future__ import annotations

import re

import pytest

from kimi_openai.cli.demo_page import next_commands

from .conftest import Run, completed

STEPS = (
    ("BadRequestError: 400 invalid temperature", "changed: messages.0.role: sent as 'system'"),
    (
        "The Moon pulls the sea,\n    finish_reason: None",
        "come and go.\n    finish_reason: stop\n    resumed: 2",
    ),
    ("400 tool_choice 'specified' is incompatible", "It is warmer in Paris"),
    (" of 20 answered", "20 of 20 answered\n    0 requests refused with 429\n    once more: 20 found, 0 asked"),
    ("102 tokens", "26 calls, $"),
)
"""What the two sides of each step show."""


def test_each_step_shows_before_and_after(run: Run) -> None:
    """The SDK is refused or loses something and this package is not; no proxy, option or key of this machine counts."""
    proxy = "http://127.0.0.1:9"
    own = {"MOONSHOT_API_KEY": run.kimi.api_key, "MOONSHOT_BASE_URL": run.kimi.base_url}
    done = completed("demo", HTTP_PROXY=proxy, ALL_PROXY=proxy, KIMI_COMPAT="strict", **own)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    first, *steps = re.split(r"\n\n[1-9]\. ", done.stdout)
    assert "local emulator" in first
    for step, shown in zip(steps, STEPS, strict=True):
        sides = step.split("  after: kimi_openai\n")
        assert [text in side for text, side in zip(shown, sides, strict=True)] == [True, True], step
    assert "20 of 20" not in steps[3].split("  after: ")[0]
    assert done.stdout.endswith(' chat "What is 1+1?"\n')
    assert run.kimi.requests == []


def test_it_ends_with_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    """A question; before it, where a key is made, or `doctor` for settings that cannot work."""
    *make_key, ask = next_commands("kimi-openai")
    assert ask == 'kimi-openai chat "What is 1+1?"'
    assert ["platform.kimi.ai" in make_key[0], "platform.kimi.com" in make_key[1]] == [True, True]
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-1")
    assert next_commands("kimi-openai") == [ask]
    monkeypatch.setenv("MOONSHOT_BASE_URL", "no address")
    assert next_commands("kimi-openai")[0].startswith("kimi-openai doctor")
