"""foreign_errors.py: aiohttp, asked for by name, breaks like the SDK's own transport and shows no key."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import openai
import pytest

from kimi_openai import StreamCutError, complete, stream
from kimi_openai.client.foreign_errors import as_sdk_error, is_foreign
from tests.conftest import Mode
from tests.servers import MakeScripted

pytest.importorskip("aiohttp")
ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}
KEY = "sk-0123456789abcdef0123456789abcdef"
CUT = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b'3c\r\ndata: {"id":"c","choices":[{"delta":{"content":"some "}}]}\n\n\r\n'
)
BROKEN: dict[str, Callable[[], Iterable[bytes | float]]] = {
    "bad status line": lambda: [b"HTTP/9.9 hello\r\n\r\n"],
    "bad header": lambda: [b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n"],
    "no head": list,
    "half a body": lambda: [b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{"],
    "half a stream": lambda: [CUT, 0.1],  # aiohttp drops what it has not handed out when the connection ends
}


WAYS: dict[str, Callable[[Mode, Any], Any]] = {
    "create": lambda mode, client: mode.run(client.chat.completions.create(**ASK)),
    "create(stream)": lambda mode, client: mode.each(mode.run(client.chat.completions.create(**ASK, stream=True))),
    "stream": lambda mode, client: mode.each(stream(client, **ASK)),
    "complete": lambda mode, client: mode.run(complete(client, **ASK)),
}


@pytest.fixture
def aiohttp_client() -> Iterator[Callable[..., Any]]:
    """Makes asynchronous clients whose transport is aiohttp."""
    mode = Mode("async")

    def make(base_url: str, **options: Any) -> tuple[Mode, Any]:
        http = openai.DefaultAioHttpClient()
        return mode, mode.client(api_key=KEY, base_url=base_url, http_client=http, max_retries=0, **options)

    yield make
    mode.close()


def linked(error: BaseException | None) -> list[BaseException]:
    """The exception and all that it refers to as a cause or context."""
    return [] if error is None else [error, *linked(error.__cause__), *linked(error.__context__)]


def assert_clean(error: BaseException) -> None:
    """Nothing of aiohttp's is left of it, and no text shows the key."""
    for each in linked(error):
        assert "aiohttp" not in {base.__module__.partition(".")[0] for base in type(each).__mro__}
        assert KEY not in repr(each) + str(each) + repr(vars(each))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_what_breaks_is_the_sdks_exception(aiohttp_client: Any, scripted: MakeScripted, script: Any, way: str) -> None:
    """Not aiohttp's own, whose `repr` shows the headers."""
    mode, client = aiohttp_client(scripted(script).base_url)
    with pytest.raises(openai.OpenAIError) as caught:
        WAYS[way](mode, client)
    assert_clean(caught.value)


def test_parts_hold_no_exception_of_aiohttp(aiohttp_client: Any, scripted: MakeScripted) -> None:
    """Nor does the error that ends a stream."""
    mode, client = aiohttp_client(scripted(BROKEN["half a stream"]).base_url)
    answer = stream(client, **ASK, on_cut="raise")
    with pytest.raises(StreamCutError) as caught:
        mode.each(answer)
    assert caught.value.text == "some "
    assert_clean(caught.value)
    for part in answer.parts:
        assert_clean(part.cause or Exception())


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@pytest.mark.parametrize("retries", [0, 1])
def test_a_refused_connection_is_not_a_timeout(aiohttp_client: Any, retries: int) -> None:
    """aiohttp's transport says so, and the SDK with it."""
    events: list[Any] = []
    mode, client = aiohttp_client(f"http://127.0.0.1:{closed_port()}/v1", on_retry=events.append)
    with pytest.raises(openai.APIConnectionError, match=r"Connection error\. \(\w*Error\)") as caught:
        mode.run(client.with_options(max_retries=retries).models.list())
    assert not isinstance(caught.value, openai.APITimeoutError)
    assert [event.kind for event in events] == ["connection"] * retries
    assert_clean(caught.value)


def test_a_timeout_is_one(aiohttp_client: Any, scripted: MakeScripted) -> None:
    """The server is silent."""
    mode, client = aiohttp_client(scripted(lambda: [20.0]).base_url, timeout=0.2)
    with pytest.raises(openai.APITimeoutError, match=r"timed out.* -- no answer in time") as caught:
        mode.run(client.models.list())
    assert_clean(caught.value)


def test_other_exceptions_are_left_alone() -> None:
    """Those of the caller, of Python and of the SDK."""
    for error in (KeyError("x"), OSError(2, "no file"), openai.OpenAIError("x")):
        assert not is_foreign(error)
        assert as_sdk_error(error, None) is error
