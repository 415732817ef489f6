"""Content parts: which kinds are sent, changed or refused."""

from __future__ import annotations

from typing import Any

import pytest

from .bodies import CALLING, HI, K3, RESULT, check_messages, check_refused

EMPTY, TEXT = {"type": "text", "text": ""}, {"type": "text", "text": "x"}
UPLOADED: dict[str, Any] = {
    "role": "user",
    "content": [{"type": "image_url", "image_url": {"url": "ms://f", "detail": "low"}}],
}

CASES = [
    pytest.param(
        [*HI, {"role": "assistant", "content": [EMPTY, TEXT]}],
        [*HI, {"role": "assistant", "content": [TEXT]}],
        ["empty_text"],
        id="an empty part",
    ),
    pytest.param(
        [*HI, {**CALLING, "content": [EMPTY]}, RESULT],
        [*HI, CALLING, RESULT],
        ["empty_text"],
        id="an empty part beside a call",
    ),
    pytest.param(
        [*HI, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}],
        [*HI, {"role": "assistant", "content": [{"type": "text", "text": "no"}]}],
        ["refusal"],
        id="a refusal",
    ),
    pytest.param(
        [{"role": "user", "content": [EMPTY, *UPLOADED["content"]]}], [UPLOADED], ["empty_text"], id="beside an image"
    ),
    pytest.param([UPLOADED], [UPLOADED], [], id="an uploaded image"),
    pytest.param(
        [{"role": "system", "content": [{**TEXT, "prompt_cache_breakpoint": None}]}, *HI],
        [{"role": "system", "content": [TEXT]}, *HI],
        [],
        id="no breakpoint",
    ),
    pytest.param(
        [{"role": "user", "content": [{**UPLOADED["content"][0], "prompt_cache_breakpoint": {"mode": "explicit"}}]}],
        [UPLOADED],
        ["prompt_cache_breakpoint"],
        id="a breakpoint",
    ),
]


@pytest.mark.parametrize(("sent", "expected", "kinds"), CASES)
def test_parts(sent: list[Any], expected: list[Any], kinds: list[str]) -> None:
    """Each part is sent in the form that Kimi accepts."""
    check_messages(K3, sent, expected, kinds)


REFUSED = [
    pytest.param(
        {"type": "image_url", "image_url": {"url": "https://x.y/z.png?secret=1"}},
        "unsupported image url: https://x.y/z.png'",
        id="an image elsewhere",
    ),
    pytest.param({"type": "image_url", "image_url": "HTTP://x.y/z.png"}, "unsupported image url", id="its short form"),
    pytest.param(
        {"type": "video_url", "video_url": {"url": "https://x.y/z.mp4"}},
        "unsupported video url",
        id="a video elsewhere",
    ),
    pytest.param({"type": "file", "file": {"file_id": "f"}}, "no file", id="a file"),
    pytest.param({"type": "input_audio"}, "no audio", id="audio"),
]


@pytest.mark.parametrize(("part", "why"), REFUSED)
def test_a_part_that_kimi_does_not_take_is_refused(part: dict[str, Any], why: str) -> None:
    """The note names the place and the reason, without the query of a URL; the part stays as it was."""
    messages = [{"role": "user", "content": [part]}]
    shaped = check_refused({"messages": messages}, "messages.0.content.0", why)
    assert "secret" not in str(shaped.notes)
    assert shaped.body["messages"] is messages
