"""The doctor: judgements of facts as values, and once over real sockets."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from kimi_openai import symptoms
from kimi_openai.__main__ import main
from kimi_openai.doctor import Check, judged
from kimi_openai.emulator import Emulator, out_of_quota
from kimi_openai.settings import BASE_URLS, resolve
from kimi_openai.symptoms import Answer, Facts, gathered, proxy_for, skew_of

from .servers import MakeAnswering

KEY = "sk-0123456789"


def settings(url: str = BASE_URLS["ai"], *, key: str = KEY, source: str = "MOONSHOT_BASE_URL") -> Any:
    """As from the environment."""
    return resolve(env_file=None, environ={"MOONSHOT_API_KEY": key, source: "ai" if "REGION" in source else url})


WELL = Facts(
    versions={"openai": "3.0"},
    found=("MOONSHOT_API_KEY in environment", "MOONSHOT_BASE_URL in environment"),
    settings=settings(),
    here=Answer(said="6 models", skew=0.4),
    call=Answer(said="kimi-k3 answered"),
)
REFUSED = Answer(status=401, said="401 Invalid Authentication")


def problem(known: Facts) -> Check:
    """The only problem that is found."""
    (found,) = [check for check in judged(known) if check.code]
    return found


def test_all_is_well() -> None:
    """Every check is there and ok, and none has the key in it."""
    checks = judged(WELL)
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


def well_but(**changes: Any) -> Facts:
    """All is well but for these facts."""
    return replace(WELL, **changes)


PROBLEMS: dict[str, tuple[Facts, str, int, str, str]] = {
    "no key": (Facts(problem="no Kimi API key"), "settings", 2, "no Kimi API key", ""),
    "another provider's key": (well_but(settings=settings(key="sk-proj-1")), "key", 2, "OpenAI", "platform.kimi.ai"),
    "no sk-": (well_but(settings=settings(key="0123")), "key", 2, "sk-", "copy"),
    "other region, by URL": (
        well_but(here=REFUSED, elsewhere=Answer(), call=None),
        "access",
        1,
        "platform.kimi.com",
        "MOONSHOT_BASE_URL=https://api.moonshot.cn/v1 in environment",
    ),
    "other region, by region": (
        well_but(settings=settings(source="MOONSHOT_REGION"), here=REFUSED, elsewhere=Answer(), call=None),
        "access",
        1,
        "platform.kimi.com",
        "MOONSHOT_REGION=cn",
    ),
    "valid nowhere": (
        well_but(here=REFUSED, elsewhere=REFUSED, call=None),
        "access",
        1,
        "neither",
        "platform.kimi.ai or platform.kimi.com",
    ),
    "not valid at a gateway": (
        well_but(settings=settings("https://gateway.example/v1"), here=REFUSED, call=None),
        "access",
        1,
        "gateway.example",
        "this platform",
    ),
    "no network": (
        well_but(here=Answer(status=None, said="APIConnectionError: Connection error."), call=None),
        "access",
        1,
        "Connection error",
        "network",
    ),
    "no /models there": (well_but(here=Answer(status=404, said="404"), call=None), "access", 1, "404", ""),
    "fast clock": (well_but(here=Answer(skew=4000.0)), "clock", 2, "4000 s ahead", "clock"),
    "slow clock": (well_but(here=Answer(skew=-4000.0)), "clock", 2, "4000 s behind", "clock"),
    "no balance": (well_but(call=Answer(status=429, said="429 no balance")), "call", 1, "no balance", ""),
    "socks without socksio": (
        well_but(proxy="socks5://user:pass@proxy.example:1080", knows_socks=False),
        "proxy",
        2,
        "socks5://proxy.example:1080 needs",
        "socksio",
    ),
    "our key goes to OpenAI": (
        well_but(openai_names=("OPENAI_API_KEY",), openai_has_our_key=True),
        "openai",
        2,
        "api.openai.com",
        "kimi-openai env",
    ),
    "OpenAI's key goes to Kimi": (
        well_but(openai_names=("OPENAI_API_KEY", "OPENAI_BASE_URL"), openai_url=BASE_URLS["ai"] + "/"),
        "openai",
        2,
        "another key",
        "kimi-openai env",
    ),
}


@pytest.mark.parametrize(("known", "name", "code", "what", "todo"), PROBLEMS.values(), ids=PROBLEMS)
def test_problems(known: Facts, name: str, code: int, what: str, todo: str) -> None:
    """Each is found alone, with whose it is, what to do, and no secret."""
    found = problem(known)
    assert (found.name, found.code) == (name, code)
    assert what in found.what
    assert todo in found.todo
    assert str(found).startswith("problem")
    assert KEY not in repr(judged(known))
    assert "pass" not in repr(judged(known))


def test_what_is_unusual_and_right() -> None:
    """A proxy, exports of our own, foreign variables and settings that another one hides are told, not blamed."""
    checks = judged(
        well_but(
            proxy="http://user:secret@proxy.example:3128",
            openai_names=("OPENAI_LOG",),
            found=(*WELL.found, "KIMI_API_KEY in /home/me/.env"),
        )
    )
    text = "\n".join(map(str, checks))
    assert {check.code for check in checks} == {0}
    assert "http://proxy.example:3128, for api.moonshot.ai" in text
    assert "OPENAI_LOG set; nothing here uses them" in text
    assert "not used: KIMI_API_KEY in /home/me/.env" in text
    assert "secret" not in text
    exported = well_but(
        openai_names=("OPENAI_API_KEY", "OPENAI_BASE_URL"), openai_has_our_key=True, openai_url=BASE_URLS["ai"]
    )
    assert {check.code for check in judged(exported)} == {0}


def test_a_key_that_an_error_repeats_is_masked() -> None:
    """Whatever a server says."""
    found = problem(well_but(call=Answer(status=400, said=f"what is {KEY}?")))
    assert found.what == "what is (the key)?"


def test_over_sockets(kimi: Emulator, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines for humans, one JSON for machines, one tiny call, the exit code of the worst."""
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    monkeypatch.setenv("MOONSHOT_API_KEY", KEY)
    assert main(["doctor"]) == 1
    assert f"the key is not valid at 127.0.0.1\n{'':19}-> create one" in capsys.readouterr().out
    assert kimi.chats == []
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("OPENAI_API_KEY", kimi.api_key)
    assert main(["doctor", "--json"]) == 2
    out, errors = capsys.readouterr()
    told = {check["name"]: check for check in json.loads(out)["checks"]}
    assert errors == ""
    assert kimi.api_key not in out
    assert json.loads(out)["ok"] is False
    assert [name for name, check in told.items() if not check["ok"]] == ["openai"]
    assert told["clock"]["what"] == "agrees with the server"
    assert (len(kimi.chats), kimi.chats[0]["max_completion_tokens"]) == (1, 16)
    kimi.fail(out_of_quota(), path="/chat/completions")
    monkeypatch.delenv("OPENAI_API_KEY")
    assert main(["doctor"]) == 1
    assert "exceeded_current_quota_error" in capsys.readouterr().out
    monkeypatch.delenv("MOONSHOT_API_KEY")
    assert main(["doctor"]) == 2


