"""What errors mean and say: over sockets as the user sees them, and as pure functions."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai._internal.clock import instant
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
from kimi_openai.errors.exceptions import StreamCutError, UnexpectedAnswerError
from kimi_openai.errors.explanations import explain, fault_of, refusal_of, stream_error
from kimi_openai.errors.faults import UNKNOWN, Refusal
from tests.canned import Canned
from tests.conftest import Mode

ASK: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize("body", [b"", b"[1]", b'"x"', b"{", b'{"error":null}', b'{"error":{"type":1}}', None, 3])
def test_a_body_that_is_no_error_has_no_type_and_no_message(body: Any) -> None:
    """Any text, bytes or JSON value can be read; only Kimi's error objects have parts."""
    assert refusal_of(500, body) == Refusal(500)


TEXTS = {
    "empty account": (out_of_quota(), openai.RateLimitError, "no balance left; the account's side; top up"),
    "empty account, 403": (out_of_quota(403), openai.PermissionDeniedError, "no balance left"),
    "TPD": (rate_limited("tpd"), openai.RateLimitError, "the day's tokens (TPD) are used up; the account's side"),
    "content": (content_filtered(), openai.BadRequestError, "content_filter: the content filter refused"),
    "key": (bad_key(), openai.AuthenticationError, "platform.kimi.ai, of platform.kimi.com and of Kimi Code"),
    "project budget": (
        refuse("project budget exceeded", status=403),
        openai.PermissionDeniedError,
        "the project's budget of the day or month is used up; the account's side; raise it in the project's settings",
    ),
    "400": (refuse("tool_choice 'x' is wrong"), openai.BadRequestError, "tool_choice 'x' is wrong"),
}


@pytest.mark.parametrize(("fault", "kind", "said"), TEXTS.values(), ids=TEXTS)
def test_an_error_is_the_sdks_and_says_what_it_means(
    mode: Mode, kimi: Emulator, fault: Any, kind: Any, said: str
) -> None:
    """Class, body and text are the SDK's, the explanation follows, and none of these errors is retried."""
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


def test_a_request_that_is_too_large_says_what_to_upload(mode: Mode, kimi: Emulator) -> None:
    """Many images in one request come to more than 100 MB; a gateway may answer with a page."""
    kimi.fail(html(413))
    with pytest.raises(openai.APIStatusError, match=r" -- .* the 100 MB .* with its images .*upload_media") as caught:
        mode.run(mode.client(kimi, max_retries=5).chat.completions.create(**ASK))
    assert caught.value.status_code == 413
    assert len(kimi.requests) == 1


def test_a_limit_of_the_project_is_not_the_accounts(mode: Mode, kimi: Emulator) -> None:
    """Topping up does not help there."""
    kimi.fail(rate_limited("project_tpm"))
    with pytest.raises(openai.RateLimitError, match="raise the project's own TPM in its settings") as caught:
        mode.run(mode.client(kimi, max_retries=0).chat.completions.create(**ASK))
    assert "topping up" not in str(caught.value)


RETRIED = {"RPM": rate_limited("rpm"), "overload": overloaded(), "500": internal_error(), "503": unavailable()}


@pytest.mark.parametrize("fault", [*RETRIED.values(), html(504)], ids=[*RETRIED, "504"])
def test_an_error_says_how_often_it_was_retried(mode: Mode, kimi: Emulator, fault: Any) -> None:
    """So does the error of `with_raw_response`."""
    client = mode.client(kimi, max_retries=2)
    kimi.fail(*[fault] * 6)
    with instant():
        for ask in (client.chat.completions.create, client.chat.completions.with_raw_response.create):
            with pytest.raises(openai.APIStatusError, match=r"side; .*\(retried 2 times\)$"):
                mode.run(ask(**ASK))
    assert len(kimi.requests) == 6


def test_a_model_that_is_gone_names_its_successor(mode: Mode, kimi: Emulator) -> None:
    """The text also lists the current ids."""
    client = mode.client(kimi, compat="off")
    with pytest.raises(openai.NotFoundError, match=r"moonshot-v1-8k is retired, use kimi-k3; current ids: kimi-k3, "):
        mode.run(client.chat.completions.create(**{**ASK, "model": "moonshot-v1-8k"}))


@pytest.mark.k2
def test_a_k2_model_may_be_closed_to_a_new_account() -> None:
    """Kimi answers such an account with the 404 of an unknown model."""
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
    """Kimi answers such a path with 404 in another form, or with 403."""
    with pytest.raises(openai.APIStatusError, match=f"{resource}: Kimi does not have this part") as caught:
        mode.run(OTHERS[resource](mode.client(kimi)))
    assert fault_of(caught.value).kind == "not_offered"


