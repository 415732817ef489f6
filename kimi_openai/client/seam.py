"""What the faster methods of `client.chat.completions` and of `client.responses` share: where the SDK's own is, and how
an argument gets around the SDK's conversion of typed dicts.

The SDK converts its arguments one by one, which for long histories costs a hundred times the rest of a call. It merges
`extra_body` into the body without conversion. Tracing tools replace methods of the SDK's classes: then each call goes
to the replacement, with the caller's own arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import FunctionType
from typing import Any

import openai
import pydantic

from kimi_openai._internal.json_values import is_object

__all__ = ["class_method", "is_list", "is_off", "merged", "moved_arguments"]


def class_method(resource: Any, name: str) -> tuple[Callable[..., Any], bool]:
    """The method that the object's class has now, and whether it is the SDK's own function, not a replacement."""
    kind: Any = resource.__class__
    function: Any = next(base.__dict__[name] for base in kind.__mro__ if name in base.__dict__)
    method = function.__get__(resource, kind) if hasattr(function, "__get__") else function
    return method, type(function) is FunctionType and _defining_package(function) == openai.__name__


def _defining_package(function: FunctionType) -> str:
    """Where the function was written, whatever `functools.wraps` copied to it. (Its file name is another one in frozen
    programs.)"""
    return str(function.__globals__.get("__name__")).partition(".")[0]


def moved_arguments(client: Any, options: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """The arguments with the lists of these names in `extra_body`, as the caller passed them. Values that the caller
    put there win, as in the SDK.

    The model is moved too: its type is a union with every id of OpenAI's, which the SDK hashes several times. With
    `compat="off"` the arguments stay as they are.
    """
    extra = options.get("extra_body")
    if is_off(client) or not (extra is None or isinstance(extra, Mapping)):
        return options
    moved = {name: options[name] for name in names if is_list(options.get(name))}
    if not moved:
        return options
    if isinstance(options.get("model"), str):
        moved["model"] = options["model"]
    return {**options, **dict.fromkeys(moved, openai.omit), "extra_body": {**moved, **(extra or {})}}


def merged(body: Any, options: Any) -> tuple[Any, Any]:
    """The whole body, where a wrapper of `post` or `request` looks for it, and the options without `extra_json`."""
    extra = options.get("extra_json")
    if not (is_object(body) and is_object(extra)):
        return body, options
    return {**body, **extra}, {name: value for name, value in options.items() if name != "extra_json"}


def is_list(value: object) -> bool:
    """Whether the SDK would convert the items of the value one by one."""
    return isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping | pydantic.BaseModel)


def is_off(client: Any) -> bool:
    """Whether the client sends requests as they are."""
    return getattr(getattr(client, "kimi_options", None), "compat", "adapt") == "off"
