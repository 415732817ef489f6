"""hooks.py: request ids, redirects, and an HTTP client that is shared with others."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai.emulator import Emulator
from tests.conftest import Mode

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


@pytest.mark.parametrize("header", ["Msh-Request-Id", "x-msh-trace-id", "x-trace-id"])
def test_kimis_request_id_is_the_sdks(mode: Mode, header: str, answering: Any) -> None:
    """`_request_id` and `err.request_id` have the id, whichever header Kimi sends it in."""
    good = answering(200, {"object": "list", "data": []}, {header: "req-1"})
    assert mode.run(mode.client(api_key="sk-1", base_url=good.base_url).models.list())._request_id == "req-1"
    bad = answering(400, {"error": {"message": "no", "type": "invalid_request_error"}}, {header: "req-2"})
    with pytest.raises(openai.BadRequestError) as caught:
        mode.run(mode.client(api_key="sk-1", base_url=bad.base_url).models.list())
    assert caught.value.request_id == "req-2"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_to_another_origin_are_not_followed(mode: Mode, status: int, answering: Any) -> None:
    """A redirect to another origin is an error and nothing arrives there; one within the origin is followed."""
    elsewhere = answering(200, {"stolen": True})
    here = answering(status, {}, {"Location": f"{elsewhere.base_url}/chat/completions"})
    client = mode.client(api_key="sk-1", base_url=here.base_url, max_retries=0)
    with pytest.raises(openai.APIStatusError) as caught:
        mode.run(client.chat.completions.create(model="kimi-k3", messages=HELLO))
    assert (caught.value.status_code, elsewhere.requests) == (status, [])
    within = answering(status, {}, {"Location": "/moved"}, then={"object": "list", "data": []})
    mode.run(mode.client(api_key="sk-1", base_url=within.base_url).models.list())
    assert [path for _, path, _ in within.requests] == ["/v1/models", "/moved"]


def test_the_hook_is_installed_once_and_leaves_other_clients_alone(mode: Mode, answering: Any) -> None:
    """A caller's HTTP client may be shared by our clients and bare ones, whose responses are not changed."""
    server = answering(200, {"object": "list", "data": []}, {"Msh-Request-Id": "req-1"})
    http = openai.DefaultAsyncHttpxClient() if mode.is_async else openai.DefaultHttpxClient()
    client = mode.client(api_key="sk-1", base_url=server.base_url, http_client=http)
    assert mode.run(client.with_options(timeout=4).models.list())._request_id == "req-1"
    mode.client(api_key="sk-1", base_url=server.base_url, http_client=http)
    assert len(http.event_hooks["response"]) == 1
    bare = openai.AsyncOpenAI if mode.is_async else openai.OpenAI
    assert mode.run(bare(api_key="sk-1", base_url=server.base_url, http_client=http).models.list())._request_id is None


def test_requests_are_marked_with_their_call(mode: Mode, kimi: Emulator) -> None:
    """The SDK still calls `_prepare_request`, where each attempt is marked."""
    seen: list[Any] = []
    http = openai.DefaultAsyncHttpxClient() if mode.is_async else openai.DefaultHttpxClient()

    async def look_async(request: Any) -> None:
        look(request)

    def look(request: Any) -> None:
        seen.append(request.extensions.get("kimi_openai"))

    http.event_hooks["request"].append(look_async if mode.is_async else look)
    client = mode.client(kimi, http_client=http)
    mode.run(client.models.list())
    assert seen[0].options is client.kimi_options
