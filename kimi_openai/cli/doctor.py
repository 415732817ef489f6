"""`doctor`: judges the facts that `probe.py` gathered, and prints what works, what does not, and what to do.

Judging is pure: `Facts` come in, a list of `Check` goes out, and no check contains the key.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from kimi_openai._internal.sanitize import json_line
from kimi_openai._internal.secrets import shown_url
from kimi_openai.client.base_url import BASE_URLS, Region
from kimi_openai.client.settings import Settings

from .console import Console
from .flags import in_flags
from .probe import Facts, ProbeResult, gather_facts, other_region
from .versions import unfit

__all__ = ["Check", "doctor", "judge"]

CONSOLES: Mapping[Region, str] = {"ai": "platform.kimi.ai", "cn": "platform.kimi.com"}

MISSING = "not installed"

MAX_CLOCK_SKEW = 120.0
"""Seconds that the clock may be wrong; with more, certificates and signatures fail."""

OTHER_PROVIDERS = {"sk-ant-": "Anthropic", "sk-or-": "OpenRouter"}
"""How the keys of other providers begin. Those of OpenAI are refused by the settings."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. `code` is 0 if all is well, else the exit code (1: the service said no, 2: a problem on
    this machine). `todo` says what to do."""

    name: str
    what: str
    code: int = 0
    todo: str = ""

    def __str__(self) -> str:
        line = f"{'problem' if self.code else 'ok':7}  {self.name:8}  {self.what}"
        return f"{line}\n{'':19}-> {self.todo}" if self.todo else line

    def as_json(self) -> dict[str, Any]:
        """The check as an object for `--json`."""
        return {"name": self.name, "ok": not self.code, "what": self.what, "todo": self.todo or None}


def doctor(options: Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Run `kimi-openai doctor`; the exit code is that of the worst check."""
    with console.waiting("asking the platform"):
        checks = [_worded(check) for check in judge(gather_facts(environ))]
    code = max(check.code for check in checks)
    if options.json:
        console.line(json_line({"ok": not code, "checks": [check.as_json() for check in checks]}))
    else:
        console.line("\n".join(map(str, checks)))
    return code


def judge(facts: Facts) -> list[Check]:
    """All checks for which there are facts, from this machine to the platform."""
    checks = [_versions(facts)]
    settings = facts.settings
    if settings is None:
        return [*checks, _settings_problem(facts), _openai_variables(facts)]
    checks += [
        _settings(facts, settings),
        _key_shape(str(settings.api_key)),
        Check("url", f"{shown_url(settings.base_url)} (region {settings.region or 'unknown'})"),
        _proxy(facts, settings),
        _openai_variables(facts),
    ]
    if facts.here:
        checks.append(_access(facts.here, facts.elsewhere, settings))
        checks += [_clock(facts.here.clock_skew)] if facts.here.clock_skew is not None else []
    if facts.call:
        checks.append(_call(facts.call))
    return [_without_key(check, str(settings.api_key)) for check in checks]


def _worded(check: Check) -> Check:
    return replace(check, what=in_flags(check.what))


def _without_key(check: Check, key: str) -> Check:
    """An error message of a server may repeat the key."""
    return replace(check, what=check.what.replace(key, "(the key)"), todo=check.todo.replace(key, "(the key)"))


def _versions(facts: Facts) -> Check:
    shown = ", ".join(f"{name} {number}" for name, number in facts.versions.items())
    installed = {name: number for name, number in facts.versions.items() if number != MISSING}
    problems = {each.name: each for each in unfit(facts.requirements, installed)}  # an extra may name one again
    if problems:
        todo = "; ".join(each.todo for each in problems.values())
        return Check("versions", f"{'; '.join(map(str, problems.values()))} ({shown})", 2, todo)
    return Check("versions", shown)


def _settings_problem(facts: Facts) -> Check:
    found = [*facts.found, *map(_not_read, facts.not_read)]
    what = facts.problem + (f" (found: {', '.join(found)})" if found else "")
    todo = "correct it there, and run `kimi-openai doctor` again"
    if facts.has_no_key:
        todo = (
            f"create a key at {' or '.join(CONSOLES.values())} (mainland China), then: export MOONSHOT_API_KEY=sk-..."
        )
    return Check("settings", what, 2, todo)


def _not_read(path: str) -> str:
    return f"{path} (another user's, not read)"


