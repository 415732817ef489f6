"""The token estimate over real sockets."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator, say
from tests.emulator.http import HELLO, chat, send

ESTIMATES: dict[str, tuple[dict[str, Any], int]] = {
    "short": ({}, 200),
    "unknown model": ({"model": "kimi-k2.5"}, 404),
    "broken message": ({"messages": [{"role": "developer", "content": "x"}]}, 400),
    "sampling is not checked": ({"temperature": 3}, 200),
}


@pytest.mark.parametrize(("body", "status"), ESTIMATES.values(), ids=ESTIMATES)
def test_estimate(kimi: Emulator, body: dict[str, Any], status: int) -> None:
    """The estimate checks model and messages only, costs nothing and uses no script."""
    before = kimi.balance
    kimi.script(say("kept"))
    whole = {"model": "kimi-k3", "messages": HELLO, **body}
    assert send(kimi, "POST", "/v1/tokenizers/estimate-token-count", whole).status == status
    assert (kimi.balance, chat(kimi).message["content"]) == (before, "kept")


def test_estimate_of_tools() -> None:
    """Tools count only with `estimate_counts_tools`."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    counts: list[int] = []
    for counted in (False, True):
        with Emulator(behaviour=Behaviour(estimate_counts_tools=counted)) as kimi:
            for body in ({}, {"tools": [tool]}):
                whole = {"model": "kimi-k3", "messages": HELLO, **body}
                answer = send(kimi, "POST", "/v1/tokenizers/estimate-token-count", whole)
                counts.append(answer.json["data"]["total_tokens"])
    assert counts[0] == counts[1] == counts[2] < counts[3]


@pytest.mark.parametrize(("switch", "status"), [("count", 200), ("reject", 400)])
def test_tools_in_a_message(switch: Any, status: int) -> None:
    """Whether the estimate takes tools in a message is not documented."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    messages = [{"role": "system", "tools": [tool]}, {"role": "user", "content": "Hi"}]
    with Emulator(behaviour=Behaviour(estimate_dynamic_tools=switch)) as kimi:
        body = {"model": "kimi-k3", "messages": messages}
        assert send(kimi, "POST", "/v1/tokenizers/estimate-token-count", body).status == status
