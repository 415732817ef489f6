"""messages.py: what becomes a message, and what an answer looks like when it is sent back."""

from __future__ import annotations

import base64
import copy
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletion, ChatCompletionMessage
from openai.types.chat.chat_completion import Choice

from kimi_openai import file_message, image_part, join_partial, partial_message, replay_message, video_part
from kimi_openai import messages as room
from kimi_openai.emulator import Emulator, call, think

from .conftest import Mode

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()


def test_partial_messages() -> None:
    """The flag sits on the message; a name may stand alone, an empty prefix may not."""
    assert partial_message("{") == {"role": "assistant", "content": "{", "partial": True}
    assert partial_message("", name="Kelsier") == {
        "role": "assistant",
        "content": "",
        "partial": True,
        "name": "Kelsier",
    }
    assert partial_message("a", reasoning="r")["reasoning_content"] == "r"  # type: ignore[typeddict-item]
    with pytest.raises(ValueError, match="needs a prefix"):
        partial_message("")


def test_partial_mode_continues_a_prefix(mode: Mode, kimi: Emulator) -> None:
    """The message arrives as it is, the answer is the rest, and joined they are whole."""
    prefix = partial_message("Dear customer,")
    answer = mode.run(
        mode.client(kimi).chat.completions.create(
            model="kimi-k3", messages=[{"role": "user", "content": "Write"}, prefix]
        )
    )
    assert kimi.chats[-1]["messages"][-1] == prefix
    whole = join_partial("Dear customer,", answer)
    assert whole == "Dear customer," + answer.choices[0].message.content


JOINS = {
    "continuation": ("Hi", " there", {}, "Hi there"),
    "repetition": ("Hi", "Hi! I am Kimi", {}, "Hi! I am Kimi"),
    "repetition kept": ("1", "1 apples", {"trim_repeat": False}, "11 apples"),
    "no prefix": ("", "all", {}, "all"),
    "nothing came": ("Hi", {"role": "assistant", "content": None}, {}, "Hi"),
    "a dict": ("Hi", {"role": "assistant", "content": "!"}, {}, "Hi!"),
    "an object": ("Hi", ChatCompletionMessage(role="assistant", content="!"), {}, "Hi!"),
}


@pytest.mark.parametrize(("prefix", "rest", "options", "whole"), JOINS.values(), ids=JOINS)
def test_joining(prefix: str, rest: Any, options: dict[str, bool], whole: str) -> None:
    """Seamless, and an exact repetition of the prefix is not doubled."""
    assert join_partial(prefix, rest, **options) == whole


def test_images_become_data_urls_or_references(tmp_path: Path) -> None:
    """Path, bytes, data URL and ms:// reference; content decides over the file's name."""
    (tmp_path / "photo.jpg").write_bytes(PNG)
    for source in (tmp_path / "photo.jpg", str(tmp_path / "photo.jpg"), PNG, PNG_URL):
        assert image_part(source) == {"type": "image_url", "image_url": {"url": PNG_URL}}
    assert image_part("ms://file_1")["image_url"] == {"url": "ms://file_1"}
    assert image_part("data:image/jpg;base64,AA==")["image_url"] == {"url": "data:image/jpeg;base64,AA=="}
    heic = image_part(b"??", mime_type="image/heic")["image_url"]["url"]
    assert heic.startswith("data:image/heic;base64,")


def test_videos_become_their_own_kind_of_part() -> None:
    """`video_url`, with the type from the content."""
    part: Any = video_part(b"\x00\x00\x00\x18ftypmp42")
    assert part["type"] == "video_url"
    assert part["video_url"]["url"].startswith("data:video/mp4;base64,")


BAD_MEDIA: dict[str, tuple[Any, type[Exception], str]] = {
    "http": ("http://a.example/cat.png", ValueError, "does not fetch image URLs: download it"),
    "https": ("https://a.example/cat.png", ValueError, "upload_media"),
    "no file": ("cat.png", FileNotFoundError, "does not exist"),
    "base64 alone": ("iVBORw0KGgo" * 500, FileNotFoundError, "does not exist"),
    "shouted": ("HTTPS://a.example/cat.png", ValueError, "does not fetch image URLs"),
    "empty": (b"", ValueError, "is empty"),
    "empty data URL": ("data:image/png;base64,", ValueError, "is empty"),
    "svg": ("data:image/svg+xml;base64,AAAA", ValueError, "does not read image/svg+xml"),
    "a video": (b"\x00\x00\x00\x18ftypmp42", ValueError, "does not read video/mp4 as image"),
    "unknown": (b"hello", ValueError, "pass mime_type"),
}


