"""Scripts: steps, and their text form."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.emulator import (
    Emulator,
    Step,
    call,
    cut,
    error,
    error_event,
    finish,
    parse_script,
    pause,
    say,
    think,
    usage,
)

CASES: dict[str, tuple[str, list[Step]]] = {
    "say": ("say: hello", [say("hello")]),
    "text is say": ("text: hello", [say("hello")]),
    "think": ("think: hm", [think("hm")]),
    "quotes are JSON": ('say: " a\\nb"', [say(" a\nb")]),
    "colons stay": ("say: a: b", [say("a: b")]),
    "call": ('call: add {"a": 1}', [call("add", '{"a": 1}')]),
    "call without arguments": ("call: now", [call("now")]),
    "pause": ("pause: 0.5", [pause(0.5)]),
    "pause forever": ("pause: inf", [pause(float("inf"))]),
    "usage": ("usage: prompt_tokens=3 cached_tokens=1", [usage(prompt_tokens=3, cached_tokens=1)]),
    "error": ("error: it broke", [error("it broke")]),
    "error with status": ("error: 429 a_type Too much", [error("Too much", type="a_type", status=429)]),
    "finish": ("finish: content_filter", [finish("content_filter")]),
    "cut": ("cut:", [cut()]),
    "bare cut": ("cut", [cut()]),
    "clean cut": ("cut: end", [cut("end")]),
    "other separators stay": ("say: a\u2028b\r\nthink: c", [say("a\u2028b"), think("c")]),
    "comments and blanks": ("# note\n\n  say: x  \n", [say("x")]),
}


@pytest.mark.parametrize(("text", "steps"), CASES.values(), ids=CASES)
def test_parse(text: str, steps: list[Step]) -> None:
    """Each line of a script is the step that it names."""
    assert parse_script(text) == steps


@pytest.mark.parametrize("text", ["shout: x", "cut: sideways", "hello", "pause: soon", "usage: a=b"])
def test_parse_refuses(text: str) -> None:
    """A line that is not a step is a ValueError (a TypeError for an unknown count)."""
    with pytest.raises((ValueError, TypeError)):
        parse_script(text)


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [(None, "{}"), ({"q": "ü"}, '{"q":"ü"}'), ("{broken", "{broken")],
    ids=["none", "dict", "raw"],
)
def test_call_arguments(arguments: Any, sent: str) -> None:
    """Arguments are written as compact JSON, and text goes out as it is."""
    assert call("f", arguments).arguments == sent


@pytest.mark.parametrize("script", [(say("a"), error_event()), (42,), ([say("a"), "say: b"],)])
def test_a_script_refuses_what_is_no_step(kimi: Emulator, script: Any) -> None:
    """A fault belongs to `fail`; in a script it would end the request without an answer."""
    with pytest.raises(TypeError, match="is no step of a script"):
        kimi.script(*script)


def test_usage_names() -> None:
    """A count that Kimi does not report is refused."""
    with pytest.raises(TypeError, match="total"):
        usage(total_tokens=3)


def test_a_step_is_no_fault(kimi: Emulator) -> None:
    """The call that mixes them up says so, and not the request that meets it later."""
    step: Any = say("hello")
    with pytest.raises(TypeError, match=r"a Say is no fault; script\(\) takes the steps"):
        kimi.fail(step)
