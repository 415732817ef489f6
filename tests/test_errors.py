"""The fault table and what exceptions say, over sockets and as pure functions."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai import errors
from kimi_openai.emulator import (
    Emulator,
    bad_key,
    content_filtered,
    empty_body,
    error_body,
    html,
    internal_error,
    out_of_quota,
    overloaded,
    plain_json,
    rate_limited,
    refuse,
    reset,
    unavailable,
)
from kimi_openai.errors import StreamCutError, explain, fault_of, refusal_of, stream_error
from kimi_openai.faults import TABLE, UNKNOWN, Refusal, row_of
from kimi_openai.waits import instant

from .canned import Canned
from .conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}
ACCOUNT = "Your account org-1<ak-2>"

WIRE = {
    "empty account": (429, "exceeded_current_quota_error", f"{ACCOUNT} is suspended", "account_empty", False),
    "empty account, 403": (403, "exceeded_current_quota_error", "", "account_empty", False),
    "empty account by its text": (
        429,
        None,
        "insufficient balance, please recharge your account",
        "account_empty",
        False,
    ),
    "token quota": (403, None, "You exceeded your current token quota: <org-1> 0", "account_empty", False),
    "TPD": (
        429,
        "rate_limit_reached_error",
        f"{ACCOUNT} ... organization TPD rate limit, current:2",
        "daily_limit",
        False,
    ),
    "TPM": (429, "rate_limit_reached_error", "request reached TPM rate limit, current:2, limit:1", "rate_limit", True),
    "RPM": (429, "rate_limit_reached_error", f"{ACCOUNT} request reached organization max RPM: 3", "rate_limit", True),
    "429 without a type": (429, None, "", "rate_limit", True),
    "overload": (429, "engine_overloaded_error", "The engine is currently overloaded", "overloaded", True),
    "overload, 500": (500, "server_error", "The engine is currently overloaded", "overloaded", True),
    "content": (400, "content_filter", "considered high risk", "content_filter", False),
    "context": (400, "invalid_request_error", "Your request exceeded model token limit : 9", "context_overflow", False),
    "input length": (400, "invalid_request_error", "Input token length too long", "context_overflow", False),
    "pinned": (400, "invalid_request_error", "invalid temperature: only 1 is allowed", "bad_request", False),
    "wrong key": (401, "invalid_authentication_error", "Invalid Authentication", "wrong_key", False),
    "no key": (401, "incorrect_api_key_error", "Incorrect API key provided", "wrong_key", False),
    "address": (403, "permission_denied_error", "Your IP is not allowed to access this", "permission_denied", False),
    "closed": (403, "permission_denied_error", "The API you are accessing is not open", "not_offered", False),
    "model": (404, "resource_not_found_error", "Not found the model x or Permission denied", "model_not_found", False),
    "object": (404, "resource_not_found_error", "Not found the file or Permission denied", "not_found", False),
    "URL": (404, "url.not_found", "没找到对象", "url_not_found", False),
    "503": (503, "server_unavailable", "", "server_error", True),
    "502": (502, None, "", "server_error", True),
    "504": (504, None, "", "gateway_timeout", True),
    "409": (409, None, "", "server_error", True),
    "redirect": (307, None, "", "redirected", False),
    "in a stream": (None, "engine_overloaded_error", "", "overloaded", True),
    "teapot": (418, None, "", "unknown", False),
    "unknown in a stream": (None, "new_error", "?", "unknown", False),
}


@pytest.mark.parametrize(("status", "type", "message", "kind", "retry"), WIRE.values(), ids=WIRE)
def test_what_came_over_the_wire_has_its_kind(status: Any, type: Any, message: str, kind: str, retry: bool) -> None:
    """Each documented or reported error is one row."""
    fault = fault_of(Refusal(status, type, message))
    assert (fault.kind, fault.retry) == (kind, retry)


def test_every_row_can_be_the_first_that_fits() -> None:
    """No row stands behind one that takes all of its cases."""
    reached = {id(row_of(Refusal(*case[:3])).fault) for case in WIRE.values()}
    assert {id(row.fault) for row in TABLE} <= reached | {id(UNKNOWN)}


@pytest.mark.parametrize("body", [b"", b"[1]", b'"x"', b"{", b'{"error":null}', b'{"error":{"type":1}}', None, 3])
def test_any_body_has_parts(body: Any) -> None:
    """What is no error object of Kimi's is one without type and message."""
    assert refusal_of(500, body) == Refusal(500)


SAID = {
    "empty account": (out_of_quota(), openai.RateLimitError, "no balance left; the account's side; top up"),
    "empty account, 403": (out_of_quota(403), openai.PermissionDeniedError, "no balance left"),
    "TPD": (rate_limited("tpd"), openai.RateLimitError, "the day's tokens (TPD) are used up; the account's side"),
    "content": (content_filtered(), openai.BadRequestError, "content_filter: the content filter refused"),
    "key": (bad_key(), openai.AuthenticationError, "platform.kimi.ai, of platform.kimi.com and of Kimi Code"),
    "400": (refuse("tool_choice 'x' is wrong"), openai.BadRequestError, "tool_choice 'x' is wrong"),
}


