"""The proxy, used by bare clients of the SDK."""

from __future__ import annotations

import asyncio
import hmac
import http.client
import json
import logging
import socket
import warnings
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import openai
import pydantic
import pytest

from kimi_openai import Limits, SettingsError
from kimi_openai.adapting.notes import LONGEST
from kimi_openai.emulator import Emulator, call, ends_after, out_of_quota, pause, rate_limited, say, think
from kimi_openai.proxy import Proxy
from tests.conftest import Mode
from tests.waiting import wait_until

from .conftest import MakeProxy

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]
ASK: dict[str, Any] = {"model": "kimi-k3", "messages": HELLO}
MakeBare = Callable[..., Any]


def sent(proxy: Proxy, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any, dict[str, str]]:
    """Status, body and headers of a request that no SDK makes."""
    connection = http.client.HTTPConnection(urlsplit(proxy.base_url).netloc, timeout=30)
    headers = {"Authorization": f"Bearer {proxy.token}", "Content-Type": "application/json", **headers}
    connection.request(method, path, body if isinstance(body, bytes | None) else json.dumps(body), headers)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, json.loads(content), {name.lower(): value for name, value in response.getheaders()}


def test_a_program_for_openai_works(mode: Mode, kimi: Emulator, proxy: Proxy, bare: MakeBare) -> None:
    """Aliases, changes, reasoning, usage and the answer; no warning anywhere."""
    kimi.script(think("hm"), say("hello"))
    messages = [{"role": "developer", "content": "Be brief."}, *HELLO]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = mode.run(
            bare(proxy).chat.completions.create(model="gpt-4o", temperature=0.2, max_tokens=9, messages=messages)
        )
    assert (answer.choices[0].message.content, answer.choices[0].message.reasoning_content) == ("hello", "hm")
    assert answer.usage.total_tokens > 0
    assert kimi.chats[-1]["model"] == "kimi-k3"
    assert kimi.chats[-1]["messages"][0] == {"role": "system", "content": "Be brief."}
    assert kimi.chats[-1]["max_completion_tokens"] == 9
    assert "temperature" not in kimi.chats[-1]


def test_a_stream_comes_as_it_is_made(mode: Mode, kimi: Emulator, proxy: Proxy, bare: MakeBare) -> None:
    """The first chunk is there while the last one is not yet sent; when the program leaves, so does the proxy."""
    kimi.script(say("one"), pause(3600), say("two"))
    stream = mode.run(bare(proxy).chat.completions.create(**ASK, stream=True))
    text = ""
    while text != "one":
        text += mode.run(anext(stream) if mode.is_async else next(stream)).choices[0].delta.content or ""
    mode.run(stream.close())
    wait_until(lambda: kimi.requests[-1].disconnected)


def test_an_answer_that_nobody_waits_for_is_cancelled(kimi: Emulator, proxy: Proxy) -> None:
    """A program that leaves before the answer ends the request to Kimi."""
    kimi.script(pause(3600), say("late"))
    client = openai.OpenAI(api_key=proxy.token, base_url=proxy.base_url, max_retries=0)
    with client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(**ASK, timeout=0.5)
    wait_until(lambda: bool(kimi.requests) and kimi.requests[-1].disconnected)


def test_a_streamed_tool_call_and_its_usage(mode: Mode, kimi: Emulator, proxy: Proxy, bare: MakeBare) -> None:
    """The SDK's `.stream()` puts the call together; usage comes where OpenAI has it."""
    tool: Any = {"type": "function", "function": {"name": "get", "parameters": {"type": "object", "properties": {}}}}
    kimi.script(think("look"), call("get", {"a": 1}))
    chunks = mode.each(mode.run(bare(proxy).chat.completions.create(**ASK, tools=[tool], stream=True)))
    pieces = [piece for chunk in chunks for piece in chunk.choices[0].delta.tool_calls or ()]
    assert pieces[0].function.name == "get"
    assert json.loads("".join(piece.function.arguments or "" for piece in pieces)) == {"a": 1}
    assert chunks[-1].usage.total_tokens > 0


