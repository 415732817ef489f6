"""Sends the request of another client through our client, and returns the answer in OpenAI's form on the wire.

Everything that our client does with a request and an answer is done by our client; here its results become bytes
again. `transport` and `kimi_openai.proxy` call it.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai.client.http_library import http_library
from kimi_openai.compat.adapt import last_notes
from kimi_openai.errors.exceptions import SettingsError

from .answer_errors import error_answer, is_unanswered
from .events import json_of
from .form import FORM, parsed_form
from .message import EVENT_STREAM, JSON, WireAnswer, WireRequest, answer_headers
from .notes import NOTES_HEADER, notes_header

__all__ = ["exchange"]


def exchange(find_client: Callable[[], AnyClient], request: WireRequest) -> Flow[WireAnswer]:
    """The answer to a request, as a flow. Its body is a stream of chunks if the request asked for one.

    One attempt is made: who asked retries, by the headers of the answer. Raises `APIConnectionError` if no answer came;
    every other exception of the SDK becomes an error answer, also one of `find_client`, which returns our client.
    """
    try:
        client = find_client()
    except SettingsError as error:
        return error_answer(error)
    try:
        types = _types(request)
        answer = yield from _other(client, request) if types is None else _typed(client, request, *types)
    except openai.OpenAIError as error:
        if is_unanswered(error):
            raise
        answer = error_answer(error)
    notes = notes_header(last_notes())
    return answer if not notes else WireAnswer(answer.status, {**answer.headers, NOTES_HEADER: notes}, answer.body)


def _types(request: WireRequest) -> tuple[Any, Any] | None:
    """The SDK's types of the answer and of the events of its stream, `None` for endpoints that pass as they are."""
    if request.method != "POST" or request.body is None:
        return None
    match request.endpoint[0]:
        case "/chat/completions":
            return ChatCompletion, ChatCompletionChunk
        case "/responses":
            from openai.types.responses import Response, ResponseStreamEvent  # takes a while

            return Response, ResponseStreamEvent
        case _:
            return None


def _typed(client: AnyClient, request: WireRequest, answer: Any, event: Any) -> Flow[WireAnswer]:
    """What the SDK has types for, and our client therefore changes. `event` is the type of the events of a stream."""
    body: Any = request.body
    options = _options(request)
    options["headers"] = {**options["headers"], "X-Stainless-Raw-Response": "true"}
    if not body.get("stream"):
        raw: Any = yield _send(client, request, cast_to=answer, body=body, options=options)
        return WireAnswer(200, {**answer_headers(raw.headers.items()), "content-type": JSON}, json_of(raw.parse()))
    stream: Any = openai.Stream if isinstance(client, openai.OpenAI) else openai.AsyncStream
    raw = yield _send(client, request, cast_to=event, body=body, options=options, stream=True, stream_cls=stream[event])
    return WireAnswer(200, {**answer_headers(raw.headers.items()), "content-type": EVENT_STREAM}, raw.parse())


def _other(client: AnyClient, request: WireRequest) -> Flow[WireAnswer]:
    """All else passes as it is, but for the rules that our client has for it."""
    options = _options(request)
    arguments: dict[str, Any] = {"body": request.body}
    form = parsed_form(request.content, request.content_type)
    if form is not None:
        options["headers"]["Content-Type"] = FORM  # the SDK adds its own boundary
        arguments = {"body": form.fields, "files": form.files}
    elif request.body is None and request.content:
        options["headers"]["Content-Type"] = request.content_type
        arguments = {_content_parameter(client): request.content}
    response: Any = yield _send(client, request, cast_to=http_library().Response, options=options, **arguments)
    headers = answer_headers(response.headers.items())
    if "content-type" in response.headers:
        headers["content-type"] = response.headers["content-type"]
    return WireAnswer(response.status_code, headers, response.content)


def _options(request: WireRequest) -> dict[str, Any]:
    options: dict[str, Any] = {"headers": dict(request.headers), "params": request.endpoint[1], "max_retries": 0}
    return options if request.timeout is None else {**options, "timeout": request.timeout}


def _send(client: Any, request: WireRequest, **arguments: Any) -> Any:
    """Call the client's method for the request's, such as `client.post`."""
    method = getattr(client, request.method.lower())
    return method(request.endpoint[0], **{name: value for name, value in arguments.items() if value is not None})


def _content_parameter(client: AnyClient) -> str:
    """The parameter of `client.post` for bytes; older SDKs have one for everything."""
    return "content" if "content" in signature(client.post).parameters else "body"
