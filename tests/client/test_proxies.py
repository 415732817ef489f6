"""proxies.py: requests to this machine do not go through a proxy of the environment."""

from __future__ import annotations

from typing import Any

import openai
import pytest

from kimi_openai.client.proxies import bypass_proxies_for_loopback
from kimi_openai.emulator import Emulator
from tests.canned import LIBRARY
from tests.conftest import Mode
from tests.servers import Answering, MakeAnswering


@pytest.fixture
def proxy(answering: MakeAnswering, monkeypatch: pytest.MonkeyPatch) -> Answering:
    """A proxy that the environment names for everything; it answers itself."""
    server = answering(200, {"object": "list", "data": []}, then={"object": "list", "data": []})
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, server.base_url.removesuffix("/v1"))
    return server


def http_client(mode: Mode, **options: Any) -> Any:
    """An HTTP client of the caller's."""
    return (openai.DefaultAsyncHttpxClient if mode.is_async else openai.DefaultHttpxClient)(**options)


@pytest.mark.parametrize("is_callers", [False, True], ids=["ours", "the caller's"])
def test_a_loopback_base_url_is_reached_directly(
    mode: Mode, kimi: Emulator, proxy: Answering, is_callers: bool
) -> None:
    """By clients and copies, with our HTTP client and with the caller's. The proxy sees neither key nor prompt."""
    options = {"http_client": http_client(mode)} if is_callers else {}
    client = mode.client(kimi, **options)
    for each in (client, client.with_options(base_url=kimi.base_url.replace("127.0.0.1", "localhost"))):
        assert mode.run(each.models.list()).data
    assert proxy.requests == []


@pytest.mark.parametrize("is_callers", [False, True], ids=["ours", "the caller's"])
def test_other_hosts_are_reached_through_the_proxy(mode: Mode, proxy: Answering, is_callers: bool) -> None:
    """As the environment wants it."""
    options = {"http_client": http_client(mode)} if is_callers else {}
    client = mode.client(base_url="http://gateway.example/v1", allow_http=True, api_key="sk-1", **options)
    assert mode.run(client.models.list()).data == []
    assert [path for _, path, _ in proxy.requests] == ["/v1/models"]


def test_a_proxy_that_was_passed_stays_in_use(mode: Mode, kimi: Emulator, answering: MakeAnswering) -> None:
    """To look at the requests to a local server, for example."""
    passed = answering(200, {"object": "list", "data": []})
    http = http_client(mode, proxy=passed.base_url.removesuffix("/v1"))
    assert mode.run(mode.client(kimi, http_client=http).models.list()).data == []
    assert len(passed.requests) == 1


@pytest.mark.usefixtures("proxy")
def test_a_client_is_changed_once_and_more_special_entries_stay_first(mode: Mode) -> None:
    """However many of our clients share it; the table is the HTTP library's."""
    http = http_client(mode, mounts={"all://127.0.0.1": LIBRARY.MockTransport(bool)})
    rows = len(http._mounts)
    bypass_proxies_for_loopback(http)
    bypass_proxies_for_loopback(http)
    assert len(http._mounts) == rows + 1
    assert next(iter(http._mounts)).pattern == "all://127.0.0.1"


@pytest.mark.usefixtures("proxy")
def test_a_client_without_the_environment_is_left_alone(mode: Mode) -> None:
    """With `trust_env=False` its proxies are the caller's; an object of another kind has none."""
    http = http_client(mode, trust_env=False, proxy="http://proxy.example:3128")
    before = list(http._mounts)
    bypass_proxies_for_loopback(http)
    assert list(http._mounts) == before
    bypass_proxies_for_loopback(object())
