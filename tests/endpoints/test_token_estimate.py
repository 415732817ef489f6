"""`estimate_tokens`: the request and the number."""

from __future__ import annotations

import json

import pytest
from openai.types.chat import ChatCompletionMessage

from kimi_openai import estimate_tokens
from kimi_openai.emulator import Behaviour, Emulator
from tests.conftest import Mode
from tests.servers import MakeAnswering


def test_an_estimate_is_the_total_of_the_answer(mode: Mode, answering: MakeAnswering) -> None:
    """The body has the model and the messages; message objects are sent as dicts."""
    server = answering(200, {"data": {"total_tokens": 80}})
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    messages = [{"role": "user", "content": "1+1?"}, ChatCompletionMessage(role="assistant", content="2")]
    assert mode.run(estimate_tokens(client, model="kimi-k3", messages=messages)) == 80
    ((method, path, body),) = server.requests
    assert (method, path) == ("POST", "/v1/tokenizers/estimate-token-count")
    assert json.loads(body) == {
        "model": "kimi-k3",
        "messages": [{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}],
    }


def test_a_whole_number_may_come_as_a_float(mode: Mode, answering: MakeAnswering) -> None:
    """JSON does not tell 80.0 from 80; Python does."""
    client = mode.client(api_key="sk-1", base_url=answering(200, {"data": {"total_tokens": 80.0}}).base_url)
    estimate = mode.run(estimate_tokens(client, model="kimi-k3", messages=[{"role": "user", "content": "Hi"}]))
    assert (estimate, type(estimate)) == (80, int)


def test_an_empty_list_is_refused_before_sending(mode: Mode, kimi: Emulator) -> None:
    """Raises for the mistake of the caller."""
    with pytest.raises(ValueError, match="messages is empty; pass at least one message to be counted"):
        estimate_tokens(mode.client(kimi), model="kimi-k3", messages=[])
    assert kimi.requests == []


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")  # Kimi takes no content beside tools
def test_the_content_beside_tools_is_counted(mode: Mode) -> None:
    """Where the endpoint refuses tools in messages, too: their JSON does not stand in the place of the content."""
    tools = [{"type": "function", "function": {"name": "a", "parameters": {"type": "object", "properties": {}}}}]
    with Emulator(behaviour=Behaviour(estimate_dynamic_tools="reject")) as kimi:
        messages = [{"role": "system", "content": "Use a.", "tools": tools}, {"role": "user", "content": "Hi"}]
        mode.run(estimate_tokens(mode.client(kimi), model="kimi-k3", messages=messages))
        assert [each["content"] for each in kimi.requests[-1].json["messages"]] == [json.dumps(tools), "Use a.", "Hi"]
