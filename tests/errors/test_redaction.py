"""What exceptions carry: never the key, in their texts, their requests and their pickles."""

from __future__ import annotations

import pickle
import traceback
from collections.abc import Callable
from typing import Any

import openai
import pytest

from kimi_openai import StreamCutError
from kimi_openai.emulator import Emulator, reset_after
from kimi_openai.errors.redaction import redact_request, without_key
from tests.canned import LIBRARY
from tests.conftest import Mode
from tests.servers import MakeAnswering

KEY = "gateway-secret-0001"
"""Not of the form of a key, so that only the request tells which word is the key."""

QUESTION: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


def repeated(status: int) -> tuple[int, Any]:
    """A refusal that repeats the key, as OpenAI and some gateways do."""
    return status, {"error": {"message": f"Incorrect API key provided: {KEY}", "type": "x"}}


STREAM_OF_ERRORS = b'data: {"error": {"message": "no ' + KEY.encode() + b'", "type": "x"}}\n\n'

FAILURES: dict[str, tuple[tuple[int, Any], dict[str, str], bool]] = {
    "a refusal": (repeated(401), {}, False),
    "a refusal of a stream": (repeated(401), {}, True),
    "an error with status 200": (repeated(200), {}, False),
    "a page": ((200, f"<p>{KEY}</p>".encode()), {"Content-Type": "text/html"}, False),
    "an error in a stream": ((200, STREAM_OF_ERRORS), {"Content-Type": "text/event-stream"}, True),
    "a stream that just ends": ((200, b": hello\n\n"), {"Content-Type": "text/event-stream"}, True),
}


@pytest.mark.parametrize(("answer", "headers", "is_stream"), FAILURES.values(), ids=FAILURES)
def test_no_error_shows_or_holds_the_key(
    mode: Mode, answering: MakeAnswering, answer: tuple[int, Any], headers: dict[str, str], is_stream: bool
) -> None:
    """Whatever the server says: not in `str`, `repr` and traceback, not in the headers of its request."""
    server = answering(*answer, headers)
    client = mode.client(base_url=server.base_url, api_key=KEY, max_retries=0)
    with pytest.raises(openai.OpenAIError) as caught:
        mode.each(mode.run(client.chat.completions.create(**QUESTION, stream=is_stream)))
    error: Any = caught.value
    shown = str(error) + repr(error) + "".join(traceback.format_exception(error))
    assert KEY not in shown
    assert error.request.headers["authorization"] == "[redacted]"
    assert b"Bearer" not in pickle.dumps(error.request)


def test_no_connection_error_holds_the_key(mode: Mode) -> None:
    """Nobody listens there. The client itself goes on with its key."""
    client = mode.client(base_url="http://127.0.0.1:9/v1", api_key=KEY, max_retries=1)
    with pytest.raises(openai.APIConnectionError) as caught:
        mode.run(client.models.list())
    assert caught.value.request.headers["authorization"] == "[redacted]"
    assert client.api_key == KEY


def test_a_pickled_cut_stream_has_no_key_in_it(mode: Mode, kimi: Emulator) -> None:
    """Worker processes and crash reports hand exceptions on as pickles."""
    kimi.fail(reset_after(4))
    with pytest.raises(StreamCutError) as caught:
        mode.each(mode.run(mode.client(kimi).chat.completions.create(**QUESTION, stream=True)))
    assert kimi.api_key.encode() not in pickle.dumps(caught.value)


@pytest.mark.parametrize("make", [lambda request: StreamCutError(request=request)], ids=["StreamCutError"])
def test_an_exception_of_ours_takes_the_key_out_of_its_request(make: Callable[[Any], Any]) -> None:
    """Also if somebody else makes it."""
    headers = {"Authorization": f"Bearer {KEY}", "Cookie": KEY, "X-Api-Key": KEY, "X-Other": "kept"}
    error = make(LIBRARY.Request("POST", "https://host/v1", headers=headers))
    assert KEY.encode() not in pickle.dumps(error)
    assert error.request.headers["x-other"] == "kept"


def test_a_request_without_headers_is_left_alone() -> None:
    """Such as `None`."""
    redact_request(None)


@pytest.mark.parametrize(("key", "text"), [(KEY, "no *** here"), ("no", "no gateway-secret-0001 here")])
def test_the_key_of_the_request_is_masked_in_texts(key: str, text: str) -> None:
    """Unless it is so short that it may be a part of any word."""
    request = LIBRARY.Request("GET", "https://host/v1", headers={"Authorization": f"Bearer {key}"})
    assert without_key(f"no {KEY} here", request) == text
