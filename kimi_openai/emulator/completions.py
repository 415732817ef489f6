"""The chat endpoint: rules, script, engine, account, in that order; a body goes in, an answer of frames comes out."""

from __future__ import annotations

from typing import Any

from .account import quota_problem
from .answers import default_answer
from .engine import Reply, draft, frames
from .reading import facts_of, messages_of, prompt_tokens, thinks
from .record import Request
from .rules import broken_rule
from .script import Step, steps_of
from .shapes import shape_problem
from .tokens import message_tokens
from .wire import EVENT_STREAM, Answer, Cut, Json, Pause, Problem, encode
from .world import World

__all__ = ["answer", "complete"]

NONCE = "X-Msh-Request-Nonce"


def answer(world: World, request: Request, *, as_json: bool = False) -> Answer:
    """The answer to a chat completion; `as_json` answers a stream with one body."""
    body: Any = request.json
    problem = shape_problem(body) or broken_rule(body, world.behaviour)
    if problem is None and world.account.available <= 0:
        problem = quota_problem(world.behaviour.quota_status)
    if problem:
        return problem.answer()
    prompt = prompt_tokens(body, world.behaviour)
    try:
        reply = draft(body, _script(world, request), prompt=prompt, behaviour=world.behaviour, chunking=world.chunking)
    except Exception as reason:
        return Problem(f"emulator: the script failed: {reason!r}", "server_error", 500).answer()
    streaming = bool(body.get("stream")) and not as_json
    failure = reply.problem(streaming=streaming)
    if failure:
        pauses = [happening for happening in reply.happenings if isinstance(happening, Pause)]
        return Answer((*pauses, failure.body), failure.status)
    usage = _usage(world, body, reply, prompt)
    world.account.charge(str(body["model"]), usage)
    return _answer(world, request, reply, usage, streaming=streaming)


def _answer(world: World, request: Request, reply: Reply, usage: Json, *, streaming: bool) -> Answer:
    body = request.json
    envelope, signed = world.envelope(str(body["model"]), request.number), _signed(world, request)
    if streaming:
        options: Any = body.get("stream_options") or {}
        stream = frames(reply, envelope, usage, include_usage=bool(options.get("include_usage")))
        return Answer(tuple(stream), content_type=EVENT_STREAM, headers=signed, streaming=True)
    whole = encode(envelope.completion(reply.message, reply.finish_reason, usage)).encode()
    return Answer((*(h for h in reply.happenings if isinstance(h, Pause | Cut)), whole), headers=signed)


def _script(world: World, request: Request) -> list[Step]:
    if world.scripts:
        return world.scripts.popleft()
    script = world.reply(request) if world.reply else None
    return default_answer(request.json) if script is None else steps_of(script)


def _usage(world: World, body: Json, reply: Reply, prompt: int) -> Json:
    said = [(encode(message), message_tokens(message)) for message in messages_of(body)]
    salt = (facts_of(body).family, body.get("model"), body.get("reasoning_effort"), thinks(body, world.behaviour))
    cached = world.cache.hit(salt, said, prompt - sum(tokens for _, tokens in said))
    return reply.usage(prompt, cached, prompt - cached if world.behaviour.cache_write_tokens else None)


def _signed(world: World, request: Request) -> tuple[tuple[str, str], ...]:
    """The signature headers, when the request carries exactly one nonce; an invalid one is no error."""
    nonces = request.headers.getall(NONCE, [])
    if len(nonces) != 1 or not nonces[0].strip():
        return ()
    stamp = int(world.clock() * 1000)
    signature = world.signature(nonces[0], stamp, str(request.json["model"]))
    return (("Msh-Request-Timestamp", str(stamp)), ("Msh-Request-Signature", signature))


def complete(world: World, body: Json, number: int) -> tuple[int, Json]:
    """Status and body of a chat request from a batch file, which is answered without a script."""
    problem = shape_problem(body) or broken_rule(body, world.behaviour)
    if problem:
        return problem.status, {"error": {"message": problem.message, "type": problem.type}}
    prompt = prompt_tokens(body, world.behaviour)
    reply = draft(body, default_answer(body), prompt=prompt, behaviour=world.behaviour)
    envelope = world.envelope(str(body["model"]), number, kind="batch")
    return 200, envelope.completion(reply.message, reply.finish_reason, reply.usage(prompt, 0))