def test_an_unknown_url_is_explained(mode: Mode, kimi: Emulator) -> None:
    """The SDK leaves only `url.not_found` of the body; the text names the path and does not blame a missing /v1."""
    said = "nothing is at this URL and method; .* the path is '/v1/chat/nowhere': check it and the method"
    with pytest.raises(openai.NotFoundError, match=said) as caught:
        mode.run(mode.client(kimi).get("/chat/nowhere", cast_to=object))
    assert caught.value.body == "url.not_found"
    assert fault_of(caught.value).kind == "url_not_found"


def test_a_missing_v1_is_explained() -> None:
    """The settings refuse such a base URL, but a request can still go to another URL."""
    assert "write the base URL with /v1" in explain(Refusal(404, "url.not_found", "", "/chat/completions"))


BAD_ANSWERS = {
    "a web page": (html(200), openai.APIResponseValidationError, "status 200 with text/html "),
    "nothing": (empty_body(), openai.APIResponseValidationError, "status 200 with nothing in it"),
    "an error": (error_body(), openai.InternalServerError, "unexpected_output: Kimi failed to answer"),
}


@pytest.mark.parametrize(("answer", "kind", "said"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_bad_answer_with_status_200_is_an_error(
    mode: Mode, kimi: Emulator, answer: Any, kind: Any, said: str, stream: bool
) -> None:
    """The SDK alone returns a `str`, a completion without fields, or a stream without chunks."""
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
    """Code that looks at `status_code` treats both in the same way."""
    body = b'{"error":{"message":"no balance","type":"exceeded_current_quota_error"}}'
    http = Canned(body, content_type="application/json").client(mode.is_async)
    client = mode.client(api_key="sk-x", http_client=http)
    with pytest.raises(openai.RateLimitError, match=r"^no balance -- .*; top up") as caught:
        mode.run(client.chat.completions.create(**ASK))
    assert (caught.value.status_code, caught.value.type) == (429, "exceeded_current_quota_error")


def test_plain_json_is_no_stream(mode: Mode, kimi: Emulator) -> None:
    """The SDK alone returns a stream without chunks."""
    kimi.fail(plain_json())
    with pytest.raises(openai.APIResponseValidationError, match="application/json instead of a stream"):
        mode.run(mode.client(kimi).chat.completions.create(**ASK, stream=True))


def test_half_json_is_no_answer(mode: Mode) -> None:
    """A body that ends early is an error, also if the connection closes properly."""
    http = Canned(b'{"id":"chatcmpl-1","choices":[', content_type="application/json").client(mode.is_async)
    with pytest.raises(openai.APIResponseValidationError, match="not whole JSON"):
        mode.run(mode.client(api_key="sk-x", http_client=http).chat.completions.create(**ASK))


def test_raw_text_and_files_are_not_checked(mode: Mode, kimi: Emulator) -> None:
    """A caller who wants text gets any text."""
    kimi.fail(html(200), html(200))
    client = mode.client(kimi)
    assert "Welcome" in mode.run(client.get("/x", cast_to=str))
    assert "Welcome" in mode.run(client.files.content("file_1")).text


def test_an_error_in_a_stream_has_the_class_of_its_type(mode: Mode, kimi: Emulator) -> None:
    """An unknown type is an `APIError`."""
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


def test_a_connection_error_says_what_it_means(mode: Mode, kimi: Emulator) -> None:
    """The SDK says only "Connection error."; the text names the class of the cause, but does not quote it."""
    kimi.fail(reset(), reset())
    said = r"^[\w ]+\. \(\w+\) -- no answer came through; the connection's side; .*\(retried once\)$"
    with instant(), pytest.raises(openai.APIConnectionError, match=said):
        mode.run(mode.client(kimi, max_retries=1).chat.completions.create(**ASK))


def test_exceptions_without_an_error_answer_have_a_fault_too() -> None:
    """Ours have their own; an exception that is not about an answer is unknown."""
    assert fault_of(StreamCutError(request=None)).kind == "stream_cut"
    assert fault_of(UnexpectedAnswerError("the balance", {})).kind == "no_answer"
    assert fault_of(ValueError("x")) is UNKNOWN
    assert explain(ValueError("x")) == (
        "an error that Kimi does not document; an unknown side; see its own words above (not retried)"
    )


def test_the_sdk_still_has_what_we_override() -> None:
    """They are private: if an SDK version renames one, this test fails before a user's program does."""
    for client in (openai.OpenAI, openai.AsyncOpenAI):
        for name in ("_make_status_error", "_make_status_error_from_response", "_process_response"):
            assert callable(getattr(client, name))