def test_structured_output(mode: Mode, kimi: Emulator, proxy: Proxy, bare: MakeBare) -> None:
    """`parse` sends a schema that Kimi accepts."""

    class Answer(pydantic.BaseModel):
        number: int

    kimi.script(say('{"number": 3}'))
    answer = mode.run(bare(proxy).chat.completions.parse(**ASK, response_format=Answer))
    assert answer.choices[0].message.parsed == Answer(number=3)


def test_other_endpoints(mode: Mode, proxy: Proxy, bare: MakeBare) -> None:
    """Models, files, balance, estimate."""
    client = bare(proxy)
    assert mode.run(client.models.list()).data
    file = mode.run(client.files.create(file=("a.txt", b"tuesday"), purpose="assistants"))
    assert "tuesday" in mode.run(client.files.content(file.id)).text
    assert [each.id for each in mode.run(client.files.list(limit=5)).data] == [file.id]
    assert mode.run(client.files.delete(file.id)).deleted
    assert mode.run(client.get("/users/me/balance", cast_to=object))["data"]["available_balance"]
    body = {**ASK, "model": "gpt-4o"}
    estimate = mode.run(client.post("/tokenizers/estimate-token-count", cast_to=object, body=body))
    assert estimate["data"]["total_tokens"] > 0


