"""Text, images, videos, files, prefixes and answers become message dicts.

Pure but for reading a file that was named: nothing is sent. The dicts go into the user's own list, and from there
through `client.py` to Kimi. Source: platform docs, chat page and the guides on vision, file Q&A and partial mode.
"""

from __future__ import annotations

import base64
import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pydantic
from openai.types.chat import (
    ChatCompletion,
    ChatCompletionAssistantMessageParam,
    ChatCompletionContentPartImageParam,
    ChatCompletionContentPartParam,
    ChatCompletionMessage,
    ChatCompletionMessageParam,
    ChatCompletionSystemMessageParam,
)

__all__ = [
    "MessageLike",
    "file_message",
    "image_part",
    "join_partial",
    "partial_message",
    "replay_message",
    "video_part",
]

MessageLike = ChatCompletionMessageParam | ChatCompletionMessage | ChatCompletion | Mapping[str, Any]
"""What may stand for a message: a dict, an SDK message object, or a completion (its first choice's message)."""

Source = str | os.PathLike[str] | bytes

MAX_BODY_BYTES = 100 * 1024 * 1024
"""A request body is at most 100 MB (platform docs, limits)."""

IMAGE_TYPES = frozenset(f"image/{kind}" for kind in ("jpeg", "png", "gif", "webp", "bmp", "heic", "heif"))
VIDEO_TYPES = frozenset(
    f"video/{kind}" for kind in ("mp4", "mpeg", "mov", "quicktime", "avi", "x-msvideo", "x-flv", "mpg", "webm", "wmv")
) | {"video/x-ms-wmv", "video/3gpp"}