@pytest.mark.parametrize(("fault", "kind", "said"), SAID.values(), ids=SAID)
def test_an_error_is_the_sdks_and_says_what_it_means(
    mode: Mode, kimi: Emulator, fault: Any, kind: Any, said: str
) -> None:
    """Class, body and the SDK's text stay; the explanation follows; none of these is sent twice."""
    kimi.fail(fault)
    with pytest.raises(kind) as caught:
        mode.run(mode.client(kimi, max_retries=5).chat.completions.create(**ASK))
    text = str(caught.value)
    assert text.startswith(f"Error code: {fault.status} - ")
    assert said in text
    assert text.endswith("(not retried)")
    assert text == caught.value.message
    assert caught.value.type == caught.value.body["type"]
    assert len(kimi.requests) == 1


RETRIED = {"RPM": rate_limited("rpm"), "overload": overloaded(), "500": internal_error(), "503": unavailable()}


@pytest.mark.parametrize("fault", [*RETRIED.values(), html(504)], ids=[*RETRIED, "504"])
def test_an_error_says_how_often_it_was_retried(mode: Mode, kimi: Emulator, fault: Any) -> None:
    """Also through raw and streaming wrappers."""
    client = mode.client(kimi, max_retries=2)
    kimi.fail(*[fault] * 6)
    with instant():
        for ask in (client.chat.completions.create, client.chat.completions.with_raw_response.create):
            with pytest.raises(openai.APIStatusError, match=r"side; .*\(retried 2 times\)$"):
                mode.run(ask(**ASK))
    assert len(kimi.requests) == 6


def test_a_model_that_is_gone_names_its_successor(mode: Mode, kimi: Emulator) -> None:
    """And the ids that are current."""
    client = mode.client(kimi, compat="off")
    with pytest.raises(openai.NotFoundError, match=r"moonshot-v1-8k is retired, use kimi-k3; current ids: kimi-k3, "):
        mode.run(client.chat.completions.create(**{**ASK, "model": "moonshot-v1-8k"}))


def test_a_k2_model_may_be_closed_to_a_new_account() -> None:
    """Such an account gets the 404 of an unknown model."""
    text = explain(Refusal(404, "resource_not_found_error", "Not found the model kimi-k2.6 or Permission denied"))
    assert "closed to accounts registered from 2026-10-31, use kimi-k3" in text


OTHERS: dict[str, Any] = {
    "embeddings": lambda client: client.embeddings.create(model="m", input="x"),
    "images": lambda client: client.images.generate(prompt="x"),
    "audio": lambda client: client.audio.speech.create(model="m", voice="alloy", input="x"),
    "moderations": lambda client: client.moderations.create(input="x"),
    "assistants": lambda client: client.post("/assistants", body={"model": "m"}, cast_to=object),
    "completions": lambda client: client.completions.create(model="m", prompt="x"),
    "evals": lambda client: client.evals.create(data_source_config={}, testing_criteria=[]),
    "containers": lambda client: client.containers.create(name="x"),
}
"""Resources of the SDK that the platform does not have."""


@pytest.mark.parametrize("resource", OTHERS)
def test_a_resource_that_kimi_does_not_have_is_named(mode: Mode, kimi: Emulator, resource: str) -> None:
    """The platform answers such a path in another dialect, or with 403."""
    with pytest.raises(openai.APIStatusError, match=f"{resource}: Kimi does not have this part") as caught:
        mode.run(OTHERS[resource](mode.client(kimi)))
    assert fault_of(caught.value).kind == "not_offered"


def test_an_unknown_url_is_told_in_its_own_dialect(mode: Mode, kimi: Emulator) -> None:
    """The SDK leaves the bare word `url.not_found` as the body; the /v1 is not what is wrong."""
    told = "nothing is at this URL and method; .* the path is '/v1/chat/nowhere': check it and the method"
    with pytest.raises(openai.NotFoundError, match=told) as caught:
        mode.run(mode.client(kimi).get("/chat/nowhere", cast_to=object))
    assert caught.value.body == "url.not_found"
    assert fault_of(caught.value).kind == "url_not_found"


def test_a_missing_v1_is_told() -> None:
    """The settings refuse such a base URL; a caller's own URL may still lack it."""
    assert "write the base URL with /v1" in explain(Refusal(404, "url.not_found", "", "/chat/completions"))


NO_ANSWERS = {
    "a web page": (html(200), openai.APIResponseValidationError, "status 200 with text/html "),
    "nothing": (empty_body(), openai.APIResponseValidationError, "status 200 with nothing in it"),
    "an error": (error_body(), openai.InternalServerError, "unexpected_output: Kimi failed to answer"),
}


