"""The proxy, used by curl: what a program without any SDK sees."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from kimi_openai.emulator import Emulator, say, think
from kimi_openai.proxy import Proxy

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


def curl(*arguments: str) -> str:
    """What curl prints."""
    done = subprocess.run(["curl", "-sS", "-N", "-i", *arguments], capture_output=True, timeout=60, check=True)
    return done.stdout.decode()


def ask(proxy: Proxy, body: object, *more: str) -> tuple[str, str]:
    """Headers and body of the answer to a chat request."""
    key = f"Authorization: Bearer {proxy.token}"
    url = f"{proxy.base_url}/chat/completions"
    text = curl(url, "-H", key, "-H", "Content-Type: application/json", "-d", json.dumps(body), *more)
    if text.startswith("HTTP/1.1 100"):
        text = text.partition("\r\n\r\n")[2]
    head, _, content = text.partition("\r\n\r\n")
    return head.lower(), content


def test_an_answer_and_a_stream(kimi: Emulator, proxy: Proxy) -> None:
    """Events as OpenAI sends them, with usage in the last chunk and `[DONE]` at the end; notes in a header."""
    body = {"model": "gpt-4o", "temperature": 0.2, "messages": [{"role": "user", "content": "Hi"}]}
    kimi.script(say("hello"))
    head, content = ask(proxy, body)
    assert "x-kimi-notes: temperature: left out" in head
    assert json.loads(content)["choices"][0]["message"]["content"] == "hello"
    kimi.script(think("hm"), say("hello"))
    head, content = ask(proxy, {**body, "stream": True})
    assert "content-type: text/event-stream" in head
    events = content.strip().split("\n\n")
    assert events[-1] == "data: [DONE]"
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-1]]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == "hello"
    assert "".join(chunk["choices"][0]["delta"].get("reasoning_content") or "" for chunk in chunks) == "hm"
    assert chunks[-1]["usage"]["total_tokens"] > 0


def test_a_large_request_is_not_delayed(kimi: Emulator, proxy: Proxy) -> None:
    """curl asks first (`Expect: 100-continue`), and is answered."""
    body = {"model": "kimi-k3", "messages": [{"role": "user", "content": "a" * 100_000}]}
    assert ask(proxy, body, "-H", "Expect: 100-continue", "--expect100-timeout", "50", "-m", "20")[1]
    assert len(kimi.chats[-1]["messages"][0]["content"]) == 100_000


def test_without_the_token(proxy: Proxy) -> None:
    """401, in OpenAI's form."""
    head, _, content = curl(f"{proxy.base_url}/models").partition("\r\n\r\n")
    assert " 401 " in head.splitlines()[0]
    assert json.loads(content)["error"]["type"] == "authentication_error"
