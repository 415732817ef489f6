"""`kimi-openai proxy`, in a process of its own."""

from __future__ import annotations

import os
import signal
from typing import Any

import openai
import pytest

from kimi_openai.emulator import Emulator

from .conftest import Run, started

HAS_SIGNALS = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
ASK: dict[str, Any] = {"model": "gpt-4o", "temperature": 0.2, "messages": [{"role": "user", "content": "Hi"}]}


def printed_settings(process: Any) -> dict[str, str]:
    """The variables that the proxy prints."""
    lines = [process.stdout.readline().strip() for _ in range(2)]
    return dict(line.removeprefix("export ").split("=", 1) for line in lines)


@HAS_SIGNALS
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize(
    ("number", "arguments", "token"),
    [(signal.SIGINT, [], "of-the-environment"), (signal.SIGTERM, ["--token", "given", "--limits", "tier1"], "given")],
    ids=["SIGINT", "SIGTERM"],
)
def test_it_serves_programs_for_openai_until_a_signal(
    kimi: Emulator, number: signal.Signals, arguments: list[str], token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it prints is all that they need; its log says what was changed, without key and token."""
    monkeypatch.setenv("KIMI_MODEL_ALIASES", "gpt-4o=kimi-k3")
    monkeypatch.setenv("KIMI_PROXY_TOKEN", "of-the-environment")
    with started("proxy", "--port", "0", *arguments, kimi=kimi) as process:
        settings = printed_settings(process)
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        with openai.OpenAI(max_retries=0) as client:
            assert client.chat.completions.create(**ASK).model == "kimi-k3"
        log = ""
        while "POST" not in log:  # which is written after the answer
            log += process.stderr.readline()
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        log += process.stderr.read()
    assert settings == {"OPENAI_BASE_URL": settings["OPENAI_BASE_URL"], "OPENAI_API_KEY": token}
    assert "temperature: left out, because Kimi answers 400" in log
    assert "POST /v1/chat/completions: 200" in log
    assert [word for word in (token, kimi.api_key, "Traceback") if word in log] == []


@pytest.mark.parametrize(
    "arguments", [["--port", "70000"], ["--token", "a b"], ["--max-concurrency", "0"]], ids=" ".join
)
def test_wrong_usage(run: Run, arguments: list[str]) -> None:
    """A port that is none, a token that no header can have, a limit of none: a line, and nothing is served."""
    code, out, errors = run("proxy", *arguments)
    assert (code, out, len(errors.splitlines())) == (2, "", 1)


def test_without_a_key(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so at the start, not with the first request."""
    monkeypatch.delenv("MOONSHOT_API_KEY")
    code, _, errors = run("proxy")
    assert (code, "no Kimi API key" in errors) == (2, True)


def test_the_help_names_the_variable_for_models(run: Run) -> None:
    """Who runs it has programs that name OpenAI's models."""
    _, out, _ = run("proxy", "--help")
    assert "KIMI_MODEL_ALIASES=gpt-4o=kimi-k3" in " ".join(out.split())
