"""Errors on the command line speak of flags and variables, not of Python's arguments."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kimi_openai.cli.flags import in_flags
from kimi_openai.emulator import bad_key, cut, out_of_quota, refuse, say

from .conftest import Run

PYTHON = re.compile(
    r"\b(?:api_key|base_url|env_file|mime_type|enabled|effort|model|stream|timeout|region|max_concurrency|allow_http)="
    r"|kimi_openai\.|`enabled`|`effort`|\b(?:upload_media|image_part|create_client|estimate_tokens|list_models)\b"
    r"|\bargument\b|=None|=True|=False|=\.\.\."
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--no-thinking", "Hi"], "--effort low is the least"),
        (["--no-thinking", "-m", "k2.7-code", "Hi"], "leave out --no-thinking"),
        (["--no-thinking", "--effort", "low", "-m", "k2.6", "Hi"], "leave out --no-thinking or --effort"),
        (["--effort", "low", "-m", "k2.6", "Hi"], "leave out --effort"),
        (["--effort", "medium", "Hi"], "--effort is 'medium'"),
        (["--image", "https://e.example/a.png", "Hi"], "pass its path, or upload it (`kimi-openai files upload`)"),
        (["--image", "odd", "Hi"], "give its name the usual ending"),
        (["--max-tokens", "0", "Hi"], "--max-tokens"),
        (["--schema", "odd", "Hi"], "--schema"),
        (["-m", "kimi-k2.5", "Hi"], "--model kimi-k3"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_usage(run: Run, arguments: list[str], words: str) -> None:
    """What to write instead is an option of the command."""
    Path("odd").write_bytes(b"\x00\x01")
    _, _, errors = run("chat", *arguments)
    assert words in errors
    assert not PYTHON.search(errors), errors


FAULTS = {
    "wrong key": bad_key(),
    "no balance": out_of_quota(),
    "too many": refuse("TPM limit", type="rate_limit_reached_error", status=429),
    "context": refuse("Your request exceeded model token limit : 262144"),
    "no model": refuse("Not found the model x", type="resource_not_found_error", status=404),
    "too large": refuse("too large", status=413),
    "no URL": refuse("no", type="url.not_found", status=404),
    "redirect": refuse("no", status=301),
    "gateway": refuse("no", status=504),
    "timeout": refuse("no", status=408),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_errors_of_the_service(run: Run, fault: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Their advice names flags and variables, too."""
    monkeypatch.setattr("kimi_openai.cli.run.create_client", once)
    run.kimi.fail(fault)
    code, _, errors = run("balance")
    assert code == 1
    assert not PYTHON.search(errors), errors


def once(**options: Any) -> Any:
    """A client that does not retry."""
    from kimi_openai import create_client

    return create_client(max_retries=0, **options)


def test_missing_and_wrong_settings(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The variable to set is named, and nothing that a program would pass."""
    for name, value, words in (
        ("MOONSHOT_API_KEY", "", "set MOONSHOT_API_KEY"),
        ("MOONSHOT_API_KEY", "'sk-1'", "quotes"),
        ("MOONSHOT_API_KEY", "sk-proj-1", "OpenAI"),
        ("MOONSHOT_BASE_URL", "http://far.example/v1", "in the clear"),
        ("MOONSHOT_BASE_URL", "nonsense", "URL"),
        ("MOONSHOT_REGION", "mars", "'ai'"),
        ("KIMI_COMPAT", "maybe", "KIMI_COMPAT"),
    ):
        with monkeypatch.context() as patch:
            if name == "MOONSHOT_REGION":
                patch.delenv("MOONSHOT_BASE_URL")
            patch.setenv(name, value)
            code, _, errors = run("balance")
        assert (code, words in errors) == (2, True), errors
        assert not PYTHON.search(errors), errors
    (tmp_path / ".env").write_bytes(b"\xff")
    monkeypatch.delenv("MOONSHOT_API_KEY")
    assert not PYTHON.search(run("balance")[2])


def test_a_cut_stream(run: Run) -> None:
    """The advice is to ask again, not to call a function."""
    run.kimi.script(say("half"), cut())
    code, _, errors = run("chat", "--raw", "Hi")
    assert (code, "; ask again (not retried)" in errors) == (1, True)
    assert not PYTHON.search(errors), errors


def test_the_words_of_the_platform_stay() -> None:
    """Only advice is replaced."""
    assert in_flags("400 invalid max_completion_tokens: effort") == "400 invalid max_completion_tokens: effort"
