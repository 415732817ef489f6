"""The faults as values: their errors, and their names for the header."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kimi_openai.emulator import (
    Fault,
    content_filtered,
    ends_after,
    html,
    internal_error,
    out_of_quota,
    overloaded,
    parse_fault,
    rate_limited,
    reset,
    reset_after,
    stall,
)
from kimi_openai.emulator.faults.catalogue import FAULTS
from kimi_openai.emulator.frames import Response
from tests.emulator.http import error_of

ERRORS: dict[str, Response] = {
    "rate_organization": rate_limited(),
    "rate_concurrency": rate_limited("concurrency"),
    "rate_rpm": rate_limited("rpm"),
    "rate_tpm": rate_limited("tpm"),
    "rate_tpd": rate_limited("tpd"),
    "overloaded": overloaded(),
    "quota": out_of_quota(),
    "content_filter": content_filtered(),
    "state_transition": internal_error(),
}


@pytest.mark.parametrize(("name", "response"), ERRORS.items(), ids=ERRORS)
def test_errors(name: str, response: Response) -> None:
    """Each error has its recorded status and body, and no Retry-After by default."""
    assert (response.status, json.loads(response.body)) == error_of(name)
    assert response.headers == ()


def test_retry_after() -> None:
    """Both header names are sent, as on the one measured 429."""
    assert dict(overloaded(2).headers).keys() == {"Retry-After", "x-retry-after", "x-msh-trace-id"}
    assert dict(overloaded(2).headers)["Retry-After"] == dict(overloaded(2).headers)["x-retry-after"] == "2"


def test_html() -> None:
    """The gateway's page has the title of its status."""
    assert b"<title>504 Gateway Time-out</title>" in html(504).body


NAMED: dict[str, Fault] = {
    "reset": reset(),
    "reset_after=3": reset_after(3),
    "reset_after; nbytes=7": reset_after(nbytes=7),
    "ends_after=finish": ends_after("finish"),
    "rate_limited=tpm; retry_after=2": rate_limited("tpm", retry_after=2),
    "stall=2; seconds=0.5": stall(2, seconds=0.5),
    "html=503": html(503),
}


@pytest.mark.parametrize(("text", "fault"), NAMED.items(), ids=NAMED)
def test_parse(text: str, fault: Fault) -> None:
    """A fault by name equals the result of its function."""
    assert parse_fault(text) == fault


@pytest.mark.parametrize("text", ["earthquake", "", "reset=1=2"])
def test_parse_refuses(text: str) -> None:
    """An unknown fault or argument is an error, not a normal answer."""
    with pytest.raises((ValueError, TypeError)):
        parse_fault(text)


@pytest.mark.parametrize("name", sorted(FAULTS))
def test_faults_are_values(name: str) -> None:
    """Every fault works without arguments (but `refuse`), equals itself and can be a key of `chance`."""
    arguments: list[Any] = ["no"] if name == "refuse" else []
    assert {FAULTS[name](*arguments): 0.1} == {FAULTS[name](*arguments): 0.1}