def _settings(facts: Facts, settings: Settings) -> Check:
    unused = [each for each in facts.found if each not in (settings.key_source, settings.url_source)]
    unused += map(_not_read, facts.not_read)
    also = f" (also found, not used: {', '.join(unused)})" if unused else ""
    return Check("settings", f"key: {settings.key_source}; URL: {settings.url_source}{also}")


def _key_shape(key: str) -> Check:
    owner = next((owner for start, owner in OTHER_PROVIDERS.items() if key.startswith(start)), None)
    if owner:
        return Check("key", f"it has the shape of a key of {owner}", 2, "set the one of platform.kimi.ai or .com")
    if not key.startswith("sk-"):
        return Check("key", "it does not start with sk-, as Kimi's do", 2, "copy it again from the platform's console")
    return Check("key", f"starts with sk-, {len(key)} characters")


def _proxy(facts: Facts, settings: Settings) -> Check:
    if not facts.proxy:
        return Check("proxy", "none")
    parts = urlsplit(facts.proxy)
    proxy = shown_url(f"{parts.scheme}://{parts.netloc}")
    network = facts.here.network if facts.here else None
    if network and network.kind == "proxy":
        return Check("proxy", network.what, 2, network.todo)
    if parts.scheme.startswith("socks") and not facts.has_socks_package:
        return Check("proxy", f"{proxy} needs a package that is not there", 2, "pip install socksio")
    return Check("proxy", f"{proxy}, for {urlsplit(settings.base_url).hostname}")


def _openai_variables(facts: Facts) -> Check:
    if not facts.openai_names:
        return Check("openai", "no OPENAI_* variables")
    names = ", ".join(facts.openai_names)
    points_here = facts.settings is not None and facts.openai_url.rstrip("/") == facts.settings.base_url
    todo = 'eval "$(kimi-openai env)" to point them at Kimi, or unset them'
    if facts.openai_has_our_key and not points_here:
        where = urlsplit(facts.openai_url).hostname or "api.openai.com"
        return Check("openai", f"OPENAI_API_KEY is your Kimi key, and openai.OpenAI() sends it to {where}", 2, todo)
    if points_here and "OPENAI_API_KEY" in facts.openai_names and not facts.openai_has_our_key:
        return Check("openai", "openai.OpenAI() sends another key (OPENAI_API_KEY) to Kimi", 2, todo)
    return Check("openai", f"{names} set; nothing here uses them")


def _access(here: ProbeResult, elsewhere: ProbeResult | None, settings: Settings) -> Check:
    host = urlsplit(settings.base_url).hostname
    if here.status == 200:
        return Check("access", f"the key is valid at {host} ({here.text}, {here.seconds:.1f} s)")
    if here.status is None:
        return _no_answer(here)
    if here.status != 401:
        return Check("access", here.text, 1, here.todo or "check the base URL")
    other = other_region(settings.region)
    if other and elsewhere and elsewhere.status == 200:
        change = f"set MOONSHOT_REGION={other}"
        if "BASE_URL" in settings.url_source:
            change = f"set {settings.url_source.replace(' in ', f'={BASE_URLS[other]} in ', 1)}"
        return Check("access", f"the key is one of the other region ({CONSOLES[other]}), not of {host}", 1, change)
    places = " or ".join(CONSOLES.values()) if other else "the console of this platform"
    what = "the key is valid in neither region" if other and elsewhere else f"the key is not valid at {host}"
    return Check("access", what, 1, f"create one at {places} (keys of Kimi Code are of another product)")


def _no_answer(here: ProbeResult) -> Check:
    network = here.network
    if network is None:
        return Check("access", here.text, 1, "check the network, the proxy and the base URL")
    if network.kind == "proxy":
        return Check("access", "no answer, because of the proxy", 1, "see the line about the proxy")
    return Check("access", f"no answer: {network.what}", 1, network.todo)


def _call(call: ProbeResult) -> Check:
    if call.status == 200:
        return Check("call", call.text)
    return Check("call", call.text, 1, call.todo or "run it again later")


def _clock(skew: float) -> Check:
    off = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server"
    if abs(skew) > MAX_CLOCK_SKEW:
        return Check("clock", off, 2, "set this machine's clock")
    return Check("clock", off if abs(skew) >= 2 else "agrees with the server")