SIGNATURES = (
    (0, b"\x89PNG", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (8, b"AVI ", "video/x-msvideo"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"FLV", "video/x-flv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
)
"""First bytes of a file, by offset; the first that fits counts."""


def partial_message(
    prefix: str, *, name: str | None = None, reasoning: str | None = None
) -> ChatCompletionAssistantMessageParam:
    """The message that makes Kimi continue `prefix`; put it last in the list.

    The answer is only the continuation: `join_partial` gives the whole. `name` fixes the speaker of a role play and
    counts as part of the prefix; only with it may `prefix` be "". `reasoning` is the `reasoning_content` that led to
    the prefix, if there was one. Do not combine with `response_format={"type": "json_object"}`. Source: platform docs,
    partial mode guide.

    >>> partial_message("Dear customer,")
    {'role': 'assistant', 'content': 'Dear customer,', 'partial': True}
    """
    if not prefix and not name:
        raise ValueError("partial_message needs a prefix (or a name): Kimi refuses an empty assistant message")
    message: dict[str, Any] = {"role": "assistant", "content": prefix, "partial": True}
    if name is not None:
        message["name"] = name
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    return cast(ChatCompletionAssistantMessageParam, message)


def join_partial(prefix: str, completion: str | MessageLike, *, trim_repeat: bool = True) -> str:
    """The whole answer from the prefix that was sent and the completion that came back.

    A completion that begins with an exact repetition of the prefix (seen from one older model) is not doubled;
    `trim_repeat=False` joins it as it is. A completion without text gives the prefix.

    >>> join_partial("Dear customer,", " hello."), join_partial("Dear customer,", "Dear customer, hello.")
    ('Dear customer, hello.', 'Dear customer, hello.')
    """
    rest = completion if isinstance(completion, str) else replay_message(completion).get("content") or ""
    if not isinstance(rest, str):
        raise TypeError("the completion's content is a list of parts; join_partial joins text")
    return prefix + (rest.removeprefix(prefix) if trim_repeat else rest)


def image_part(image: Source, *, mime_type: str | None = None) -> ChatCompletionContentPartImageParam:
    """A content part that shows Kimi an image: a path, bytes, a data URL, or the `ms://` reference of an uploaded file.

    Bytes and files become a data URL; the type is taken from their first bytes, the file's name, or `mime_type`. Kimi
    reads jpeg, png, gif, webp, bmp, heic and heif. Raises `ValueError` for an http(s) URL (Kimi fetches none), another
    type, an empty file or one that makes the request larger than 100 MB, `FileNotFoundError` for a path where nothing
    is.

    >>> image_part("ms://file_1")
    {'type': 'image_url', 'image_url': {'url': 'ms://file_1'}}
    """
    return {"type": "image_url", "image_url": {"url": _media_url(image, mime_type, IMAGE_TYPES, "image")}}


def video_part(video: Source, *, mime_type: str | None = None) -> ChatCompletionContentPartParam:
    """A content part that shows Kimi a video; takes and raises what `image_part` does.

    Kimi reads mp4, mpeg, mov, avi, x-flv, mpg, webm, wmv and 3gpp. Large ones are better uploaded (`upload_media`).

    >>> video_part("ms://file_2")
    {'type': 'video_url', 'video_url': {'url': 'ms://file_2'}}
    """
    url = _media_url(video, mime_type, VIDEO_TYPES, "video")
    return cast(ChatCompletionContentPartParam, {"type": "video_url", "video_url": {"url": url}})


def file_message(text: str) -> ChatCompletionSystemMessageParam:
    """The message that gives Kimi a file's text (see `extract_text`): one system message per file, before your own.

    >>> file_message("Chapter 1 ...")
    {'role': 'system', 'content': 'Chapter 1 ...'}
    """
    return {"role": "system", "content": text}


def replay_message(message: MessageLike) -> ChatCompletionMessageParam:
    """The dict to append to the history for an answer: an SDK message object, a completion (its first choice), or a
    dict.

    `reasoning_content` (also "") and tool calls stay, which Kimi wants back in a tool loop; nulls and what only the SDK
    knows (`parsed`, `parsed_arguments`, the `index` of a whole call) go. The input is not changed.

    >>> replay_message({"role": "assistant", "content": "ok", "reasoning_content": "", "refusal": None, "parsed": 1})
    {'role': 'assistant', 'content': 'ok', 'reasoning_content': ''}
    """
    fields = _as_dict(message)
    if "role" not in fields and not fields.keys().isdisjoint(("choices", "message")):
        raise TypeError("this is no message; the one of an answer is completion.choices[0].message")
    return cast(ChatCompletionMessageParam, _replayed(fields))


def _as_dict(message: Any) -> Mapping[str, Any]:
    if isinstance(message, Mapping):
        return cast(Mapping[str, Any], message)
    choices = getattr(message, "choices", None)
    if choices:
        message = choices[0].message
    if isinstance(message, pydantic.BaseModel):
        return message.model_dump(mode="json", exclude_none=True, warnings=False, exclude={"parsed"})
    raise TypeError(f"a message is a dict, an SDK message or a completion, not {type(message).__name__}")


def _replayed(message: Mapping[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in message.items() if value is not None and key != "parsed"}
    if kept.get("tool_calls"):
        kept["tool_calls"] = [_replayed_call(call) for call in kept["tool_calls"]]
    elif kept.get("role") == "assistant":
        kept.pop("tool_calls", None)
    return kept


def _plain(value: Any) -> Mapping[str, Any]:
    if isinstance(value, pydantic.BaseModel):
        value = value.model_dump(mode="json", exclude_none=True, warnings=False)
    return cast(Mapping[str, Any], value)


def _replayed_call(call: Any) -> dict[str, Any]:
    fields = _plain(call)
    kept = {key: value for key, value in fields.items() if key != "index" and value is not None}
    if isinstance(kept.get("function"), Mapping):
        kept["function"] = {
            key: value for key, value in kept["function"].items() if key != "parsed_arguments" and value is not None
        }
    return kept


def _media_url(source: Source, mime_type: str | None, allowed: frozenset[str], kind: str) -> str:
    if isinstance(source, str):
        if source[:8].lower().startswith(("http://", "https://")):
            raise ValueError(
                f"Kimi does not fetch {kind} URLs: download it and pass the bytes or the path, or upload it with "
                f"upload_media and pass the ms:// reference ({source[:200]!r})"
            )
        if source.startswith("ms://"):
            return source
        if source.startswith("data:"):
            media_type = source[5:].partition(";")[0].partition(",")[0]
            if not source.partition(",")[2]:
                raise ValueError(f"the {kind} is empty")
            return f"data:{_check_type(media_type, allowed, kind)}{source[5 + len(media_type) :]}"
    content, name = (
        (bytes(source), "") if isinstance(source, bytes | bytearray | memoryview) else read_file(source, kind)
    )
    if not content:
        raise ValueError(f"the {kind} is empty")
    if len(content) * 4 // 3 > MAX_BODY_BYTES:
        raise ValueError(f"the {kind} makes the request larger than 100 MB; upload it with upload_media")
    media_type = _check_type(mime_type or media_type_of(content, name), allowed, kind)
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def read_file(path: str | os.PathLike[str], kind: str) -> tuple[bytes, str]:
    """The bytes and the name of a file, which must be there; of a huge one, a byte more than Kimi takes."""
    file = Path(path).expanduser()
    if os.path.isdir(file) or not os.path.exists(file):  # not Path's own: they fail on a text that is no path at all
        what = "is a folder" if os.path.isdir(file) else "does not exist"
        raise FileNotFoundError(f"the {kind} file {str(path)[:200]!r} {what}")
    with file.open("rb") as reader:
        return reader.read(MAX_BODY_BYTES + 1), file.name


def media_type_of(content: bytes, name: str) -> str | None:
    """The media type that the first bytes show, else the one the name suggests.

    >>> media_type_of(b"GIF89a", "x.png"), media_type_of(b"", "x.png"), media_type_of(b"", "x")
    ('image/gif', 'image/png', None)
    """
    for offset, signature, media_type in SIGNATURES:
        if content[offset : offset + len(signature)] == signature:
            return media_type
    return mimetypes.guess_type(name)[0]


def _check_type(media_type: str | None, allowed: frozenset[str], kind: str) -> str:
    media_type = "image/jpeg" if media_type == "image/jpg" else media_type  # a name that is often used and is none
    if media_type is not None and media_type in allowed:
        return media_type
    known = ", ".join(sorted(name.partition("/")[2] for name in allowed))
    if media_type is None:
        raise ValueError(f"the type of the {kind} is not recognised; pass mime_type=... (Kimi reads {known})")
    raise ValueError(f"Kimi does not read {media_type} as {kind}; it reads {known}")