def test_the_key_is_tried_in_the_other_region(
    kimi: Emulator, answering: MakeAnswering, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where the first refuses it, and nowhere else."""
    refusing = answering(401, {"error": {"message": "Invalid Authentication", "type": "invalid_authentication_error"}})
    monkeypatch.setattr("kimi_openai.settings.BASE_URLS", {"ai": refusing.base_url, "cn": kimi.base_url})
    monkeypatch.setattr(symptoms, "BASE_URLS", {"ai": refusing.base_url, "cn": kimi.base_url})
    monkeypatch.setattr("kimi_openai.settings.region_of", lambda url: "ai" if url == refusing.base_url else "cn")
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    known = gathered({})
    assert known.here
    assert known.elsewhere
    assert (known.here.status, known.elsewhere.status, known.call) == (401, 200, None)
    assert len(refusing.requests) == 1
    monkeypatch.setenv("MOONSHOT_REGION", "cn")
    known = gathered({})
    assert known.here
    assert (known.here.status, known.elsewhere) == (200, None)
    assert len(refusing.requests) == 1


def test_facts_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy as the HTTP library finds it, and a clock that is compared with a header that may be missing."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("NO_PROXY", "api.moonshot.cn")
    assert proxy_for(BASE_URLS["ai"]) == "http://proxy.example:3128"
    assert proxy_for(BASE_URLS["cn"]) is None
    assert skew_of({"date": "nonsense"}, 0.0) is None
    assert skew_of({}, 0.0) is None
