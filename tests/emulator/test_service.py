"""The service without a socket: whatever is sent, Kimi answers."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from kimi_openai.emulator import Behaviour, Request
from kimi_openai.emulator.account import Account
from kimi_openai.emulator.endpoints import ROUTES
from kimi_openai.emulator.service import Service
from kimi_openai.emulator.world import World

from .http import HELLO

KEY = "sk-test"


def ask(method: str, path: str, body: Any) -> int:
    """The status of an answer from a fresh Kimi."""
    headers = CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {KEY}"}))
    query = CIMultiDictProxy(CIMultiDict[str]())
    data = json.dumps(body).encode()
    request = Request(1, method, path, query, headers, (), data, body, 0.0)
    service = Service(KEY, World(Behaviour(), Account(), 0, lambda: 0.0), {})
    return service.respond(request).status


SOME_WORDS = "user assistant tool system text image_url function json_schema enabled required x  #"
WORDS = st.sampled_from(SOME_WORDS.split(" "))
SOME_KEYS = (
    "role content tool_calls tool_call_id id type function name arguments tools partial text "
    "parameters json_schema schema strict keep include_usage properties url image_url "
    "reasoning_content"
)
KEYS = st.sampled_from(SOME_KEYS.split())
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=15,
)
SOME_FIELDS = (
    "messages tools tool_choice response_format thinking stop stream stream_options max_tokens n "
    "max_completion_tokens temperature reasoning_effort top_logprobs logprobs model"
)
FIELDS = st.sampled_from(SOME_FIELDS.split())
MESSAGES = st.lists(
    st.fixed_dictionaries({"role": WORDS}, optional={"content": VALUES, "tool_calls": VALUES}), max_size=4
)
MODELS = st.sampled_from(["kimi-k3", "kimi-k2.6", "kimi-k2.7-code"])


@given(MODELS, st.dictionaries(FIELDS, VALUES, max_size=4), st.just(HELLO) | MESSAGES)
def test_any_chat_body_is_answered(model: str, fields: dict[str, Any], messages: Any) -> None:
    """No chat body makes the emulator stumble: it is answered or refused."""
    body = {"model": model, "messages": messages, **fields}
    assert ask("POST", "/v1/chat/completions", body) in {200, 400, 404}


@given(st.sampled_from([(method, path) for method, path, _ in ROUTES]), VALUES | st.dictionaries(KEYS | FIELDS, VALUES))
def test_any_body_is_answered(route: tuple[str, str], body: Any) -> None:
    """Nor does any body sent to another endpoint."""
    method, path = route
    assert ask(method, path.replace("([^/]+)", "x"), body) in {200, 400, 403, 404}
