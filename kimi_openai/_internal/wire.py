"""The shapes of chat answers on the wire, checked once: a value that came becomes an answer of the documented types.

Pure. What an answer can do without (usage, logprobs, reasoning, finish_reason) counts as null if it has a wrong type.
What an answer is made of (choices, message, content, tool calls) raises `WireError` instead. After that no code needs
to check types again. The client, `streaming`, `messages` and `notebook` call it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from .counts import checked_usage, count_of
from .json_values import is_array, is_dict

__all__ = ["WireError", "checked_chunk", "checked_completion", "is_list_of_objects", "is_piece_of_text"]

DICT: Any = dict
LIST: Any = list
"""Not known to type checkers, which would take the parts of such a value for unknown types."""

KINDS: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "text",
    list: "a list",
    dict: "an object",
}


class WireError(ValueError):
    """A part of an answer has a type with which the answer cannot be used.

    `place` is the dotted path of the part, `expected` is what should be there.
    """

    def __init__(self, place: str, expected: str, found: object) -> None:
        self.place, self.expected = place or "the answer", expected
        super().__init__(f"{self.place} is {KINDS.get(type(found), 'something else')} instead of {expected}")


def checked_completion(value: object) -> dict[str, Any]:
    """A chat completion whose parts have the documented types; the value itself if they had them. Raises `WireError`.

    >>> checked_completion({"choices": [{"index": 0, "message": {"reasoning_content": 5}}], "usage": "none"})
    {'choices': [{'index': 0, 'message': {'reasoning_content': None, 'role': 'assistant'}}], 'usage': None}
    """
    return _checked(value, COMPLETION, "", needed=("choices",))


def checked_chunk(value: object) -> dict[str, Any]:
    """A chunk of a streamed completion, like `checked_completion`; it may have no choices, and a choice no delta.

    >>> checked_chunk({"choices": [{"index": 0, "delta": {"content": 1}}]})
    Traceback (most recent call last):
    kimi_openai._internal.wire.WireError: choices.0.delta.content is a number instead of text
    """
    chunk = _checked(value, CHUNK, "")
    return chunk if chunk.get("choices") is not None else {**chunk, "choices": []}


def is_piece_of_text(chunk: Any) -> TypeGuard[dict[str, Any]]:
    """Whether it is like nearly all chunks of a stream: one choice with nothing but text in it.

    `checked_chunk` returns such a chunk as it is; to ask this first takes a fifth of the time.
    """
    if type(chunk) is not DICT or chunk.get("usage") is not None or chunk.get("error") is not None:
        return False
    choices = chunk.get("choices")
    choice: Any = choices[0] if type(choices) is LIST and len(choices) == 1 else None
    if type(choice) is not DICT:
        return False
    index, delta = choice.get("index"), choice.get("delta")
    if type(index) is not int or index < 0 or type(delta) is not DICT:
        return False
    for name, part in delta.items():
        if type(part) is not str or name not in TEXTS:
            return False
    return (
        choice.get("finish_reason") is None
        and choice.get("logprobs") is None
        and choice.get("usage") is None
        and choice.get("message") is None
    )


def is_list_of_objects(value: object) -> TypeGuard[list[dict[str, Any]]]:
    """Whether the value is a list that holds nothing but JSON objects."""
    return is_array(value) and all(map(is_dict, value))


# What each part must be -----------------------------------------------------------------------------------------------

Check = Callable[[Any, str], Any]
"""Takes a part that is not null, and its place; returns it, or what it counts as. Raises `WireError`."""


def _checked(value: object, checks: Mapping[str, Check], place: str, *, needed: tuple[str, ...] = ()) -> dict[str, Any]:
    """An object with its parts checked. Those in `needed` must not be null."""
    if not is_dict(value):
        raise WireError(place, "an object", value)
    changed: dict[str, Any] = {}
    for name, check in checks.items():
        part = value.get(name)
        if part is not None or name in needed:
            found = check(part, f"{place}.{name}" if place else name)
            if found is not part:
                changed[name] = found
    return {**value, **changed} if changed else value


def _object(checks: Mapping[str, Check], *, needed: tuple[str, ...] = ()) -> Check:
    return lambda value, place: _checked(value, checks, place, needed=needed)


def _list(check: Check) -> Check:
    """The check of a list, of which `check` checks each item."""

    def check_list(value: Any, place: str) -> Any:
        if not is_array(value):
            raise WireError(place, "a list", value)
        found = [check(item, f"{place}.{position}") for position, item in enumerate(value)]
        return value if all(new is old for new, old in zip(found, value, strict=True)) else found

    return check_list


def _or_null(is_right: Callable[[Any], bool]) -> Check:
    return lambda value, _: value if is_right(value) else None


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str):
        raise WireError(place, "text", value)
    return value


def _content(value: Any, place: str) -> str:
    """Text; it may come as a list of parts that are texts."""
    if not is_array(value):
        return _text(value, place)
    parts = (part.get("text") if is_dict(part) else part for part in value)
    return "".join(_text(part, f"{place}.{position}") for position, part in enumerate(parts))


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _are_logprobs(value: Any) -> bool:
    return is_dict(value) and all(part is None or is_list_of_objects(part) for part in value.values())


def _function(value: Any, place: str) -> Any:
    function = _checked(value, FUNCTION, place, needed=("name",))
    return function if function.get("arguments") is not None else {**function, "arguments": ""}


def _call(value: Any, place: str) -> Any:
    is_custom = is_dict(value) and is_dict(value.get("custom"))  # an OpenAI call that is no function
    return _checked(value, CALL, place, needed=() if is_custom else ("function",))


def _message(value: Any, place: str) -> Any:
    message = _checked(value, MESSAGE, place)
    return message if message.get("role") is not None else {**message, "role": "assistant"}


def _choice(value: Any, place: str) -> Any:
    return _with_index(_checked(value, CHOICE, place, needed=("message",)), place)


def _chunk_choice(value: Any, place: str) -> Any:
    choice: dict[str, Any] = _checked(value, CHUNK_CHOICE, place)
    if choice.get("delta") is None:
        choice = {**choice, "delta": {}}
    return _with_index(choice, place)


def _with_index(choice: dict[str, Any], place: str) -> dict[str, Any]:
    """The choice, with its position for an index that is none."""
    index = choice.get("index")
    return choice if type(index) is int and index >= 0 else {**choice, "index": int(place.rpartition(".")[2])}


OBJECT, TEXT = _or_null(is_dict), _or_null(_is_text)
USAGE: Check = lambda value, _: checked_usage(value)  # noqa: E731
TEXTS = frozenset(("role", "content", "reasoning_content", "refusal"))

FUNCTION: Mapping[str, Check] = {"name": _text, "arguments": _text}
CALL_PIECE: Mapping[str, Check] = {
    "index": lambda value, _: count_of(value),
    "id": _text,
    "type": TEXT,
    "function": _object(FUNCTION),
    "custom": OBJECT,
}
CALL: Mapping[str, Check] = {**CALL_PIECE, "function": _function}
DELTA: Mapping[str, Check] = {
    "role": TEXT,
    "content": _content,
    "reasoning_content": TEXT,
    "refusal": TEXT,
    "tool_calls": _list(_object(CALL_PIECE)),
    "function_call": OBJECT,
    "audio": OBJECT,
    "annotations": _or_null(is_list_of_objects),
}
MESSAGE: Mapping[str, Check] = {**DELTA, "tool_calls": _list(_call)}
CHUNK_CHOICE: Mapping[str, Check] = {
    "delta": _object(DELTA),
    "message": _message,  # if a whole completion came instead of a stream
    "finish_reason": TEXT,
    "logprobs": _or_null(_are_logprobs),
    "usage": USAGE,
}
CHOICE: Mapping[str, Check] = {**CHUNK_CHOICE, "delta": OBJECT}
CHUNK: Mapping[str, Check] = {"choices": _list(_chunk_choice), "usage": USAGE}
COMPLETION: Mapping[str, Check] = {**CHUNK, "choices": _list(_choice)}
