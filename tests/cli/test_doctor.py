"""`doctor`: what is judged from given facts, and the whole command over real sockets."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kimi_openai.cli.doctor import Check, judge
from kimi_openai.cli.probe import Facts, ProbeResult
from kimi_openai.client.base_url import BASE_URLS
from kimi_openai.client.settings import resolve
from kimi_openai.emulator import out_of_quota

from .conftest import Run

KEY = "sk-0123456789"


def settings(url: str = BASE_URLS["ai"], *, key: str = KEY, source: str = "MOONSHOT_BASE_URL") -> Any:
    """Settings as they are found in the environment."""
    return resolve(env_file=None, environ={"MOONSHOT_API_KEY": key, source: "ai" if "REGION" in source else url})


HEALTHY = Facts(
    versions={"openai": "3.0"},
    found=("MOONSHOT_API_KEY in environment", "MOONSHOT_BASE_URL in environment"),
    settings=settings(),
    here=ProbeResult(text="6 models", clock_skew=0.4),
    call=ProbeResult(text="kimi-k3 answered"),
)
REFUSED = ProbeResult(status=401, text="401 Invalid Authentication")


def only_problem(facts: Facts) -> Check:
    """The only check that found a problem."""
    (found,) = [check for check in judge(facts) if check.code]
    return found


def test_a_healthy_setup_has_no_problem() -> None:
    """Every check is there and ok, and none contains the key."""
    checks = judge(HEALTHY)
    assert [check.name for check in checks] == [
        "versions",
        "settings",
        "key",
        "url",
        "proxy",
        "openai",
        "access",
        "clock",
        "call",
    ]
    assert {check.code for check in checks} == {0}
    assert KEY not in repr(checks) + "".join(map(str, checks))


def healthy_but(**changes: Any) -> Facts:
    """The healthy facts, with changes."""
    return replace(HEALTHY, **changes)


PROBLEMS: dict[str, tuple[Facts, str, int, str, str]] = {
    "no key": (Facts(problem="no Kimi API key"), "settings", 2, "no Kimi API key", ""),
    "another provider's key": (
        healthy_but(settings=settings(key="sk-ant-1")),
        "key",
        2,
        "Anthropic",
        "platform.kimi.ai",
    ),
    "no sk-": (healthy_but(settings=settings(key="0123")), "key", 2, "sk-", "copy"),
    "other region, by URL": (
        healthy_but(here=REFUSED, elsewhere=ProbeResult(), call=None),
        "access",
        1,
        "platform.kimi.com",
        "MOONSHOT_BASE_URL=https://api.moonshot.cn/v1 in environment",
    ),
    "other region, by region": (
        healthy_but(settings=settings(source="MOONSHOT_REGION"), here=REFUSED, elsewhere=ProbeResult(), call=None),
        "access",
        1,
        "platform.kimi.com",
        "MOONSHOT_REGION=cn",
    ),
    "valid nowhere": (
        healthy_but(here=REFUSED, elsewhere=REFUSED, call=None),
        "access",
        1,
        "neither",
        "platform.kimi.ai or platform.kimi.com",
    ),
    "not valid at a gateway": (
        healthy_but(settings=settings("https://gateway.example/v1"), here=REFUSED, call=None),
        "access",
        1,
        "gateway.example",
        "this platform",
    ),
    "no network": (
        healthy_but(here=ProbeResult(status=None, text="APIConnectionError: Connection error."), call=None),
        "access",
        1,
        "Connection error",
        "network",
    ),
    "no /models there": (healthy_but(here=ProbeResult(status=404, text="404"), call=None), "access", 1, "404", ""),
    "fast clock": (healthy_but(here=ProbeResult(clock_skew=4000.0)), "clock", 2, "4000 s ahead", "clock"),
    "slow clock": (healthy_but(here=ProbeResult(clock_skew=-4000.0)), "clock", 2, "4000 s behind", "clock"),
    "no balance": (healthy_but(call=ProbeResult(status=429, text="429 no balance")), "call", 1, "no balance", ""),
    "socks without socksio": (
        healthy_but(proxy="socks5://user:pass@proxy.example:1080", has_socks_package=False),
        "proxy",
        2,
        "socks5://proxy.example:1080 needs",
        "socksio",
    ),
    "our key goes to OpenAI": (
        healthy_but(openai_names=("OPENAI_API_KEY",), openai_has_our_key=True),
        "openai",
        2,
        "api.openai.com",
        "kimi-openai env",
    ),
    "OpenAI's key goes to Kimi": (
        healthy_but(openai_names=("OPENAI_API_KEY", "OPENAI_BASE_URL"), openai_url=BASE_URLS["ai"] + "/"),
        "openai",
        2,
        "another key",
        "kimi-openai env",
    ),
}


@pytest.mark.parametrize(("facts", "name", "code", "what", "todo"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(facts: Facts, name: str, code: int, what: str, todo: str) -> None:
    """Each is found alone, with its exit code and what to do, and without secrets."""
    found = only_problem(facts)
    assert (found.name, found.code) == (name, code)
    assert what in found.what
    assert todo in found.todo
    assert str(found).startswith("problem")
    assert KEY not in repr(judge(facts))
    assert "pass" not in repr(judge(facts))


def test_unusual_facts_are_no_problems() -> None:
    """A proxy, our own exports, other OPENAI_ variables and unused settings are reported as ok."""
    checks = judge(
        healthy_but(
            proxy="http://user:secret@proxy.example:3128",
            openai_names=("OPENAI_LOG",),
            found=(*HEALTHY.found, "KIMI_API_KEY in /home/me/.env"),
            not_read=("/tmp/.env",),
        )
    )
    text = "\n".join(map(str, checks))
    assert {check.code for check in checks} == {0}
    assert "http://proxy.example:3128, for api.moonshot.ai" in text
    assert "OPENAI_LOG set; nothing here uses them" in text
    assert "not used: KIMI_API_KEY in /home/me/.env, /tmp/.env (another user's, not read)" in text
    assert "secret" not in text
    exported = healthy_but(
        openai_names=("OPENAI_API_KEY", "OPENAI_BASE_URL"), openai_has_our_key=True, openai_url=BASE_URLS["ai"]
    )
    assert {check.code for check in judge(exported)} == {0}


def test_a_key_in_an_error_message_is_hidden() -> None:
    """A server may repeat it."""
    found = only_problem(healthy_but(call=ProbeResult(status=400, text=f"what is {KEY}?")))
    assert found.what == "what is (the key)?"


def test_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines for people, one JSON object for programs, one tiny call, and the exit code of the worst check."""
    kimi = run.kimi
    monkeypatch.setenv("MOONSHOT_API_KEY", KEY)
    code, out, _ = run("doctor")
    assert code == 1
    assert f"the key is not valid at 127.0.0.1\n{'':19}-> create one" in out
    assert kimi.chats == []
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("OPENAI_API_KEY", kimi.api_key)
    code, out, errors = run("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(out)["checks"]}
    assert (code, errors) == (2, "")
    assert kimi.api_key not in out
    assert json.loads(out)["ok"] is False
    assert [name for name, check in checks.items() if not check["ok"]] == ["openai"]
    assert checks["clock"]["what"] == "agrees with the server"
    assert (len(kimi.chats), kimi.chats[0]["max_completion_tokens"]) == (1, 16)
    kimi.fail(out_of_quota(), path="/chat/completions")
    monkeypatch.delenv("OPENAI_API_KEY")
    code, out, _ = run("doctor")
    assert code == 1
    assert "exceeded_current_quota_error" in out
    monkeypatch.delenv("MOONSHOT_API_KEY")
    assert run("doctor")[0] == 2


@pytest.mark.parametrize("command", ["doctor", "env", "balance"])
def test_a_base_url_of_a_file_gets_no_key_from_elsewhere(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: str
) -> None:
    """No command sends or exports it; the message says what was found where."""
    monkeypatch.delenv("MOONSHOT_BASE_URL")
    (tmp_path / ".env").write_text(f"MOONSHOT_BASE_URL={run.kimi.base_url}\n")
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    code, out, errors = run(command)
    assert code == 2
    assert f"MOONSHOT_BASE_URL in {tmp_path / '.env'}, and the key from MOONSHOT_API_KEY in environment" in out + errors
    assert run.kimi.api_key not in out + errors
    assert run.kimi.requests == []
    if command == "doctor":
        assert f"found: MOONSHOT_API_KEY in environment, MOONSHOT_BASE_URL in {tmp_path / '.env'}" in out


def test_a_file_of_another_user_is_named(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is not read, with and without settings from elsewhere."""
    (tmp_path / ".env").write_text("MOONSHOT_BASE_URL=https://evil.example/v1\n")
    monkeypatch.setattr("kimi_openai.client.env_file._is_foreign", lambda _: True)
    report = f"{tmp_path / '.env'} (another user's, not read)"
    assert report in run("doctor")[1]
    monkeypatch.delenv("MOONSHOT_API_KEY")
    code, out, errors = run("doctor")
    assert (code, report in out, "belongs to another user" in errors) == (2, True, True)


def test_a_key_in_the_base_url_is_hidden() -> None:
    """Some gateways want it in the path."""
    checks = judge(healthy_but(settings=settings("https://gateway.example/sk-secret/v1")))
    assert "secret" not in repr(checks)
    assert "https://gateway.example/sk-***/v1" in repr(checks)


def test_openais_key_is_a_problem_of_the_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is sent nowhere."""
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-proj-secret")
    code, out, errors = run("doctor")
    assert (code, "has the form of a key of OpenAI" in out) == (2, True)
    assert "secret" not in out + errors
    assert run.kimi.requests == []
