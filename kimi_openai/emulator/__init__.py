"""Kimi on this machine: for demos, notebooks and tests, without a key and without the network.

    from kimi_openai import create_client
    from kimi_openai.emulator import Emulator, call, rate_limited, say, think

    with Emulator() as kimi:
        client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
        kimi.script(think("hm"), say("hello"))           # the next answer; without a script it quotes the question
        kimi.fail(rate_limited(retry_after=1))           # what goes wrong first
        client.chat.completions.create(model="kimi-k3", messages=[{"role": "user", "content": "Hi"}])
        assert kimi.chats[-1]["model"] == "kimi-k3"      # what was sent

It speaks the platform's wire as documented and measured, and shares no opinion with the client: it reads the facts
table of `kimi_openai.models` and nothing else of ours. What the documentation leaves open is a field of `Behaviour`.
"""

try:
    import aiohttp as _aiohttp
except ModuleNotFoundError as missing:  # pragma: no cover
    raise ModuleNotFoundError(
        "kimi_openai.emulator needs aiohttp, which is not installed: pip install 'kimi-openai[emulator]'",
        name=missing.name,
    ) from missing

from .behaviour import Behaviour
from .damage import Damage
from .faults import (
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
from .mfjs import mfjs_problem
from .record import Request
from .runner import Emulator
from .script import Step, call, cut, error, finish, parse_script, pause, say, think, usage

__all__ = [
    "Behaviour",
    "Damage",
    "Emulator",
    "Fault",
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