@pytest.mark.parametrize(("answer", "kind", "said"), NO_ANSWERS.values(), ids=NO_ANSWERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_answer_that_is_none_is_an_error(
    mode: Mode, kimi: Emulator, answer: Any, kind: Any, said: str, stream: bool
) -> None:
    """The bare SDK returns a `str`, a completion of Nones, or a stream without chunks."""
    kimi.fail(answer, answer, answer)
    client = mode.client(kimi)
    with pytest.raises(kind, match=said) as caught:
        mode.run(client.chat.completions.create(**ASK, stream=stream))
    assert caught.value.response.status_code == 200
    with pytest.raises(kind, match=said):
        mode.run(client.chat.completions.with_raw_response.create(**ASK, stream=stream))
    with pytest.raises(kind):
        mode.run(client.models.list() if not mode.is_async else _models(client))


async def _models(client: Any) -> Any:
    return await client.models.list()


def test_an_error_in_a_200_has_the_status_that_it_has_elsewhere(mode: Mode) -> None:
    """So that code which looks at `status_code` treats it alike."""
    body = b'{"error":{"message":"no balance","type":"exceeded_current_quota_error"}}'
    http = Canned(body, content_type="application/json").client(mode.is_async)
    client = mode.client(api_key="sk-x", http_client=http)
    with pytest.raises(openai.RateLimitError, match=r"^no balance -- .*; top up") as caught:
        mode.run(client.chat.completions.create(**ASK))
    assert (caught.value.status_code, caught.value.type) == (429, "exceeded_current_quota_error")


def test_plain_json_is_no_stream(mode: Mode, kimi: Emulator) -> None:
    """The bare SDK yields no chunk and says nothing."""
    kimi.fail(plain_json())
    with pytest.raises(openai.APIResponseValidationError, match="application/json instead of a stream"):
        mode.run(mode.client(kimi).chat.completions.create(**ASK, stream=True))


def test_half_json_is_no_answer(mode: Mode) -> None:
    """A body that ends early and says so nowhere."""
    http = Canned(b'{"id":"chatcmpl-1","choices":[', content_type="application/json").client(mode.is_async)
    with pytest.raises(openai.APIResponseValidationError, match="not whole JSON"):
        mode.run(mode.client(api_key="sk-x", http_client=http).chat.completions.create(**ASK))


def test_raw_text_and_files_are_not_checked(mode: Mode, kimi: Emulator) -> None:
    """Whoever asks for text gets text."""
    kimi.fail(html(200), html(200))
    client = mode.client(kimi)
    assert "Welcome" in mode.run(client.get("/x", cast_to=str))
    assert "Welcome" in mode.run(client.files.content("file_1")).text


def test_an_error_in_a_stream_is_of_its_class(mode: Mode, kimi: Emulator) -> None:
    """Unknown types stay `APIError`."""
    kimi.fail(bad_key())
    with pytest.raises(openai.APIStatusError) as caught:
        mode.run(mode.client(kimi).chat.completions.create(**ASK))
    response = caught.value.response
    for type, kind in {
        "rate_limit_reached_error": openai.RateLimitError,
        "engine_overloaded_error": openai.RateLimitError,
        "server_error": openai.InternalServerError,
        "content_filter": openai.BadRequestError,
        "new_error": openai.APIError,
    }.items():
        error = stream_error({"error": {"type": type, "message": "m"}}, response)
        assert (error.__class__, error.type) == (kind, type)
        assert str(error).startswith("m -- ")
        assert fault_of(error).kind == fault_of(Refusal(None, type, "m")).kind


def test_a_cut_stream_carries_what_came() -> None:
    """And stays the SDK's connection error."""
    cause = OSError("gone")
    error = StreamCutError(request=None, text="ab", reasoning="c", cause=cause)
    assert isinstance(error, openai.APIConnectionError)
    assert (error.text, error.reasoning, error.__cause__) == ("ab", "c", cause)
    assert fault_of(error).kind == "stream_cut"


def test_a_connection_error_says_what_it_means(mode: Mode, kimi: Emulator) -> None:
    """The SDK says no more than "Connection error."; the name of the cause is added, and not its text."""
    kimi.fail(reset(), reset())
    said = r"^[\w ]+\. \(\w+\) -- no answer came through; the connection's side; .*\(retried once\)$"
    with instant(), pytest.raises(openai.APIConnectionError, match=said):
        mode.run(mode.client(kimi, max_retries=1).chat.completions.create(**ASK))


def test_any_other_exception_is_unknown() -> None:
    """The table speaks of answers only."""
    assert fault_of(ValueError("x")) is UNKNOWN
    assert fault_of(errors.UnexpectedAnswerError("the balance", {})).kind == "no_answer"
    assert "not document" in explain(ValueError("x"))


def test_the_sdk_still_has_what_we_override() -> None:
    """Private names of the SDK; where one goes, this fails before a user's program does."""
    for client in (openai.OpenAI, openai.AsyncOpenAI):
        for name in ("_make_status_error", "_make_status_error_from_response", "_process_response"):
            assert callable(getattr(client, name))
