"""`POST /v1/responses`: check the body, answer its chat form, and put the reply into the shape of this API."""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator.chat_body import thinks
from kimi_openai.emulator.errors import url_not_found
from kimi_openai.emulator.frames import EVENT_STREAM, Cut, Pause, Response
from kimi_openai.emulator.generation.engine import REASONING_MARKUP
from kimi_openai.emulator.json_values import Json, encode, is_array
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.responses.body import APPLY_PATCH, WEB_SEARCH, input_items, is_offered, namespaces_of
from kimi_openai.emulator.responses.chat_form import chat_form
from kimi_openai.emulator.responses.default_answer import default_response_steps
from kimi_openai.emulator.responses.events import response_body, response_frames, response_usage
from kimi_openai.emulator.responses.output import OutputWriter
from kimi_openai.emulator.responses.refusals import refusal_response, refused
from kimi_openai.emulator.responses.response_object import ResponseObject
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.validation.body import broken_rule

from .answering import Answer, answer

__all__ = ["responses"]


def responses(state: ServiceState, request: Request) -> Response:
    """The response to a Responses request, streaming or not."""
    if not state.behaviour.has_responses:
        return url_not_found(request.method, request.path, request.headers.get("User-Agent", ""))
    body: Any = request.json
    problem = refused(body, state.behaviour)
    if problem:
        return refusal_response(problem)
    chat = chat_form(body)
    problem = broken_rule(chat, state.behaviour)
    if problem:
        return refusal_response(problem)
    searches = is_offered(body, "web_search")
    found = answer(
        state,
        request,
        chat,
        lambda chat: default_response_steps(chat, searches=searches),
        more_budget=REASONING_MARKUP if thinks(chat, state.behaviour) else 0,  # measured: 4 tokens with a limit of 1
    )
    return _response(state, request, found) if isinstance(found, Answer) else found


def _response(state: ServiceState, request: Request, found: Answer) -> Response:
    body: Json = request.json
    response = ResponseObject(f"resp_{state.id('response', request.number)}", state.now, body)
    writer, usage = _writer(state, request), response_usage(found.usage)
    if body.get("stream"):
        failure = state.behaviour.responses_failure
        frames = response_frames(found.reply, writer, response, usage, failure=failure)
        return Response(tuple(frames), content_type=EVENT_STREAM, streaming=True)
    whole = encode(response_body(found.reply, writer, response, usage)).encode()
    return Response((*(item for item in found.reply.stream if isinstance(item, Pause | Cut)), whole))


def _writer(state: ServiceState, request: Request) -> OutputWriter:
    body: Json = request.json
    tools: list[Any] = [*(body.get("tools") or ())]
    for item in input_items(body):
        tools += item.get("tools") or () if item.get("type") == "additional_tools" else ()
    hosted = {WEB_SEARCH: "web_search", APPLY_PATCH: "custom"}
    include = body.get("include")
    return OutputWriter(
        lambda prefix, index: f"{prefix}_{state.id(f'{prefix} {index}', request.number)}",
        hosted=frozenset(name for name, kind in hosted.items() if is_offered({"tools": tools}, kind)),
        namespaces=namespaces_of(tools),
        include=include if is_array(include) else (),
    )
