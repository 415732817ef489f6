"""`doctor`: what works, what does not, and what to do.

Judging is pure: facts from `symptoms.py` come in, a `Check` for each goes out, and none of them has a key in it.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from .screen import Screen
from .settings import BASE_URLS, Region, Settings
from .symptoms import Answer, Facts, gathered, other_region
from .terminal import json_text

__all__ = ["Check", "doctor", "judged"]

CONSOLES: Mapping[Region, str] = {"ai": "platform.kimi.ai", "cn": "platform.kimi.com"}

SKEW = 120.0
"""Seconds that a clock may be off; certificates and signatures fail by more."""

FOREIGN = {"sk-proj-": "OpenAI", "sk-ant-": "Anthropic", "sk-or-": "OpenRouter"}
"""Beginnings of the keys of others."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line: `code` is 0 where all is well, else the exit code (1: the service said no, 2: something here)."""

    name: str
    what: str
    code: int = 0
    todo: str = ""

    def __str__(self) -> str:
        line = f"{'problem' if self.code else 'ok':7}  {self.name:8}  {self.what}"
        return f"{line}\n{'':19}-> {self.todo}" if self.todo else line

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return {"name": self.name, "ok": not self.code, "what": self.what, "todo": self.todo or None}


def doctor(wanted: Namespace, screen: Screen, environ: Mapping[str, str]) -> int:
    """`kimi-openai doctor`."""
    with screen.waiting("asking the platform"):
        checks = judged(gathered(environ))
    code = max(check.code for check in checks)
    if wanted.json:
        screen.line(json_text({"ok": not code, "checks": [check.as_json() for check in checks]}))
    else:
        screen.line("\n".join(map(str, checks)))
    return code


def judged(known: Facts) -> list[Check]:
    """The checks that the facts allow, in the order of the road."""
    checks = [Check("versions", ", ".join(f"{name} {number}" for name, number in known.versions.items()))]
    settings = known.settings
    if settings is None:
        checks.append(Check("settings", known.problem, 2, f"found: {', '.join(known.found)}" if known.found else ""))
        return [*checks, _openai(known)]
    unused = [each for each in known.found if each not in (settings.key_source, settings.url_source)]
    also = f" (also found, not used: {', '.join(unused)})" if unused else ""
    checks += [
        Check("settings", f"key: {settings.key_source}; URL: {settings.url_source}{also}"),
        _key_shape(str(settings.api_key)),
        Check("url", f"{settings.base_url} (region {settings.region or 'unknown'})"),
        _proxy(known, settings),
        _openai(known),
    ]
    if known.here:
        checks.append(_key(known.here, known.elsewhere, settings))
        checks += [_clock(known.here.skew)] if known.here.skew is not None else []
    if known.call:
        checks.append(Check("call", known.call.said, 0 if known.call.status == 200 else 1))
    return [replace(check, what=_masked(check.what, settings), todo=_masked(check.todo, settings)) for check in checks]


def _masked(text: str, settings: Settings) -> str:
    return text.replace(str(settings.api_key), "(the key)")


def _key_shape(key: str) -> Check:
    owner = next((owner for start, owner in FOREIGN.items() if key.startswith(start)), None)
    if owner:
        return Check("key", f"it has the shape of a key of {owner}", 2, "set the one of platform.kimi.ai or .com")
    if not key.startswith("sk-"):
        return Check("key", "it does not start with sk-, as Kimi's do", 2, "copy it again from the platform's console")
    return Check("key", f"starts with sk-, {len(key)} characters")


def _proxy(known: Facts, settings: Settings) -> Check:
    if not known.proxy:
        return Check("proxy", "none")
    parts = urlsplit(known.proxy)
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
    if parts.scheme.startswith("socks") and not known.knows_socks:
        return Check("proxy", f"{shown} needs a package that is not there", 2, "pip install socksio")
    return Check("proxy", f"{shown}, for {urlsplit(settings.base_url).hostname}")


def _openai(known: Facts) -> Check:
    if not known.openai_names:
        return Check("openai", "no OPENAI_* variables")
    names = ", ".join(known.openai_names)
    points_here = known.settings is not None and known.openai_url.rstrip("/") == known.settings.base_url
    todo = 'eval "$(kimi-openai env)" to point them at Kimi, or unset them'
    if known.openai_has_our_key and not points_here:
        where = urlsplit(known.openai_url).hostname or "api.openai.com"
        return Check("openai", f"OPENAI_API_KEY is your Kimi key, and openai.OpenAI() sends it to {where}", 2, todo)
    if points_here and "OPENAI_API_KEY" in known.openai_names and not known.openai_has_our_key:
        return Check("openai", "openai.OpenAI() sends another key (OPENAI_API_KEY) to Kimi", 2, todo)
    return Check("openai", f"{names} set; nothing here uses them")


def _key(here: Answer, elsewhere: Answer | None, settings: Settings) -> Check:
    host = urlsplit(settings.base_url).hostname
    if here.status == 200:
        return Check("access", f"the key is valid at {host} ({here.said}, {here.seconds:.1f} s)")
    if here.status is None:
        return Check("access", here.said, 1, "check the network, the proxy and the base URL")
    if here.status != 401:
        return Check("access", here.said, 1)
    other = other_region(settings.region)
    if other and elsewhere and elsewhere.status == 200:
        change = f"set MOONSHOT_REGION={other}"
        if "BASE_URL" in settings.url_source:
            change = f"set {settings.url_source.replace(' in ', f'={BASE_URLS[other]} in ', 1)}"
        return Check("access", f"the key is one of the other region ({CONSOLES[other]}), not of {host}", 1, change)
    places = f"{' or '.join(CONSOLES.values())}" if other else "the console of this platform"
    what = "the key is valid in neither region" if other and elsewhere else f"the key is not valid at {host}"
    return Check("access", what, 1, f"create one at {places} (keys of Kimi Code are of another product)")


def _clock(skew: float) -> Check:
    off = f"{abs(skew):.0f} s {'ahead of' if skew > 0 else 'behind'} the server"
    if abs(skew) > SKEW:
        return Check("clock", off, 2, "set this machine's clock")
    return Check("clock", off if abs(skew) >= 2 else "agrees with the server")
