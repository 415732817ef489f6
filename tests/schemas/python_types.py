"""Schemas that pydantic makes of models, dataclasses and typed dicts, which are made at run time."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import field, make_dataclass
from datetime import date, datetime
from decimal import Decimal
from random import Random
from typing import Annotated, Any, Literal, Union
from uuid import UUID

import pydantic
from typing_extensions import TypedDict

from .words import TEXTS, names

__all__ = ["of_dataclass", "of_model", "of_typed_dict"]

Json = dict[str, Any]


class Color(enum.Enum):
    RED, BLUE = "red", "blue"


class Level(enum.IntEnum):
    LOW, HIGH = 1, 2


def _either(one: Any, other: Any) -> Any:
    return Union[one, other]  # noqa: UP007  # `|` does not take the name of a model


def _optional(kind: Any) -> Any:
    return _either(kind, None)


def _about(rng: Random) -> str | None:
    return rng.choice(TEXTS) if rng.random() < 0.4 else None


def _python_type(rng: Random, models: list[Any], depth: int = 0) -> Any:
    def inner() -> Any:
        return _python_type(rng, models, depth + 1)

    scalars: list[Any] = [str, int, float, bool, date, datetime, Decimal, UUID, bytes, Any, Color, Level]
    scalars += [Literal["a", "b"], Literal[True], Literal[1, "x", None], Annotated[int, pydantic.Field(ge=0, lt=9)]]
    scalars += [Annotated[str, pydantic.Field(min_length=1, pattern="^a")], Annotated[float, pydantic.Field(gt=0)]]
    scalars += [None]
    if depth > 2:
        return rng.choice(scalars)
    kinds: list[Callable[[], Any]] = [lambda: rng.choice(scalars)] * 4
    kinds += [lambda: list[inner()], lambda: dict[str, inner()], lambda: _optional(inner())]
    kinds += [lambda: _either(inner(), inner()), lambda: tuple[inner(), inner()], lambda: set[rng.choice([str, int])]]
    if models:
        kinds += [
            lambda: rng.choice(models),
            lambda: _optional(rng.choice(models)),
            lambda: list[rng.choice(models)],
        ] * 2
    return rng.choice(kinds)()


def _models(rng: Random) -> list[Any]:
    """A few models that refer to each other; some to themselves."""
    models: list[Any] = []
    for number in range(rng.randint(1, 4)):
        fields: Json = {}
        for position, name in enumerate(names(rng)):
            default = ... if rng.random() < 0.6 else None
            kind = _python_type(rng, models) if default is ... else _optional(_python_type(rng, models))
            about = pydantic.Field(default, alias=name, description=_about(rng))
            fields[f"field{position}"] = (kind, about)
        if rng.random() < 0.3:
            itself = rng.choice([list[f"M{number}"], _optional(f"M{number}"), dict[str, f"M{number}"]])
            fields = {} if rng.random() < 0.4 else fields
            fields["itself"] = (itself, ...)
        config = pydantic.ConfigDict(extra=rng.choice(["ignore", "forbid", "allow"]))
        model: Any = pydantic.create_model(f"M{number}", __config__=config, __doc__=_about(rng), **fields)
        model.model_rebuild(_types_namespace={f"M{number}": model})
        models.append(model)
    return models


def of_model(rng: Random) -> Json:
    """The schema of a pydantic model."""
    schema: Json = _models(rng)[-1].model_json_schema(mode=rng.choice(["validation", "serialization"]))
    return schema


def of_dataclass(rng: Random) -> Json:
    """The schema of a dataclass."""
    fields = [name for name in names(rng) if name.isidentifier() and name != "from"]
    parts = [(name, _python_type(rng, []), *([] if rng.random() < 0.5 else [field(default=None)])) for name in fields]
    made = make_dataclass("D", sorted(parts, key=len))
    return pydantic.TypeAdapter(made).json_schema()


def of_typed_dict(rng: Random) -> Json:
    """The schema of a typed dict."""
    models = _models(rng)
    made: Any = TypedDict("T", {name: _python_type(rng, models) for name in names(rng)}, total=rng.random() < 0.5)
    return pydantic.TypeAdapter(made).json_schema()
