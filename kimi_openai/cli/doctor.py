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
from .probe import Facts, ProbeResult, gather_facts, other_region

__all__ = ["Check", "doctor", "judge"]

CONSOLES: Mapping[Region, str] = {"ai": "platform.kimi.ai", "cn": "platform.kimi.com"}

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
        checks = judge(gather_facts(environ))
    code = max(check.code for check in checks)
    if options.json:
        console.line(json_line({"ok": not code, "checks": [check.as_json() for check in checks]}))
    else:
        console.line("\n".join(map(str, checks)))
    return code


def judge(facts: Facts) -> list[Check]:
    """All checks for which there are facts, from this machine to the platform."""
    checks = [Check("versions", ", ".join(f"{name} {number}" for name, number in facts.versions.items()))]
    settings = facts.settings
    if settings is None:
        found = [*facts.found, *map(_not_read, facts.not_read)]
        checks.append(Check("settings", facts.problem, 2, f"found: {', '.join(found)}" if found else ""))
        return [*checks, _openai_variables(facts)]
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
        checks.append(Check("call", facts.call.text, 0 if facts.call.status == 200 else 1))
    return [_without_key(check, str(settings.api_key)) for check in checks]


def _without_key(check: Check, key: str) -> Check:
    """An error message of a server may repeat the key."""
    return replace(check, what=check.what.replace(key, "(the key)"), todo=check.todo.replace(key, "(the key)"))


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
        return Check("access", here.text, 1, "check the network, the proxy and the base URL")
    if here.status != 401:
        return Check("access", here.text, 1)
    other = other_region(settings.region)
    if other and elsewhere and elsewhere.status == 200:
        change = f"set MOONSHOT_REGION={other}"
        if "BASE_URL" in settings.url_source:
            change = f"set {settings.url_source.replace(' in ', f'={BASE_URLS[other]} in ', 1)}"
        return Check("access", f"the key is one of the other region ({CONSOLES[other]}), not of {host}", 1, change)
    places = " or ".join(CONSOLES.values()) if other else "the console of this platform"
    what = "the key is valid in neither region" if other and elsewhere else f"the key is not valid at {host}"
    return Check("access", what, 1, f"create one at {places} (keys of Kimi Code are of another product)")


def _clock(skew: float) -> Check:
    off = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server"
    if abs(skew) > MAX_CLOCK_SKEW:
        return Check("clock", off, 2, "set this machine's clock")
    return Check("clock", off if abs(skew) >= 2 else "agrees with the server")