@pytest.mark.parametrize("key", ["", "wrong", "sk-emulator", "né"])
def test_nobody_without_the_token_is_let_in(
    kimi: Emulator, proxy: Proxy, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """401 for every path, in OpenAI's form; Kimi is not asked, and the comparison takes constant time."""
    compared: list[Any] = []
    compare = hmac.compare_digest
    monkeypatch.setattr(hmac, "compare_digest", lambda *pair: compared.append(pair) or compare(*pair))
    for path in ("/v1/chat/completions", "/v1/models", "/"):
        status, body, headers = sent(proxy, "POST", path, ASK, Authorization=f"Bearer {key}")
        assert (status, body["error"]["type"], headers["www-authenticate"]) == (401, "authentication_error", "Bearer")
        assert proxy.token not in str(body)
    assert len(compared) == 3
    assert kimi.requests == []


def test_the_token_may_be_chosen(make_proxy: MakeProxy) -> None:
    """And come in the headers of other programs; what no header can have is refused at once."""
    proxy = make_proxy(token="my-own-token")
    assert sent(proxy, "GET", "/v1/models", Authorization="bearer my-own-token")[0] == 200
    assert sent(proxy, "GET", "/v1/models", Authorization="", **{"x-api-key": "my-own-token"})[0] == 200
    for token in ("", "a b", "né", "a\n"):
        with pytest.raises(SettingsError, match="token"):
            Proxy(token=token, api_key="sk-1")
    assert Proxy(api_key="sk-1").token != Proxy(api_key="sk-1").token


def test_only_kimis_key_and_few_headers_go_on(kimi: Emulator, proxy: Proxy) -> None:
    """Neither the token nor cookies, OpenAI's headers, those of a proxy, and those of one connection."""
    headers = {
        "Cookie": "a=b",
        "OpenAI-Organization": "org-1",
        "X-Forwarded-For": "10.0.0.1",
        "Connection": "X-Hop",
        "X-Hop": "1",
        "Idempotency-Key": "k-1",
    }
    status, _, answered = sent(proxy, "POST", "/v1/chat/completions", ASK, **headers)
    got = kimi.requests[-1].headers
    assert status == 200
    assert got["authorization"] == f"Bearer {kimi.api_key}"
    assert got["idempotency-key"] == "k-1"
    assert got["host"] == urlsplit(kimi.base_url).netloc
    assert {"cookie", "openai-organization", "x-forwarded-for", "x-hop"}.isdisjoint(name.lower() for name in got)
    assert proxy.token not in str(kimi.requests[-1].raw_headers)
    assert answered["server"] == "kimi-openai-proxy"
    assert answered["x-request-id"]


def test_errors_say_what_to_do_and_whether_to_retry(mode: Mode, kimi: Emulator, proxy: Proxy, bare: MakeBare) -> None:
    """In OpenAI's form; the SDK of the program obeys."""
    kimi.fail(out_of_quota())
    with pytest.raises(openai.RateLimitError, match="no balance left") as caught:
        mode.run(bare(proxy, max_retries=3).chat.completions.create(**ASK))
    assert caught.value.type == "exceeded_current_quota_error"
    assert len(kimi.requests) == 1
    kimi.fail(rate_limited(retry_after=7))
    with pytest.raises(openai.RateLimitError) as caught:
        mode.run(bare(proxy).chat.completions.create(**ASK))
    assert caught.value.response.headers["x-should-retry"] == "true"
    assert 7000 <= int(caught.value.response.headers["retry-after-ms"]) <= 8000


def test_a_request_that_cannot_be_repaired_is_a_400(kimi: Emulator, proxy: Proxy) -> None:
    """With the reasons; and so is a body that is not JSON, by Kimi's words."""
    status, body, _ = sent(proxy, "POST", "/v1/chat/completions", {**ASK, "messages": "Hi"})
    assert (status, body["error"]["code"]) == (400, "kimi_compat")
    assert kimi.requests == []
    assert sent(proxy, "POST", "/v1/chat/completions", b"{")[0] == 400


def test_a_kimi_that_is_not_there_is_a_502(make_proxy: MakeProxy) -> None:
    """And one that does not answer in time is a 504."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        silent = make_proxy(base_url=f"http://127.0.0.1:{port}/v1", timeout=0.2)
        status, body, _ = sent(silent, "POST", "/v1/chat/completions", ASK)
        assert (status, body["error"]["type"]) == (504, "timeout")
    status, body, headers = sent(silent, "POST", "/v1/chat/completions", ASK)
    assert (status, body["error"]["type"]) == (502, "connection_error")
    assert "x-should-retry" not in headers


def test_a_stream_that_breaks_says_so(mode: Mode, kimi: Emulator, proxy: Proxy, bare: MakeBare) -> None:
    """An error event, not an end as if all were well."""
    kimi.fail(ends_after(3))
    stream = mode.run(bare(proxy).chat.completions.create(**ASK, stream=True))
    with pytest.raises(openai.APIError, match="was cut before its finish_reason"):
        mode.each(stream)


def test_notes_are_in_a_header_and_in_the_log(kimi: Emulator, proxy: Proxy, caplog: pytest.LogCaptureFixture) -> None:
    """Bounded, in ASCII; the log has the reasons, and neither key nor token."""
    caplog.set_level(logging.INFO, "kimi_openai")
    messages = [{"role": "developer", "content": f"{number}"} for number in range(300)]
    body = {"model": "kimi-k3", "temperature": 0, "messages": [*messages, *HELLO]}
    _, _, headers = sent(proxy, "POST", "/v1/chat/completions?key=sk-secret1", body)
    assert headers["x-kimi-notes"].startswith("temperature: left out; messages.0.role: sent as 'system'")
    assert len(headers["x-kimi-notes"]) == LONGEST
    sent(proxy, "GET", "/v1/models", Authorization="Bearer sk-wrong-token-1")
    assert "invalid temperature" in caplog.text
    assert "POST /v1/chat/completions: 200" in caplog.text
    assert [word for word in (proxy.token, kimi.api_key, "sk-secret1", "sk-wrong") if word in caplog.text] == []


def test_images_are_put_into_the_request_if_asked_for(
    kimi: Emulator, make_proxy: MakeProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without `fetch_images` the request is refused with the reason."""
    monkeypatch.setattr("kimi_openai.compat.images.fetch_image", lambda _: "data:image/png;base64,iVBORw0KGgo=")
    part = {"type": "image_url", "image_url": {"url": "https://images.example/a.png"}}
    body = {"model": "kimi-k3", "messages": [{"role": "user", "content": [part]}]}
    assert sent(make_proxy(), "POST", "/v1/chat/completions", body)[0] == 400
    assert sent(make_proxy(fetch_images=True), "POST", "/v1/chat/completions", body)[0] == 200
    assert kimi.chats[-1]["messages"][0]["content"][0]["image_url"]["url"].startswith("data:image/png")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/models", 404), ("GET", "/v1/../models", 404), ("OPTIONS", "/v1/models", 405), ("GET", "/v1/none", 404)],
)
def test_what_is_not_there(proxy: Proxy, method: str, path: str, status: int) -> None:
    """An error in OpenAI's form."""
    found, body, _ = sent(proxy, method, path)
    assert (found, isinstance(body["error"]["message"], str)) == (status, True)


