"""Builders of message dicts: partial messages, images, videos, file texts, and answers to send back.

Nothing is sent from here; the caller puts the dicts into a list of messages. `media` reads the images and videos.
Source: platform docs, chat page and the guides on vision, file Q&A and partial mode.
"""

from __future__ import annotations

from collections.abc import Mapping
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

from kimi_openai._internal.json_values import Json, dump_model, is_object, to_json

from .media import MediaSource, media_url

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
"""Anything that can be sent as a message: a dict, an SDK message object, or a completion (its first choice)."""


def partial_message(
    prefix: str, *, name: str | None = None, reasoning: str | None = None
) -> ChatCompletionAssistantMessageParam:
    """The message that makes Kimi continue `prefix`; put it last in the list.

    The answer is only the continuation; `join_partial` returns the whole. `name` fixes the speaker of a role play and
    counts as part of the prefix. `reasoning` is the `reasoning_content` that led to the prefix, if there was one. Do
    not combine it with `response_format={"type": "json_object"}`. Raises `ValueError` if `prefix` is empty and there is
    no `name`. Source: platform docs, partial mode guide.

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
    """The whole answer: the prefix that was sent, followed by the completion that came back.

    If the completion repeats the prefix at its beginning (one older model did), the repetition is dropped, unless
    `trim_repeat` is False. The result is the prefix if the completion has no text. Raises `TypeError` if the content is
    a list of parts.

    >>> join_partial("Dear customer,", " hello."), join_partial("Dear customer,", "Dear customer, hello.")
    ('Dear customer, hello.', 'Dear customer, hello.')
    """
    rest = completion if isinstance(completion, str) else replay_message(completion).get("content") or ""
    if not isinstance(rest, str):
        raise TypeError("the completion's content is a list of parts; join_partial joins text")
    return prefix + (rest.removeprefix(prefix) if trim_repeat else rest)


def image_part(image: MediaSource, *, mime_type: str | None = None) -> ChatCompletionContentPartImageParam:
    """A content part that shows Kimi an image: a path, bytes, a data URL, or the `ms://` reference of an uploaded file.

    Bytes and files become a data URL; the type comes from `mime_type`, else from the first bytes or the file name. Kimi
    reads jpeg, png, gif, webp, bmp, heic and heif. Raises `ValueError` for an http(s) URL (Kimi does not fetch it), a
    type that Kimi does not read, an empty file, or a file that makes the request larger than 100 MB; raises
    `FileNotFoundError` if there is no file at the path. Source: platform docs, vision guide.

    >>> image_part("ms://file_1")
    {'type': 'image_url', 'image_url': {'url': 'ms://file_1'}}
    """
    return {"type": "image_url", "image_url": {"url": media_url(image, "image", mime_type)}}


def video_part(video: MediaSource, *, mime_type: str | None = None) -> ChatCompletionContentPartParam:
    """A content part that shows Kimi a video. Takes the same sources as `image_part` and raises the same errors.

    Kimi reads mp4, mpeg, mov, avi, x-flv, mpg, webm, wmv and 3gpp. Upload large videos with `upload_media` instead.
    Source: platform docs, vision guide.

    >>> video_part("ms://file_2")
    {'type': 'video_url', 'video_url': {'url': 'ms://file_2'}}
    """
    part = {"type": "video_url", "video_url": {"url": media_url(video, "video", mime_type)}}
    return cast(ChatCompletionContentPartParam, part)  # the SDK has no type for video parts


def file_message(text: str) -> ChatCompletionSystemMessageParam:
    """The system message that shows Kimi the text of a file (see `extract_text`).

    Use one message per file and put it before your own messages. Kimi refuses the message of a file without text (a
    PDF that has only images), so the clients leave that out, with a note. Source: platform docs, file Q&A guide.

    >>> file_message("Chapter 1 ...")
    {'role': 'system', 'content': 'Chapter 1 ...'}
    """
    return {"role": "system", "content": text}


def replay_message(message: MessageLike) -> ChatCompletionMessageParam:
    """The dict to append to the messages for an answer: an SDK message object, a completion (its first choice), or a
    dict.

    Keeps `reasoning_content` (also if it is "") and the tool calls, which Kimi needs again in a tool loop. Drops nulls
    and the fields that only the SDK knows: `parsed`, `parsed_arguments`, and the `index` of a tool call. Does not
    change the input. Raises `TypeError` for any other object. Source: platform docs, chat page and tool calls guide.

    >>> replay_message({"role": "assistant", "content": "ok", "reasoning_content": "", "refusal": None, "parsed": 1})
    {'role': 'assistant', 'content': 'ok', 'reasoning_content': ''}
    """
    fields = _as_dict(message)
    if "role" not in fields and not fields.keys().isdisjoint(("choices", "message")):
        raise TypeError("this is not a message; the message of an answer is completion.choices[0].message")
    return cast(ChatCompletionMessageParam, _replayed_message(fields))


def _as_dict(message: Any) -> Json:
    if is_object(message):
        return message
    choices = getattr(message, "choices", None)
    if choices:
        message = choices[0].message
    if isinstance(message, pydantic.BaseModel):
        return dump_model(message, exclude=frozenset(("parsed",)))
    raise TypeError(f"a message is a dict, an SDK message or a completion, not {type(message).__name__}")


def _replayed_message(message: Json) -> dict[str, Any]:
    kept = _without(message, "parsed")
    if kept.get("tool_calls"):
        kept["tool_calls"] = [_replayed_call(to_json(call)) for call in kept["tool_calls"]]
    elif kept.get("role") == "assistant":
        kept.pop("tool_calls", None)
    return kept


def _replayed_call(call: Json) -> dict[str, Any]:
    kept = _without(call, "index")
    if is_object(kept.get("function")):
        kept["function"] = _without(kept["function"], "parsed_arguments")
    return kept


def _without(fields: Json, name: str) -> dict[str, Any]:
    """The fields without nulls and without the one named."""
    return {key: value for key, value in fields.items() if value is not None and key != name}
