"""Compares what a tracing tool recorded of the SDK's client with what it recorded of ours."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import pytest

from .calls import CALLS, FACTS, REFUSED, USED_BEFORE

__all__ = ["Recorded", "each_call", "needs"]


def needs(tool: str) -> None:
    """Skips the test module that calls it if this package is not installed."""
    try:
        version(tool)
    except PackageNotFoundError:
        pytest.skip("needs the extra `tracing`", allow_module_level=True)


each_call = pytest.mark.parametrize("call", [f"{name}, {mode}" for name in CALLS for mode in ("sync", "async")])

ID_OR_TIME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\d[.\d]*")

ASKED = {"model", "messages", "tools"}
ANSWERED = {*ASKED, "answer", "tool call", "usage"}
EXPECTED: Mapping[str, Collection[str]] = {
    "create": ANSWERED,
    "parse": {"model", "messages", "parsed", "usage"},
    "stream": ANSWERED,
    "stream without usage": ANSWERED,
    "left early": ASKED,
    "helper": ANSWERED,
    "raw": ANSWERED,
    "refused": {*ASKED, "error"},
    USED_BEFORE: ANSWERED,
}
"""The facts that a trace of each call should have."""


USAGE = re.compile("usage|token", re.IGNORECASE)
"""In the name of every key under which a tool records usage."""


class Recorded:
    """What a tool recorded of each call. Keys in `volatile` differ from run to run and are left out."""

    def __init__(self, found: Mapping[str, list[Any]], volatile: Collection[str]) -> None:
        self._found = found
        self._volatile = frozenset(volatile)

    def check(self, call: str, *, missing: Mapping[str, Collection[str]], adapted: Collection[str] = ()) -> None:
        """Assert that the trace is the same for both clients, and that it has all facts except for those that the tool
        misses with the SDK's client too (by the call's name, "" for all calls).

        `adapted` keys are not compared, nor is the usage that only our client finds.
        """
        name = call.partition(",")[0]
        dropped = {*self._volatile, *adapted}
        sdks, ours = (comparable(each, dropped) for each in self._found[call])
        expected = {*EXPECTED[name]}.difference(missing.get("", ()), missing.get(name, ()))
        assert facts_in(ours["spans"]) >= expected
        if name == "stream without usage":
            sdks, ours = without_usage(sdks), without_usage(ours)
        assert ours == sdks


def comparable(value: Any, dropped: Collection[str]) -> Any:
    """The value with JSON texts read and without the dropped keys, ids, times, error texts and stack traces."""
    if isinstance(value, list):
        return [comparable(each, dropped) for each in value]
    if isinstance(value, dict):
        return {key: comparable(each, dropped) for key, each in value.items() if key not in dropped}
    if not isinstance(value, str):
        return value
    if REFUSED in value:
        return REFUSED
    if value.startswith(("{", "[", '"')):
        with suppress(ValueError):
            return comparable(json.loads(value), dropped)
    return ID_OR_TIME.sub("*", value)


def without_usage(value: Any) -> Any:
    """The value without the keys that tell the usage."""
    if isinstance(value, list):
        return [without_usage(each) for each in value]
    if isinstance(value, dict):
        return {key: without_usage(each) for key, each in value.items() if not USAGE.search(key)}
    return value


def facts_in(spans: Any) -> set[str]:
    """The names of the `FACTS` that spans show."""
    text = json.dumps(spans)
    return {name for name, shown in FACTS.items() if re.search(rf"\b{re.escape(shown)}", text)}
