"""Kimi on this machine, for demos, notebooks and tests: no API key and no network.

    from kimi_openai import create_client
    from kimi_openai.emulator import Emulator, rate_limited, say, think

    with Emulator() as kimi:
        client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
        kimi.script(think("hm"), say("hello"))           # the next answer; without a script it quotes the question
        kimi.fail(rate_limited(retry_after=1))           # the next request gets this error
        client.chat.completions.create(model="kimi-k3", messages=[{"role": "user", "content": "Hi"}])
        assert kimi.chats[-1]["model"] == "kimi-k3"      # what was sent

It follows the platform's documentation and published measurements; `Behaviour` has a switch for what they leave open.
Of this package it imports only `kimi_openai.models`, never the client, so that each can be tested against the other.
"""

try:
    import aiohttp as _aiohttp
except ModuleNotFoundError as missing:  # pragma: no cover
    raise ModuleNotFoundError(
        "kimi_openai.emulator needs aiohttp, which is not installed: pip install 'kimi-openai[emulator]'",
        name=missing.name,
    ) from missing

from .behaviour import Behaviour
from .emulator import Emulator
from .faults.catalogue import (
    Fault,
    bad_key,
    comments,
    content_filtered,
    drop_after,
    empty_body,
    ends_after,
    error_body,
    error_event,
    garbage,
    html,
    internal_error,
    out_of_quota,
    overloaded,
    parse_fault,
    plain_json,
    rate_limited,
    refuse,
    reset,
    reset_after,
    slow,
    stall,
    unavailable,
)
from .faults.damage import Damage
from .generation.script import Step, call, cut, error, finish, parse_script, pause, say, think, usage
from .limits.account_limits import AccountLimits
from .limits.report import LimitReport, MinuteOfUse
from .mfjs.validator import mfjs_problem
from .recorder import Request

__all__ = [
    "AccountLimits",
    "Behaviour",
    "Damage",
    "Emulator",
    "Fault",
    "LimitReport",
    "MinuteOfUse",
    "Request",
    "Step",
    "bad_key",
    "call",
    "comments",
    "content_filtered",
    "cut",
    "drop_after",
    "empty_body",
    "ends_after",
    "error",
    "error_body",
    "error_event",
    "finish",
    "garbage",
    "html",
    "internal_error",
    "mfjs_problem",
    "out_of_quota",
    "overloaded",
    "parse_fault",
    "parse_script",
    "pause",
    "plain_json",
    "rate_limited",
    "refuse",
    "reset",
    "reset_after",
    "say",
    "slow",
    "stall",
    "think",
    "unavailable",
    "usage",
]

del _aiohttp
