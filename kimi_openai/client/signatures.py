"""What `inspect.signature`, `help()` and tab completion show for functions that pass their keywords on to the SDK.

The parameters are read from the installed SDK. Type checkers do not look here: they read the types in `options.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import fields
from inspect import Parameter, signature
from typing import Any, TypeVar

import openai

from .options import Options, SharedOptions

__all__ = ["option_parameters", "shows_parameters_of"]

Function = TypeVar("Function", bound=Callable[..., Any])


def shows_parameters_of(source: Callable[..., Any], added: Iterable[Parameter] = ()) -> Callable[[Function], Function]:
    """A decorator: in place of `**options`, the function shows the parameters of `source` and the `added` ones."""

    def decorate(function: Function) -> Function:
        own = signature(function)
        named = {name: each for name, each in own.parameters.items() if each.kind is not Parameter.VAR_KEYWORD}
        parameters = {**signature(source).parameters, **named, **{each.name: each for each in added}}
        shown: Any = function
        shown.__signature__ = own.replace(parameters=tuple(parameters.values()))
        return function

    return decorate


def option_parameters(*, for_copy: bool = False) -> list[Parameter]:
    """Our options as keyword-only parameters; in a copy, an option that is not given stays as it is."""
    types: dict[str, Any] = dict(SharedOptions.__annotations__)
    return [
        Parameter(
            each.name,
            Parameter.KEYWORD_ONLY,
            default=openai.NOT_GIVEN if for_copy else each.default,
            annotation=types[each.name].__forward_arg__,
        )
        for each in fields(Options)
        if each.name in types
    ]
