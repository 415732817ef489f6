"""The facts for `doctor`, from this machine and from the platform."""

from __future__ import annotations

import pytest

from kimi_openai.cli import probe
from kimi_openai.cli.probe import clock_skew, gather_facts, proxy_for
from kimi_openai.client.base_url import BASE_URLS
from kimi_openai.emulator import Emulator
from tests.servers import MakeAnswering


def test_the_key_is_tried_in_the_other_region(
    kimi: Emulator, answering: MakeAnswering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only if the configured region refuses it."""
    refusing = answering(401, {"error": {"message": "Invalid Authentication", "type": "invalid_authentication_error"}})
    monkeypatch.setattr("kimi_openai.client.settings.BASE_URLS", {"ai": refusing.base_url, "cn": kimi.base_url})
    monkeypatch.setattr(probe, "BASE_URLS", {"ai": refusing.base_url, "cn": kimi.base_url})
    monkeypatch.setattr("kimi_openai.client.settings.region_of", lambda url: "ai" if url == refusing.base_url else "cn")
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    facts = gather_facts({})
    assert facts.here
    assert facts.elsewhere
    assert (facts.here.status, facts.elsewhere.status, facts.call) == (401, 200, None)
    assert len(refusing.requests) == 1
    monkeypatch.setenv("MOONSHOT_REGION", "cn")
    facts = gather_facts({})
    assert facts.here
    assert (facts.here.status, facts.elsewhere) == (200, None)
    assert len(refusing.requests) == 1


def test_the_proxy_is_the_one_of_the_http_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same variables, with their exceptions; never for this machine."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "api.moonshot.cn")
    assert proxy_for(BASE_URLS["ai"]) == "http://proxy.example:3128"
    assert proxy_for(BASE_URLS["cn"]) is None
    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert proxy_for(BASE_URLS["ai"]) == "http://proxy.example:3128"
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    assert proxy_for("http://127.0.0.2:8765/v1") is None


@pytest.mark.parametrize("headers", [{}, {"date": "nonsense"}], ids=["none", "wrong"])
def test_without_a_date_there_is_no_clock_skew(headers: dict[str, str]) -> None:
    """The header of an answer may be missing or wrong."""
    assert clock_skew(headers, 0.0) is None
