"""Chat completions over real sockets: scripts, errors, partial mode, prompt cache, balance."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator, cut, error, say, think, usage
from tests.emulator.http import HELLO, chat, deltas, error_of, events, send

MILLION = 1_000_000


def test_default_answer(kimi: Emulator) -> None:
    """Without a script the answer quotes the question, after some reasoning."""
    message = chat(kimi).message
    assert "Hello" in message["content"]
    assert message["reasoning_content"]


def test_scripts_queue(kimi: Emulator) -> None:
    """Scripts are used in their order, then the default answer; a refused request uses none."""
    kimi.script(say("one"))
    kimi.script("think: hm\nsay: two")
    assert chat(kimi, temperature=0.5).status == 400
    assert [chat(kimi).message["content"] for _ in range(2)] == ["one", "two"]
    assert "quote" in chat(kimi).message["content"]


def test_reply(kimi: Emulator) -> None:
    """A function chooses the script by request; with None it is the default answer, and an exception is a 500."""
    kimi.reply = lambda request: [say(request.json["messages"][0]["content"].upper())]
    assert chat(kimi).message["content"] == "HELLO"
    kimi.reply = lambda _: None
    assert "quote" in chat(kimi).message["content"]
    kimi.reply = lambda request: request.json["nothing"]
    assert chat(kimi).json["error"]["message"] == "emulator: the script failed: KeyError('nothing')"


def test_concurrent_requests(kimi: Emulator) -> None:
    """Each of many requests at once gets its own answer."""
    kimi.reply = lambda request: [say(request.json["messages"][0]["content"])]

    def ask(number: int) -> Any:
        return chat(kimi, messages=[{"role": "user", "content": f"n{number}"}]).message["content"]

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(ask, range(64))) == [f"n{number}" for number in range(64)]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff"])
def test_broken_json(kimi: Emulator, body: bytes) -> None:
    """A body that is not a JSON object is a 400 in Kimi's shape."""
    got = send(kimi, "POST", "/v1/chat/completions", body)
    assert (got.status, got.json["error"]["type"]) == (400, "invalid_request_error")


def test_error_steps(kimi: Emulator) -> None:
    """An error before the first delta is an HTTP error, a later one is an event; without streaming both are HTTP."""
    kimi.script(error("no", type="engine_overloaded_error", status=429))
    assert chat(kimi, stream=True).status == 429
    kimi.script(say("a"), error("no"))
    assert events(chat(kimi, stream=True).body)[-1] == {"error": {"message": "no", "type": "server_error"}}
    kimi.script(say("a"), error("no", status=503))
    assert chat(kimi).status == 503


def test_partial_mode(kimi: Emulator) -> None:
    """A resumed stream continues where the cut one ended."""
    kimi.reply = lambda _: [think("hm"), say("one two"), cut("end"), say(" three")]
    got = "".join(delta.get("content", "") for delta in deltas(chat(kimi, stream=True).body))
    rest = chat(kimi, messages=[*HELLO, {"role": "assistant", "content": got, "partial": True}])
    assert (got, rest.message["content"]) == ("one two", " three")


def test_cache(kimi: Emulator) -> None:
    """A repeated prompt is cached, one with another setting is not, and a common prefix counts in blocks of 256."""
    assert "cached_tokens" not in chat(kimi).json["usage"]
    again = chat(kimi).json["usage"]
    assert again["cached_tokens"] == again["prompt_tokens"] == again["prompt_tokens_details"]["cached_tokens"]
    assert "cached_tokens" not in chat(kimi, reasoning_effort="low").json["usage"]
    long = [{"role": "system", "content": "word " * 400}, *HELLO]
    chat(kimi, messages=long)
    assert chat(kimi, messages=[*long[:1], {"role": "user", "content": "Other"}]).json["usage"]["cached_tokens"] == 256


@pytest.mark.parametrize("status", [429, 403])
def test_empty_account(status: int) -> None:
    """An empty account gets the recorded error and is not charged further; with new cash it works again."""
    with Emulator(balance="0.01", behaviour=Behaviour(quota_status=status)) as kimi:
        kimi.script(say("dear"), usage(prompt_tokens=MILLION))
        assert chat(kimi).status == 200
        got = chat(kimi)
        assert (got.status, got.json) == (status, error_of("quota")[1])
        assert send(kimi, "GET", "/v1/users/me/balance").json["data"]["cash_balance"] == -2.99002
        kimi.balance = 1
        assert chat(kimi).status == 200
        assert kimi.balance < 1


def test_refusals_are_free() -> None:
    """A refused request costs nothing."""
    with Emulator() as kimi:
        before = kimi.balance
        assert chat(kimi, temperature=0).status == 400
        assert kimi.balance == before
