"""Chunks or a completion become one reply; a reply becomes a completion or the message to send back.

Pure, and plain dicts as they stand on the wire: what nobody looks at is never made into an object. From here a reply
goes into the user's own list of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from typing import Any, cast

import pydantic
from openai.types.chat import ChatCompletion

__all__ = ["Fold", "Reply", "fold", "reply_of", "sum_usage", "usage_of"]

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What Kimi answered, or as much of it as has come.

    `reasoning` is `None` where the answer has no `reasoning_content` at all. `tool_calls` are dicts as on the wire.
    `finish_reason` is `None` until the answer is whole. `usage` is the dict of the wire, `None` if it did not come.
    `head` holds what names the answer (`id`, `model`, `created`), `extra` what else the choice had (`logprobs`).
    """

    content: str = ""
    reasoning: str | None = None
    tool_calls: tuple[Json, ...] = ()
    finish_reason: str | None = None
    usage: Json | None = None
    head: Json = field(default_factory=dict[str, Any])
    extra: Json = field(default_factory=dict[str, Any])

    def message(self) -> dict[str, Any]:
        """The message to send back, with the reasoning and the tool calls that Kimi wants to see again.

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
        """The same as the SDK's object, built as loosely as the SDK builds it (a `builtin_function` call passes)."""
        message = self.message()
        if self.tool_calls:
            message["tool_calls"] = list(self.tool_calls)
        choice = {"index": 0, "message": message, "finish_reason": self.finish_reason, **self.extra}
        whole: Any = {"id": "", "created": 0, "model": "", **self.head, "object": "chat.completion"}
        return ChatCompletion.construct(**whole, choices=[choice], usage=self.usage)


def reply_of(completion: ChatCompletion | Json) -> Reply:
    """The reply in a completion, an SDK object or its JSON: its first choice.

    >>> reply_of({"choices": [{"message": {"content": "ok"}, "finish_reason": "stop"}]}).content
    'ok'
    """
    whole = _as_dict(completion)
    choices: list[Json] = whole.get("choices") or [NOTHING]
    choice, message = choices[0], _object(choices[0], "message")
    return Reply(
        content=message.get("content") or "",
        reasoning=message.get("reasoning_content"),
        tool_calls=tuple(message.get("tool_calls") or ()),
        finish_reason=choice.get("finish_reason"),
        usage=usage_of(whole),
        head={key: whole[key] for key in HEAD if whole.get(key) is not None},
        extra={"logprobs": choice["logprobs"]} if choice.get("logprobs") else {},
    )


def usage_of(answer: Any) -> Json | None:
    """The usage of a chunk or a completion, a dict or an SDK object, wherever it is: a stream of Kimi's has it inside
    `choices[0]` of its last chunk, a completion at the top.

    >>> usage_of({"choices": [{"delta": {}, "finish_reason": "stop", "usage": {"total_tokens": 3}}]})
    {'total_tokens': 3}
    """
    whole = _as_dict(answer)
    choices = whole.get("choices")
    return whole.get("usage") or (choices[0].get("usage") if choices else None)


def sum_usage(usages: Iterable[Json | None]) -> dict[str, Any] | None:
    """Usages added up, details too; `None` if there is none to add.

    >>> sum_usage([{"total_tokens": 3}, None, {"total_tokens": 4, "cached_tokens": 1}])
    {'total_tokens': 7, 'cached_tokens': 1}
    """
    total: dict[str, Any] | None = None
    for usage in usages:
        if usage is not None:
            total = _added(total or {}, usage)
    return total


