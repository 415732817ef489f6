"""The models that a key may use and their abilities: `list_models` and the values it returns."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, overload

import openai
from openai.types import Model

from kimi_openai._internal.counts import count_of
from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai._internal.json_values import Json
from kimi_openai._internal.table import Table
from kimi_openai._internal.wire import is_list_of_objects
from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.models.catalog import facts

from .any_client import guarded

__all__ = ["KimiModel", "list_models"]

ABILITIES = ("supports_image_in", "supports_video_in", "supports_reasoning")


class KimiModel(Model):
    """An entry of the model list: the SDK's `Model` with the fields that Kimi adds, None if Kimi did not send them.

    `context_length` is in tokens. Other fields that Kimi sends are in `model_extra`.
    """

    context_length: int | None = None
    supports_image_in: bool | None = None
    supports_video_in: bool | None = None
    supports_reasoning: bool | None = None


class ModelList(list[KimiModel]):
    """A list of models that is shown as a table in a notebook and in IPython's terminal."""

    def table(self) -> Table:
        """One row per model: what Kimi says of it ("?" if it does not), and from `models.catalog` the efforts that it
        takes and the last day on which the platform plans to serve it."""
        rows = tuple(_row(model) for model in self)
        return Table(rows, ("model", "context", "images", "videos", "thinks", "efforts", "ends"))

    def _repr_html_(self) -> str:
        return self.table().html()

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002 - IPython's signature
        printer.text(self.table().text())


def _model(entry: Json) -> KimiModel:
    """The entry as an object. An ability that is neither true nor false becomes None, as does an odd length."""
    fields = {name: value for name, value in entry.items() if not name.startswith("_")}  # names of the SDK's own
    fields |= {name: None for name in ABILITIES if name in fields and not isinstance(fields[name], bool)}
    if "context_length" in fields:
        fields["context_length"] = count_of(fields["context_length"])
    return KimiModel.construct(**fields)


def _row(model: KimiModel) -> tuple[str, ...]:
    abilities = (getattr(model, name) for name in ABILITIES)
    words = ("?" if ability is None else "yes" if ability else "no" for ability in abilities)
    known = facts(model.id)
    return (model.id, f"{model.context_length or 0:,}", *words, ", ".join(known.efforts), str(known.ends or ""))


@overload
def list_models(client: openai.OpenAI) -> list[KimiModel]: ...
@overload
def list_models(client: openai.AsyncOpenAI) -> Coroutine[Any, Any, list[KimiModel]]: ...
def list_models(client: AnyClient) -> list[KimiModel] | Coroutine[Any, Any, list[KimiModel]]:
    """The models that the key may use, with context length and abilities, from GET /v1/models.

    The documentation names this endpoint as the way to see which models a key may use. Raises the SDK's errors, and
    `UnexpectedAnswerError` if the answer has another shape. Source: platform docs, model list page.
    """
    return run(client, guarded("the model list", _models(client)))


def _models(client: AnyClient) -> Flow[list[KimiModel]]:
    answer = yield client.get("/models", cast_to=object)
    match answer:
        case {"data": entries} if is_list_of_objects(entries) and all(
            isinstance(each.get("id"), str) for each in entries
        ):
            return ModelList(map(_model, entries))
        case _:
            raise UnexpectedAnswerError("the model list", answer)
