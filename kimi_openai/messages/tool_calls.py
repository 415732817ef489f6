"""Repairs tool calls for the history: arguments that are valid JSON, and ids that occur once in a conversation.

Pure. `compat` repairs the histories that callers send, `tools` the calls that Kimi makes.
"""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, cast

from kimi_openai._internal.json_values import as_dict, as_list, is_object
from kimi_openai._internal.surrogates import joined

__all__ = ["CallIds", "arguments_object", "arguments_text", "call_ids", "is_object_text"]


LONGEST_NAME = 56
"""Characters of a function name in a new id. With the number behind it, the id has 64 at most."""


def is_object_text(text: str) -> bool:
    r"""Whether the text is a JSON object by the letter of the standard, as Kimi requires it in the history.

    >>> is_object_text('{"a": 1}'), is_object_text('{"a": "x\ny"}'), is_object_text('{"a": NaN}'), is_object_text("")
    (True, False, False, False)
    """
    try:
        text.encode()
        # numbers stay texts, because Python limits their length
        return isinstance(json.loads(text, parse_constant=_refuse, parse_int=str, parse_float=str), dict)
    except (ValueError, RecursionError):
        return False


def _refuse(word: str) -> None:
    """Refuses `NaN` and `Infinity`, which Python reads although JSON does not have them."""
    raise ValueError(word)


def arguments_object(arguments: str) -> dict[str, Any]:
    r"""The arguments of a call as an object; {} for an empty text.

    Models write JSON that is not quite right: raw newlines inside strings, `NaN` (which becomes a string), a whole
    object as a string, `null` for no arguments. These are read. Raises `ValueError`, with a text for the model, if
    the arguments cannot be read as an object.

    >>> arguments_object('{"a": "x\ny"}'), arguments_object('"{\\"a\\": 1}"'), arguments_object("")
    ({'a': 'x\ny'}, {'a': 1}, {})
    """
    value = _parsed(arguments)
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = _parsed(value)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError("the arguments are not a JSON object")
    return cast("dict[str, Any]", value)


def _parsed(text: str) -> Any:
    try:
        value = json.loads(text.strip().removeprefix("\ufeff") or "{}", strict=False, parse_constant=str)
        canonical = json.dumps(value, ensure_ascii=False)
        return value if canonical == joined(canonical) else json.loads(joined(canonical))
    except RecursionError as error:
        raise ValueError("the arguments are nested too deep") from error
    except ValueError as error:
        raise ValueError(f"the arguments are not valid JSON: {error}") from error


def arguments_text(arguments: object) -> str:
    r"""The arguments as Kimi accepts them in the history: the same text if it is a JSON object, else one that is.

    "{}" if they cannot be read.

    >>> arguments_text('{"a":  1}'), arguments_text('{"a": "x\ny"}'), arguments_text('{"a": '), arguments_text({"a": 1})
    ('{"a":  1}', '{"a": "x\\ny"}', '{}', '{"a": 1}')
    """
    if isinstance(arguments, str) and is_object_text(arguments):
        return arguments
    try:
        text = json.dumps(dict(arguments)) if is_object(arguments) else arguments
        return (
            json.dumps(arguments_object(text), ensure_ascii=False, allow_nan=False) if isinstance(text, str) else "{}"
        )
    except (ValueError, TypeError, RecursionError):
        return "{}"


def call_ids(messages: Iterable[Any]) -> Iterator[str]:
    """The ids of the tool calls in these messages, in order.

    >>> list(call_ids([{"role": "assistant", "tool_calls": [{"id": "a_0"}]}, {"role": "user", "content": "Hi"}]))
    ['a_0']
    """
    for message in map(as_dict, messages):
        for call in as_list(message.get("tool_calls")):
            id = as_dict(call).get("id")
            if isinstance(id, str):
                yield id


class CallIds:
    """Gives each call of a conversation a unique id: 400 'tool call id ... is duplicated'.

    `used` are the ids of the calls before.

    >>> ids = CallIds(used=["add_0"])
    >>> ids.claim("add_0", "add"), ids.claim("x", "add"), ids.claim(None, "add"), ids.claim(None, "fs.add")
    ('add_1', 'x', 'add_2', 'fs_add_0')
    """

    def __init__(self, used: Iterable[str] = ()) -> None:
        self._used = set(used)
        self._taken = set(self._used)
        self._numbers: dict[str, Iterator[int]] = {}

    def reserve(self, ids: Iterable[str]) -> None:
        """Keeps the ids of calls that are still to come for them."""
        self._taken.update(ids)

    def claim(self, id: object, name: str) -> str:
        """The id itself if no call before has it, else the next free one in Kimi's own form, `name_N`.

        It has only letters, digits, "_" and "-", 64 of them at most, as the ids that Moonshot's own client makes: which
        others the service accepts is not known.
        """
        if not isinstance(id, str) or not id or id in self._used:
            name = re.sub("[^a-zA-Z0-9_-]", "_", name)[:LONGEST_NAME]
            numbers = self._numbers.setdefault(name, count())
            id = next(free for number in numbers if (free := f"{name}_{number}") not in self._taken)
        self._used.add(id)
        self._taken.add(id)
        return id
