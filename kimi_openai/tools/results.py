"""The results of tools as text for the model. Pure; there is a text for every result and for every exception.

`turn` puts the texts into messages.
"""

from __future__ import annotations

import base64
import builtins
import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, cast

import pydantic
import pydantic_core

from kimi_openai._internal.json_values import Json, is_object
from kimi_openai._internal.surrogates import joined

__all__ = ["Output", "described", "error_text", "result_text", "text_of"]

BYTES = bytes | bytearray | memoryview

DEEPEST = 100
"""Levels of nesting that a result keeps if it cannot be sent as it is."""

MOST_IN_GROUP = 10
"""How many exceptions of a group the model is told."""


class Output(str):
    """A text for the model, with what the run takes from the call: sources, and tools that were found."""

    references: tuple[Any, ...]
    tools: tuple[Any, ...]

    def __new__(cls, text: str, *, references: Iterable[Any] = (), tools: Iterable[Any] = ()) -> Output:
        output = super().__new__(cls, joined(text))
        output.references, output.tools = tuple(references), tuple(tools)
        return output


def result_text(result: object) -> str:
    r"""The result of a tool as text: a string and bytes of text as they are, anything else as JSON.

    What JSON cannot express becomes the nearest text: the JSON of numpy's scalars and arrays, "NaN", base64 for other
    bytes, `str` of unknown objects, "(circular)" and "(nested too deep)" in place of what has no end.

    >>> result_text("sunny"), result_text({"é": float("nan")}), result_text(None), result_text(b"ok")
    ('sunny', '{"é":"NaN"}', 'null', 'ok')
    >>> loop = [1]; loop.append(loop); result_text([loop, "\ud800"])
    '[[1,"(circular)"],"�"]'
    """
    if isinstance(result, Output):
        return result
    if isinstance(result, str):
        return joined(str.__str__(result))
    if isinstance(result, BYTES):
        return _bytes_text(cast(Any, result))
    if isinstance(result, Iterator):  # can be read once, and may raise
        result = list(cast("Iterator[object]", result))
    try:
        return _json(result)
    except Exception:
        return _json(_plain(result, ()))


def _json(value: object) -> str:
    return pydantic_core.to_json(value, fallback=_known, inf_nan_mode="strings").decode()


def _known(value: Any) -> object:
    """An object that pydantic does not know: what `tolist` returns (numpy), or its text."""
    to_list = getattr(value, "tolist", None)
    found: object = to_list() if callable(to_list) else None
    return cast(object, found) if isinstance(found, str | int | float | list) else text_of(value)


def text_of(value: object) -> str:
    """The `str` of an object, also of one that has none."""
    try:
        return joined(str(value))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return f"({type(value).__name__} without a text)"


def _bytes_text(value: Any) -> str:
    data = bytes(value)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return base64.b64encode(data).decode()


def _plain(value: Any, parents: tuple[int, ...]) -> object:
    """The value as plain JSON. Slower than pydantic, and never fails."""
    if isinstance(value, str | BYTES):
        return result_text(cast(object, value))
    if isinstance(value, Iterator):
        return "(an iterator that was read already)"
    items = _items(value)
    if items is None:
        return _scalar(value)
    if id(value) in parents:
        return "(circular)"
    if len(parents) >= DEEPEST:
        return "(nested too deep)"
    inner = (*parents, id(value))
    if is_object(items):
        return {text_of(name): _plain(each, inner) for name, each in items.items()}
    return [_plain(each, inner) for each in items]


def _items(value: Any) -> Json | Iterable[Any] | None:
    """What is inside a mapping, a list, a set, a model or a dataclass; None if nothing is."""
    if isinstance(value, Mapping | list | tuple | set | frozenset):
        return cast("Json | Iterable[Any]", value)
    if isinstance(value, pydantic.BaseModel):
        return dict(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {each.name: getattr(value, each.name, None) for each in dataclasses.fields(value)}
    return None


def _scalar(value: Any) -> object:
    try:
        return pydantic_core.from_json(_json(value))
    except Exception:
        return text_of(value)


GROUPS: Any = getattr(builtins, "BaseExceptionGroup", ())
"""The class of exception groups; none before Python 3.11."""


def error_text(error: BaseException) -> str:
    """An exception as text for the model, with those that are in it if it is a group.

    >>> error_text(ValueError("no such city")), error_text(StopIteration())
    ('Error: ValueError: no such city', 'Error: StopIteration')
    """
    inner = islice(_leaves(error), MOST_IN_GROUP) if isinstance(error, GROUPS) else ()
    return "; ".join([f"Error: {described(error)}", *map(described, inner)])


def described(error: BaseException) -> str:
    """The class and the text of an exception.

    >>> described(KeyError("a"))
    "KeyError: 'a'"
    """
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _leaves(error: Any) -> Iterator[BaseException]:
    """The exceptions in a group, however it is nested."""
    if isinstance(error, GROUPS):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
