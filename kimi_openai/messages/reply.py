"""A reply: the answer of Kimi as one value, from which the message to send back and the SDK's completion are made.

Pure, and plain dicts as on the wire. `accumulator` makes replies from the chunks of a stream.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from openai.types.chat import ChatCompletion

from kimi_openai._internal.json_values import Json, as_dict, is_object, to_json
from kimi_openai._internal.wire import WireError, checked_chunk
from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.usage.normalize import with_cached_details

__all__ = ["Reply", "head_of", "reply_of", "sum_usage"]

HEAD_FIELDS = ("id", "created", "model", "system_fingerprint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer, or the part of it that has arrived.

    `reasoning` is None if the answer has no `reasoning_content`. `tool_calls` are dicts as on the wire.
    `finish_reason` is None until the answer is complete. `usage` is the dict of the wire, with `cached_tokens` in
    `prompt_tokens_details` too, None if it did not arrive. `head` holds `id`, `model`, `created` and
    `system_fingerprint`; `extra` holds the other fields of the choice (`logprobs`).
    """

    content: str = ""
    reasoning: str | None = None
    tool_calls: tuple[Json, ...] = ()
    finish_reason: str | None = None
    usage: Json | None = None
    head: Json = field(default_factory=dict[str, Any])
    extra: Json = field(default_factory=dict[str, Any])

    def message(self) -> dict[str, Any]:
        """The message to send back, with the reasoning and the tool calls, which Kimi needs again.

        >>> Reply(content="ok", reasoning="").message()
        {'role': 'assistant', 'content': 'ok', 'reasoning_content': ''}
        """
        message: dict[str, Any] = {"role": "assistant", "content": self.content}
        if self.reasoning is not None:
            message["reasoning_content"] = self.reasoning
        if self.tool_calls:
            message["tool_calls"] = [
                {key: value for key, value in call.items() if key != "index"} for call in self.tool_calls
            ]
        return message

    def completion(self) -> ChatCompletion:
        """The reply as the SDK's object, built without validation, so that a `builtin_function` call is accepted."""
        message = self.message()
        if self.tool_calls:
            message["tool_calls"] = list(self.tool_calls)
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason, **self.extra}
        fields: Any = {"id": "", "created": 0, "model": "", **self.head, "object": "chat.completion"}
        if self.usage is not None:
            fields["usage"] = with_cached_details(self.usage)
        return ChatCompletion.construct(**fields, choices=[choice])


def reply_of(completion: ChatCompletion | Json) -> Reply:
    """The reply in a completion (an SDK object or its JSON): its first choice. Raises `UnexpectedAnswerError` if the
    parts of the completion have other types than documented.

    >>> reply_of({"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}).content
    'ok'
    """
    try:
        fields = checked_chunk(to_json(completion))
    except WireError as error:
        raise UnexpectedAnswerError(f"a chat completion ({error})", completion) from error
    choice = as_dict(next(iter(fields["choices"]), None))
    message = as_dict(choice.get("message"))
    usage: Any = fields.get("usage") or choice.get("usage")
    return Reply(
        content=message.get("content") or "",
        reasoning=message.get("reasoning_content"),
        tool_calls=tuple(message.get("tool_calls") or ()),
        finish_reason=choice.get("finish_reason"),
        usage=with_cached_details(usage) if is_object(usage) else None,
        head=head_of(fields),
        extra={"logprobs": choice["logprobs"]} if choice.get("logprobs") else {},
    )


def head_of(answer: Json) -> dict[str, Any]:
    """The fields that identify a completion or a chunk, those that are there.

    >>> head_of({"id": "chatcmpl-1", "object": "chat.completion", "choices": []})
    {'id': 'chatcmpl-1'}
    """
    return {key: answer[key] for key in HEAD_FIELDS if isinstance(answer.get(key), str | int | float)}


def sum_usage(usages: Iterable[Json | None]) -> dict[str, Any] | None:
    """The sum of usages, details included; None if there is no usage.

    >>> sum_usage([{"total_tokens": 3}, None, {"total_tokens": 4, "cached_tokens": 1}])
    {'total_tokens': 7, 'cached_tokens': 1}
    """
    total: dict[str, Any] | None = None
    for usage in usages:
        if usage is not None:
            total = _added(total or {}, usage)
    return total


def _added(total: Json, usage: Json) -> dict[str, Any]:
    added = dict(total)
    for key, value in usage.items():
        before = added.get(key)
        if is_object(value):
            added[key] = _added(as_dict(before), value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            added[key] = value + (before if isinstance(before, int | float) else 0)
    return added