def test_a_request_may_be_large_but_not_of_any_size(proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images make requests large; one that is larger than Kimi takes is a 413."""
    long = {"model": "kimi-k3", "messages": [{"role": "user", "content": "a" * 3_000_000}]}
    assert sent(proxy, "POST", "/v1/tokenizers/estimate-token-count", long)[0] == 200
    monkeypatch.setattr("kimi_openai.proxy.proxy.MAX_BODY", 1000)
    monkeypatch.setattr("kimi_openai.proxy.handler.MAX_BODY", 1000)

    async def small() -> int:
        async with Proxy(api_key="sk-1", base_url="http://127.0.0.1:9/v1") as other:
            return (await asyncio.to_thread(sent, other, "POST", "/v1/chat/completions", long))[0]

    assert asyncio.run(small()) == 413


def test_two_hundred_streams_at_once(kimi: Emulator, proxy: Proxy) -> None:
    """Each program gets its own answer, whole."""
    kimi.reply = lambda request: say(f"answer to {request.json['messages'][0]['content']} " + "word " * 4)

    async def ask(client: openai.AsyncOpenAI, number: int) -> str:
        messages: Any = [{"role": "user", "content": str(number)}]
        stream = await client.chat.completions.create(model="kimi-k3", messages=messages, stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

    async def run() -> list[str]:
        async with openai.AsyncOpenAI(api_key=proxy.token, base_url=proxy.base_url, max_retries=0) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(200)))

    answers = asyncio.run(run())
    assert answers == [f"answer to {number} " + "word " * 4 for number in range(200)]


@pytest.mark.parametrize("limit", [{"max_concurrency": 2}, {"limits": Limits(concurrency=2, rpm=100)}], ids=str)
def test_limits_hold_for_all_programs(kimi: Emulator, make_proxy: MakeProxy, limit: dict[str, Any]) -> None:
    """They are the account's, however many programs there are."""
    proxy = make_proxy(**limit, patience=30)
    open_at_once: list[int] = []

    def reply(_: object) -> Any:
        open_at_once.append(sum(request.status is None for request in kimi.requests))
        return [pause(0.02), say("hello")]

    kimi.reply = reply

    async def run() -> None:
        async with openai.AsyncOpenAI(api_key=proxy.token, base_url=proxy.base_url, max_retries=0) as client:
            await asyncio.gather(*(client.chat.completions.create(**ASK) for _ in range(8)))

    asyncio.run(run())
    assert max(open_at_once) <= 2


def test_the_address(proxy: Proxy) -> None:
    """Loopback unless told otherwise, also in what is printed; a port that is taken is an `OSError`."""
    assert (proxy.host, proxy.is_local) == ("127.0.0.1", True)
    everywhere = Proxy(8766, host="0.0.0.0", api_key="sk-1")
    assert (everywhere.base_url, everywhere.is_local) == ("http://127.0.0.1:8766/v1", False)
    assert Proxy(8766, host="::1", api_key="sk-1").base_url == "http://[::1]:8766/v1"
    with pytest.raises(SettingsError, match="port"):
        Proxy(70000, api_key="sk-1")
    taken = Proxy(urlsplit(proxy.base_url).port or 0, api_key="sk-1")
    with pytest.raises(OSError, match="in use"):
        asyncio.run(taken.start())
    assert proxy.token not in repr(proxy)
