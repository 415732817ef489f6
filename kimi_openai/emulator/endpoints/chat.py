"""`POST /v1/chat/completions`: check the body, answer it, and put the reply on the wire.

`complete` answers a chat request of a batch file in the same way, without scripts, cache and charge.
"""

from __future__ import annotations

from typing import Any

from multidict import CIMultiDict, CIMultiDictProxy

from kimi_openai.emulator.frames import EVENT_STREAM, Cut, Pause, Response
from kimi_openai.emulator.generation.chunks import stream_frames
from kimi_openai.emulator.generation.default_answer import default_steps
from kimi_openai.emulator.generation.engine import generate
from kimi_openai.emulator.generation.script import Step, steps_of
from kimi_openai.emulator.json_values import Json, encode
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.tokens import prompt_tokens
from kimi_openai.emulator.validation.body import broken_rule

from .answering import Answer, answer

__all__ = ["chat", "complete"]


def chat(state: ServiceState, request: Request) -> Response:
    """The response to a chat request, streaming or not."""
    body: Any = request.json
    problem = broken_rule(body, state.behaviour)
    if problem:
        return problem.response()
    found = answer(state, request, body, lambda body: _default_steps(state, body))
    return _response(state, request, found) if isinstance(found, Answer) else found


def _default_steps(state: ServiceState, body: Json) -> list[Step]:
    return default_steps(body, speaks_beside_call=state.behaviour.speaks_beside_call)


def _response(state: ServiceState, request: Request, found: Answer) -> Response:
    body, reply = request.json, found.reply
    envelope = state.envelope(str(body["model"]), request.number)
    if body.get("stream"):
        options: Any = body.get("stream_options") or {}
        stream = stream_frames(reply, envelope, found.usage, include_usage=bool(options.get("include_usage")))
        return Response(tuple(stream), content_type=EVENT_STREAM, streaming=True)
    whole = encode(envelope.completion(reply.message, reply.finish_reason, found.usage)).encode()
    return Response((*(item for item in reply.stream if isinstance(item, Pause | Cut)), whole))


def complete(state: ServiceState, body: Json, number: int) -> tuple[int, Json]:
    """Status and body for chat request number `number` of a batch file. The user's `reply` function gets it too."""
    problem = broken_rule(body, state.behaviour)
    if problem:
        return problem.status, {"error": {"message": problem.message, "type": problem.type}}
    prompt = prompt_tokens(body, state.behaviour)
    nothing = CIMultiDictProxy(CIMultiDict[str]())
    request = Request(number, "POST", "/v1/chat/completions", nothing, nothing, (), b"", body, state.clock())
    script = state.reply(request) if state.reply else None
    steps = default_steps(body) if script is None else steps_of(script)
    reply = generate(body, steps, prompt=prompt, behaviour=state.behaviour)
    envelope = state.envelope(str(body["model"]), number, kind="batch")
    return 200, envelope.completion(reply.message, reply.finish_reason, reply.usage(prompt, 0))