class Fold:
    """Chunks on their way to becoming a reply; `add` takes one as a dict, in about a microsecond."""

    __slots__ = ("_content", "_logprobs", "_reasoning", "calls", "finish_reason", "head", "size", "usage")

    def __init__(self) -> None:
        self._content = StringIO()
        self._reasoning: StringIO | None = None
        self._logprobs: dict[str, list[Any]] = {}
        self.calls: dict[int, dict[str, Any]] = {}
        self.finish_reason: str | None = None
        self.usage: Json | None = None
        self.head: Json = {}
        self.size = 0
        """How many pieces of text and arguments have come: no more than the tokens they stand for."""

    def add(self, chunk: Json) -> None:
        """Take one chunk."""
        if not self.head:
            self.head = {key: chunk[key] for key in HEAD if chunk.get(key) is not None}
        choices = chunk.get("choices")
        if not choices:
            self.usage = chunk.get("usage") or self.usage
            return
        choice = choices[0]
        delta = choice.get("delta")
        if delta:
            self._add(delta)
        if choice.get("finish_reason"):
            self.finish_reason = choice["finish_reason"]
            self.usage = choice.get("usage") or chunk.get("usage") or self.usage
        if choice.get("logprobs"):
            for key, tokens in choice["logprobs"].items():
                self._logprobs.setdefault(key, []).extend(tokens or ())

    def _add(self, delta: Json) -> None:
        content = delta.get("content")
        if content:
            self._content.write(content)
            self.size += 1
        reasoning = delta.get("reasoning_content")
        if reasoning is not None:
            if self._reasoning is None:
                self._reasoning = StringIO()
            self._reasoning.write(reasoning)
            self.size += 1 if reasoning else 0
        for position, call in enumerate(delta.get("tool_calls") or ()):
            self._add_call(call, position)

    def _add_call(self, piece: Json, position: int) -> None:
        index = piece.get("index", position)
        function = _object(piece, "function")
        call = self.calls.get(index)
        if call is None:
            call = self.calls[index] = {"index": index, "id": "", "type": "function", "name": "", "pieces": StringIO()}
        for key, value in (("id", piece.get("id")), ("type", piece.get("type")), ("name", function.get("name"))):
            if value:
                call[key] = value
        call["pieces"].write(function.get("arguments") or "")
        self.size += 1

    def go_on(self) -> None:
        """What was added stays, and the rest comes in another answer, with a head, finish reason and usage of its
        own."""
        self.head, self.finish_reason, self.usage = {}, None, None

    @property
    def content(self) -> str:
        """The text so far."""
        return self._content.getvalue()

    @property
    def length(self) -> int:
        """How many characters of text there are."""
        return self._content.tell()

    @property
    def reasoning(self) -> str | None:
        """The reasoning so far, `None` if the answer has none."""
        return None if self._reasoning is None else self._reasoning.getvalue()

    def reply(self) -> Reply:
        """The reply so far."""
        calls = sorted(self.calls.values(), key=lambda call: call["index"])
        return Reply(
            content=self.content,
            reasoning=self.reasoning,
            tool_calls=tuple(map(_whole_call, calls)),
            finish_reason=self.finish_reason,
            usage=self.usage,
            head=self.head,
            extra={"logprobs": self._logprobs} if self._logprobs else {},
        )


def fold(chunks: Iterable[Any]) -> Reply:
    """The reply that a stream's chunks make, given as dicts or as SDK objects.

    >>> fold([{"choices": [{"delta": {"content": "o"}}]}, {"choices": [{"delta": {"content": "k"}}]}]).content
    'ok'
    """
    folded = Fold()
    for chunk in chunks:
        folded.add(_as_dict(chunk))
    return folded.reply()


HEAD = ("id", "created", "model", "system_fingerprint")
NOTHING: Json = {}


def _object(holder: Json, key: str) -> Json:
    return cast(Json, holder.get(key) or NOTHING)


def _as_dict(value: Any) -> Json:
    if isinstance(value, pydantic.BaseModel):
        return value.model_dump(mode="json", exclude_none=True, warnings=False)
    return cast(Json, value)


def _whole_call(call: Json) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": call["pieces"].getvalue()}
    return {"index": call["index"], "id": call["id"], "type": call["type"], "function": function}


def _added(total: dict[str, Any], usage: Json) -> dict[str, Any]:
    added = dict(total)
    for key, value in usage.items():
        before = added.get(key)
        if isinstance(value, Mapping):
            added[key] = _added(before or {}, cast(Json, value))
        elif isinstance(value, int | float):
            added[key] = (before or 0) + value
    return added
