"""Keys, routes and faults, and random bodies without a socket."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from multidict import CIMultiDict, CIMultiDictProxy

from kimi_openai.emulator import (
    Behaviour,
    Emulator,
    Fault,
    Request,
    empty_body,
    error_body,
    html,
    overloaded,
    rate_limited,
    reset,
    say,
)
from kimi_openai.emulator.endpoints.routes import ROUTES
from kimi_openai.emulator.faults.fault_queue import FaultQueue
from kimi_openai.emulator.limits.account_limits import AccountLimits
from kimi_openai.emulator.limits.limiter import Limiter
from kimi_openai.emulator.router import Router
from kimi_openai.emulator.state.account import Account
from kimi_openai.emulator.state.service_state import ServiceState

from .http import HELLO, chat, error_of, partly, send

UNKNOWN = [
    ("GET", "/v1/chat/completions"),
    ("POST", "/v1/nothing"),
    ("DELETE", "/v1/models"),
    ("GET", "/v1/models/kimi-k3"),
]


@pytest.mark.parametrize(("method", "path"), UNKNOWN)
def test_unknown_routes(kimi: Emulator, method: str, path: str) -> None:
    """An unknown path and a wrong method are url.not_found, and a bad key is refused before."""
    got = send(kimi, method, path)
    assert (got.status, got.json["error"], got.json["method"], got.json["url"]) == (404, "url.not_found", method, path)
    assert send(kimi, method, path, Authorization="").status == 401


def test_closed_api(kimi: Emulator) -> None:
    """Embeddings exist and are closed, as one user reported."""
    got = send(kimi, "POST", "/v1/embeddings", {"model": "x", "input": "y"})
    assert (got.status, got.json["error"]["type"]) == (403, "permission_denied_error")


@pytest.mark.parametrize("key", ["Bearer sk-other", "Bearer \xff", "sk-\xfc"])
def test_wrong_keys(kimi: Emulator, key: str) -> None:
    """Every other key is refused, also one that is not UTF-8."""
    got = send(kimi, "GET", "/v1/models", Authorization=key)
    assert (got.status, got.json) == error_of("bad_key")


ANSWERED: dict[str, tuple[Fault, int, str]] = {
    "rate limit": (rate_limited(retry_after=1), 429, "application/json; charset=utf-8"),
    "html": (html(504), 504, "text/html"),
    "html 200": (html(200), 200, "text/html"),
    "error body": (error_body(), 200, "application/json; charset=utf-8"),
    "empty": (empty_body(), 200, "application/json; charset=utf-8"),
}


@pytest.mark.parametrize(("fault", "status", "kind"), ANSWERED.values(), ids=ANSWERED)
def test_answering_faults(kimi: Emulator, fault: Any, status: int, kind: str) -> None:
    """A queued fault answers one request, streaming or not; the next request is normal."""
    kimi.fail(fault, fault)
    for stream in (True, False):
        got = chat(kimi, stream=stream)
        assert (got.status, got.headers["Content-Type"], got.body) == (status, kind, fault.body)
    assert chat(kimi).status == 200


def test_retry_after_switch() -> None:
    """A 429 has the Retry-After of the fault, unless the behaviour forbids it."""
    for behaviour, wanted in ((Behaviour(), "1"), (Behaviour(retry_after=False), None)):
        with Emulator(behaviour=behaviour) as kimi:
            kimi.fail(overloaded(1))
            got = chat(kimi)
            assert (got.headers["Retry-After"], got.headers["x-retry-after"]) == (wanted, wanted)


def test_a_reset_before_the_headers_uses_nothing(kimi: Emulator) -> None:
    """The request is not processed: the script and the balance stay."""
    before = kimi.balance
    kimi.script(say("kept"))
    kimi.fail(reset())
    assert partly(kimi)[0] == b""
    assert kimi.balance == before
    assert chat(kimi).message["content"] == "kept"


KEY = "sk-test"


def status_of(method: str, path: str, body: Any) -> int:
    """The status of the response of a new service."""
    headers = CIMultiDictProxy(CIMultiDict({"Authorization": f"Bearer {KEY}"}))
    query = CIMultiDictProxy(CIMultiDict[str]())
    data = json.dumps(body).encode()
    request = Request(1, method, path, query, headers, (), data, body, 0.0)
    limiter = Limiter(AccountLimits(), Behaviour(), lambda: 0.0)
    state = ServiceState(Behaviour(), Account(), 0, lambda: 0.0, limiter)
    return Router(KEY, state, FaultQueue({}, 0)).respond(request).status


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
    """No chat body makes the router raise: it is answered or refused."""
    body = {"model": model, "messages": messages, **fields}
    assert status_of("POST", "/v1/chat/completions", body) in {200, 400, 404}


@given(st.sampled_from([(method, path) for method, path, _ in ROUTES]), VALUES | st.dictionaries(KEYS | FIELDS, VALUES))
def test_any_body_is_answered(route: tuple[str, str], body: Any) -> None:
    """No body of another endpoint makes the router raise."""
    method, path = route
    assert status_of(method, path.replace("([^/]+)", "x"), body) in {200, 400, 403, 404}


SOME_MORE_KEYS = "summary output call_id input filters include effort format tools description verbosity"
MORE_KEYS = st.sampled_from(SOME_MORE_KEYS.split(" "))
SOME_TYPES = (
    "message reasoning function_call function_call_output custom_tool_call custom_tool_call_output additional_tools "
    "web_search_call namespace custom web_search function input_text input_image output_text json_schema"
)
RESPONSE_TYPES = st.sampled_from(SOME_TYPES.split(" "))
RESPONSE_VALUES = st.recursive(
    VALUES | RESPONSE_TYPES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.fixed_dictionaries({"type": RESPONSE_TYPES}, optional={"tools": inner, "output": inner, "content": inner})
        | st.dictionaries(KEYS | MORE_KEYS, inner, max_size=4)
    ),
    max_leaves=12,
)
SOME_RESPONSE_FIELDS = "instructions tools tool_choice text reasoning include stream max_output_tokens store metadata"
RESPONSE_FIELDS = st.sampled_from(SOME_RESPONSE_FIELDS.split(" "))


@given(MODELS, st.dictionaries(RESPONSE_FIELDS, RESPONSE_VALUES, max_size=4), st.just("Hi") | RESPONSE_VALUES)
def test_any_response_body_is_answered(model: str, fields: dict[str, Any], given: Any) -> None:
    """No body of the Responses API makes the router raise."""
    assert status_of("POST", "/v1/responses", {"model": model, "input": given, **fields}) in {200, 400, 404}


@given(WORDS | VALUES, VALUES | st.sampled_from(["{}", "[", '{"text": 1}', '{"candidates": 5}', '{"max_length": "x"}']))
def test_any_fiber_is_answered(name: Any, arguments: Any) -> None:
    """No body of a run makes the router raise; most runs fail."""
    for uri in ("base64", "random-choice", "fetch", "excel"):
        body = {"name": name, "arguments": arguments}
        assert status_of("POST", f"/v1/formulas/moonshot/{uri}/fibers", body) in {200, 400}
