"""What chat and responses have in common: quota, limits, script, reply, usage, charge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf

from kimi_openai.emulator.chat_body import facts_of, messages_of, reserved_tokens, thinks
from kimi_openai.emulator.errors import PROJECT_BUDGET, Problem, quota_exceeded
from kimi_openai.emulator.frames import Pause, Response
from kimi_openai.emulator.generation.engine import generate
from kimi_openai.emulator.generation.reply import Reply
from kimi_openai.emulator.generation.script import Step, steps_of
from kimi_openai.emulator.json_values import Json, encode, is_array, is_object
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.prompt_cache import CacheUse
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.tokens import count_tokens, message_tokens, prompt_tokens
from kimi_openai.models.prices import PRICES

from .limits import limit_refusal

__all__ = ["Answer", "answer"]

MINUTES_5, HOUR = 300.0, 3600.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply with its usage in the shape of chat."""

    reply: Reply
    usage: Json


def answer(
    state: ServiceState,
    request: Request,
    body: Json,
    default: Callable[[Json], Sequence[Step]],
    *,
    more_budget: int = 0,
) -> Answer | Response:
    """The reply to a chat body without faults, or an error.

    Without a script and without an answer of the user's `reply` function, `default` makes the steps. `more_budget` is
    for `generate`.
    """
    if state.account.available <= 0:
        return quota_exceeded(state.behaviour.quota_status).response()
    if not state.limiter.is_within_budget(state.account.spent):
        return PROJECT_BUDGET.response()
    prompt = prompt_tokens(body, state.behaviour)
    refusal = limit_refusal(state, request, reserved_tokens(body, prompt))
    if refusal:
        return refusal
    try:
        steps = _steps(state, request, body, default)
        reply = generate(
            body,
            steps,
            prompt=prompt,
            behaviour=state.behaviour,
            chunking=state.chunking,
            more_budget=more_budget,
        )
    except Exception as reason:  # a script or a `reply` function of the user may raise anything
        return Problem(f"emulator: the script failed: {reason!r}", "server_error", 500).response()
    failure = reply.problem(streaming=bool(body.get("stream")))
    if failure:
        pauses = [item for item in reply.stream if isinstance(item, Pause)]
        return Response((*pauses, failure.body), failure.status)
    cached = _cache_use(state, body, prompt)
    usage = _usage(state, body, reply, prompt, cached)
    state.limiter.settle(request.number, int(usage["total_tokens"]))
    state.account.charge(str(body["model"]), usage, written=cached.written, cache_ttl=_cache_ttl(body))
    return Answer(reply, usage)


def _steps(
    state: ServiceState, request: Request, body: Json, default: Callable[[Json], Sequence[Step]]
) -> Sequence[Step]:
    """The next queued script, else what the user's `reply` function returns, else the default answer."""
    if state.scripts:
        return state.scripts.popleft()
    script = state.reply(request) if state.reply else None
    return default(body) if script is None else steps_of(script)


def _cache_ttl(body: Json) -> str:
    """The lifetime that the request chooses; 5 minutes without options (staff announcement, forum t/613)."""
    options = body.get("prompt_cache_options")
    return str(options.get("ttl") or "5m") if is_object(options) else "5m"


def _cache_use(state: ServiceState, body: Json, prompt: int) -> CacheUse:
    """What of the prompt is read and written. Its prefix begins with the tools, byte for byte (staff, forum t/216)."""
    tools = body.get("tools")
    texts = [(text, count_tokens(text)) for text in map(encode, tools if is_array(tools) else ())]
    texts += [(encode(message), message_tokens(message)) for message in messages_of(body)]
    salt = (facts_of(body).family, body.get("model"), body.get("reasoning_effort"), thinks(body, state.behaviour))
    behaviour, lifetime = state.behaviour, MINUTES_5
    if _write_price(body) is None:
        lifetime = inf if behaviour.cache_without_write_price is None else behaviour.cache_without_write_price
    elif _cache_ttl(body) == "1h" and behaviour.cache_hour_works:
        lifetime = HOUR
    overhead = prompt - sum(tokens for _, tokens in texts)
    return state.cache.use(salt, texts, overhead, now=state.clock(), lifetime=lifetime)


def _write_price(body: Json) -> object:
    price = PRICES.get(str(body.get("model")))
    return price and price.write_5m


def _usage(state: ServiceState, body: Json, reply: Reply, prompt: int, cached: CacheUse) -> Json:
    reports = state.behaviour.cache_write_tokens and _write_price(body) is not None
    return reply.usage(prompt, cached.read, cached.written if reports else None)
