"""`list_models`: the entries, and the table of them."""

from __future__ import annotations

from openai.types import Model

from kimi_openai import KimiModel, create_client, list_models
from kimi_openai.emulator import Emulator
from kimi_openai.endpoints.model_list import ModelList
from tests.conftest import Mode
from tests.harmless import checked
from tests.servers import MakeAnswering


def test_models_have_their_abilities(mode: Mode, kimi: Emulator) -> None:
    """An entry is the SDK's model with the fields that Kimi adds."""
    models = {model.id: model for model in mode.run(list_models(mode.client(kimi)))}
    k3 = models["kimi-k3"]
    assert isinstance(k3, KimiModel)
    assert isinstance(k3, Model)
    assert k3.context_length == 1048576
    assert (k3.supports_image_in, k3.supports_video_in, k3.supports_reasoning) == (True, True, True)
    assert k3.model_extra
    assert k3.model_extra["supports_thinking_type"] == "only"


def test_a_missing_ability_is_none(mode: Mode, answering: MakeAnswering) -> None:
    """A field that Kimi did not send is None, not False."""
    entry = {"id": "kimi-new", "object": "model", "created": 1, "owned_by": "moonshot"}
    server = answering(200, {"object": "list", "data": [entry]})
    (model,) = mode.run(list_models(mode.client(api_key="sk-1", base_url=server.base_url)))
    assert model.model_dump(exclude_unset=True) == entry
    assert (model.context_length, model.supports_image_in) == (None, None)
    assert (model.supports_video_in, model.supports_reasoning) == (None, None)
    assert server.requests == [("GET", "/v1/models", b"")]


def test_an_odd_ability_is_none(mode: Mode, answering: MakeAnswering) -> None:
    """Neither true nor false, or no length; other fields stay, except for names that the SDK needs."""
    odd = {"supports_image_in": "yes", "supports_video_in": 1, "context_length": "many"}
    entry = {"id": "kimi-new", **odd, "extra": [1], "supports_reasoning": True, "_fields_set": 1, "self": 2}
    client = mode.client(api_key="sk-1", base_url=answering(200, {"data": [entry]}).base_url)
    models = mode.run(list_models(client))
    (model,) = models
    assert (model.supports_image_in, model.supports_video_in, model.context_length) == (None, None, None)
    assert (model.supports_reasoning, model.model_extra) == (True, {"extra": [1], "self": 2})
    assert "kimi-new" in models.table().text()


def test_models_are_shown_as_a_table(kimi: Emulator) -> None:
    """In a notebook; text from the platform is escaped."""
    models = list_models(create_client(base_url=kimi.base_url, api_key=kimi.api_key))
    assert isinstance(models, ModelList)
    header = ["model", "context", "images", "videos", "thinks", "efforts", "ends"]
    assert checked(models._repr_html_()).texts[:12] == [*header, "kimi-k3", "1,048,576", "yes", "yes", "yes"]
    hostile = KimiModel.construct(id="<script>", context_length=None, supports_video_in=False)
    assert checked(ModelList([hostile])._repr_html_()).texts[7:] == ["<script>", "0", "?", "no", "?"]