@pytest.mark.parametrize(("source", "kind", "words"), BAD_MEDIA.values(), ids=BAD_MEDIA)
def test_bad_images_say_what_to_do(source: Any, kind: type[Exception], words: str) -> None:
    """An http URL, a missing or empty file, and types Kimi does not read."""
    with pytest.raises(kind, match=words.replace("+", r"\+")):
        image_part(source)


def test_an_image_too_large_for_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is that of the request, so base64 counts."""
    monkeypatch.setattr(room, "MAX_BODY_BYTES", len(PNG))
    with pytest.raises(ValueError, match="larger than 100 MB; upload it"):
        image_part(PNG)


def test_a_file_is_a_system_message() -> None:
    """Verbatim."""
    assert file_message('{"content": "…"}') == {"role": "system", "content": '{"content": "…"}'}


ANSWERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "nulls go": (
        {
            "role": "assistant",
            "content": "a",
            "refusal": None,
            "audio": None,
            "function_call": None,
            "tool_calls": None,
        },
        {"role": "assistant", "content": "a"},
    ),
    "empty reasoning stays": (
        {"role": "assistant", "content": "a", "reasoning_content": ""},
        {"role": "assistant", "content": "a", "reasoning_content": ""},
    ),
    "no calls, no list": (
        {"role": "assistant", "content": "a", "tool_calls": []},
        {"role": "assistant", "content": "a"},
    ),
    "calls stay, without index": (
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"index": 0, "id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {
            "role": "assistant",
            "tool_calls": [{"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
    ),
    "parsed goes": (
        {
            "role": "assistant",
            "content": "{}",
            "parsed": {},
            "tool_calls": [
                {"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}", "parsed_arguments": {}}}
            ],
        },
        {
            "role": "assistant",
            "content": "{}",
            "tool_calls": [{"id": "f_0", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
    ),
    "a tool message": (
        {"role": "tool", "tool_call_id": "f_0", "content": "1"},
        {"role": "tool", "tool_call_id": "f_0", "content": "1"},
    ),
    "a partial message": (
        {"role": "assistant", "content": "a", "partial": True},
        {"role": "assistant", "content": "a", "partial": True},
    ),
}


@pytest.mark.parametrize(("answer", "message"), ANSWERS.values(), ids=ANSWERS)
def test_replaying_dicts_and_objects(answer: dict[str, Any], message: dict[str, Any]) -> None:
    """What Kimi wants back stays, the rest goes, and what was passed is not changed."""
    before = copy.deepcopy(answer)
    assert replay_message(answer) == message
    assert answer == before
    if answer["role"] == "assistant":
        assert replay_message(ChatCompletionMessage.construct(**copy.deepcopy(answer))) == message


def test_a_tool_loop_with_reasoning(mode: Mode, kimi: Emulator) -> None:
    """K2.6 wants its reasoning back beside the calls; the replayed completion satisfies it."""
    client = mode.client(kimi)
    kimi.script(think("I need the weather"), call("get_weather", {"city": "Paris"}))
    tool: Any = {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
    history: list[Any] = [{"role": "user", "content": "Weather in Paris?"}]
    answer: ChatCompletion = mode.run(client.chat.completions.create(model="kimi-k2.6", messages=history, tools=[tool]))
    assert answer.choices[0].message.tool_calls
    history += [
        replay_message(answer),
        {"role": "tool", "tool_call_id": answer.choices[0].message.tool_calls[0].id, "content": "sunny"},
    ]
    final = mode.run(client.chat.completions.create(model="kimi-k2.6", messages=history, tools=[tool]))
    sent = kimi.chats[-1]["messages"][1]
    assert sent["reasoning_content"] == "I need the weather"
    assert sorted(sent["tool_calls"][0]) == ["function", "id", "type"]
    assert "sunny" in final.choices[0].message.content


def test_what_is_no_message_is_a_type_error() -> None:
    """Before anything is sent."""
    with pytest.raises(TypeError, match="not int"):
        replay_message(3)  # type: ignore[arg-type]
    completion = ChatCompletion.construct(choices=[])
    for no_message in (
        completion,
        completion.model_dump(),
        Choice.construct(message=ChatCompletionMessage.construct()),
    ):
        with pytest.raises(TypeError, match=r"completion\.choices\[0\]\.message"):
            replay_message(no_message)  # type: ignore[arg-type]
