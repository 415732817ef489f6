"""plain_answer.py: a completion as the dict that came, checked and with the caller's names."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai.client.plain_answer import PlainCompletion
from kimi_openai.emulator import Emulator, call
from tests.conftest import Mode
from tests.servers import MakeAnswering

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
ANSWER = {"id": "c", "model": "kimi-k3", "choices": [{"index": 0, "message": {"content": "a"}}], "new": [1]}


def ask(client: Any, **body: Any) -> Any:
    return client.post("/chat/completions", body={**ASK, **body}, cast_to=PlainCompletion)


def test_it_is_what_came(mode: Mode, answering: MakeAnswering) -> None:
    """Unknown fields stay; what an answer can do without counts as null if it is of a wrong type."""
    server = answering(200, {**ANSWER, "usage": "none"})
    client = mode.client(base_url=server.base_url, api_key="sk-1")
    answer = mode.run(ask(client))
    assert type(answer) is dict
    assert answer["new"] == [1]
    assert answer["usage"] is None
    assert answer["choices"][0]["message"] == {"content": "a", "role": "assistant"}


def test_cached_tokens_are_where_openai_has_them(mode: Mode, answering: MakeAnswering) -> None:
    """As in the SDK's object."""
    server = answering(200, {**ANSWER, "usage": {"prompt_tokens": 3, "cached_tokens": 2}})
    answer = mode.run(ask(mode.client(base_url=server.base_url, api_key="sk-1")))
    assert answer["usage"]["prompt_tokens_details"] == {"cached_tokens": 2}


@pytest.mark.parametrize("choices", [None, "a", [{"index": 0}], [{"message": {"content": 5}}]])
def test_another_shape_is_an_error(mode: Mode, answering: MakeAnswering, choices: Any) -> None:
    """The SDK's, as for `create`."""
    server = answering(200, {**ANSWER, "choices": choices})
    client = mode.client(base_url=server.base_url, api_key="sk-1")
    with pytest.raises(openai.APIResponseValidationError, match="another shape"):
        mode.run(ask(client))


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
def test_names_are_the_callers(mode: Mode, kimi: Emulator) -> None:
    """A tool's name that Kimi does not take is put back in the answer."""
    read = {"type": "function", "function": {"name": "fs.read", "parameters": {"type": "object", "properties": {}}}}
    kimi.reply = lambda request: [call(request.json["tools"][0]["function"]["name"], {})]
    answer = mode.run(ask(mode.client(kimi), tools=[read]))
    assert kimi.chats[0]["tools"][0]["function"]["name"] != "fs.read"
    assert answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"] == "fs.read"
