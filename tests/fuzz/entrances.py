"""The ways in which a user asks for something and looks at what came. Each takes a `Desk`, and returns or raises."""

from __future__ import annotations

import io
import sys
from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

import openai
import pydantic

from kimi_openai import (
    complete,
    estimate_tokens,
    extract_text,
    get_balance,
    join_partial,
    list_models,
    live,
    replay_message,
    run_tools,
    stream,
    upload_media,
)
from kimi_openai.cli import commands
from kimi_openai.cli.console import Console
from kimi_openai.cli.printer import AnswerPrinter
from kimi_openai.cli.raw import print_raw
from kimi_openai.messages.reply import reply_of
from kimi_openai.notebook.display import html_of, text_of
from tests.conftest import Mode

__all__ = ["BARE", "ENTRANCES", "WITH_MODEL", "Desk", "look_at"]

ASK: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": "How is the weather in Paris?"}]}
ASK_RESPONSE: Any = {"model": "kimi-k3", "input": "How is the weather in Paris?"}
PICTURE = b"\x89PNG\r\n\x1a\n" + b"0" * 20


class City(pydantic.BaseModel):
    """Anything fits this model, if it is JSON."""

    model_config = pydantic.ConfigDict(extra="allow")


def get_weather(city: str = "") -> str:
    """The weather in a city."""
    return f"sunny in {city}"


TOOLS: Any = [get_weather, {"type": "builtin_function", "function": {"name": "$web_search"}}]
SDK_TOOL = openai.pydantic_function_tool(City, name="get_weather")


class Desk:
    """A client and how to wait for it."""

    def __init__(self, mode: Mode, client: Any) -> None:
        self.client, self.run, self.each, self.is_async = client, mode.run, mode.each, mode.is_async
        self.create: Any = client.chat.completions.create
        self.completions: Any = client.chat.completions


def look_at(value: Any) -> None:
    """Show a value in every way."""
    text_of(value), html_of(value), repr(value), str(value)


def create(desk: Desk) -> None:
    completion = desk.run(desk.create(**ASK))
    look_at(completion)
    look_at(completion.usage)
    look_at(reply_of(completion))
    if completion.choices:
        replay_message(completion)
        join_partial("a", completion)


def typed_stream(desk: Desk) -> None:
    for chunk in desk.each(desk.run(desk.create(**ASK, stream=True))):
        look_at(chunk)


def typed_stream_with_usage(desk: Desk) -> None:
    desk.each(desk.run(desk.create(**ASK, stream=True, stream_options={"include_usage": True})))


def raw(desk: Desk) -> None:
    answer = desk.run(desk.completions.with_raw_response.create(**ASK))
    look_at(answer.parse())
    answer.parse()


def raw_stream(desk: Desk) -> None:
    desk.each(desk.run(desk.completions.with_raw_response.create(**ASK, stream=True)).parse())


def streaming_response(desk: Desk) -> None:
    _streaming_response(desk, lambda answer: answer.parse())


def streaming_response_bytes(desk: Desk) -> None:
    _streaming_response(desk, lambda answer: desk.each(answer.iter_bytes()))


def streaming_response_stream(desk: Desk) -> None:
    _streaming_response(desk, lambda answer: answer.parse(), stream=True)


def _streaming_response(desk: Desk, look: Callable[[Any], Any], **more: Any) -> None:
    manager: Any = desk.completions.with_streaming_response.create(**ASK, **more)
    answer = desk.run(manager.__aenter__() if desk.is_async else manager.__enter__())
    try:
        found = desk.run(look(answer))
        if more:
            desk.each(found)
    finally:
        desk.run((manager.__aexit__ if desk.is_async else manager.__exit__)(None, None, None))


def old_functions(desk: Desk) -> None:
    functions = [{"name": "get_weather", "parameters": {"type": "object", "properties": {}}}]
    look_at(desk.run(desk.create(**ASK, functions=functions)))


def old_functions_stream(desk: Desk) -> None:
    functions = [{"name": "get_weather", "parameters": {"type": "object", "properties": {}}}]
    desk.each(desk.run(desk.create(**ASK, functions=functions, stream=True)))


def parse(desk: Desk) -> None:
    look_at(desk.run(desk.completions.parse(**ASK, response_format=City)))


def parse_tools(desk: Desk) -> None:
    look_at(desk.run(desk.completions.parse(**ASK, tools=[SDK_TOOL])))


def stream_helper(desk: Desk) -> None:
    _helper(desk)


def stream_helper_with_model(desk: Desk) -> None:
    _helper(desk, response_format=City, tools=[SDK_TOOL])


def _helper(desk: Desk, **more: Any) -> None:
    manager: Any = desk.completions.stream(**ASK, **more)
    stream = desk.run(manager.__aenter__() if desk.is_async else manager.__enter__())
    try:
        desk.each(stream)
        look_at(desk.run(stream.get_final_completion()))
    finally:
        desk.run((manager.__aexit__ if desk.is_async else manager.__exit__)(None, None, None))


def responses(desk: Desk) -> None:
    first = desk.run(desk.client.responses.create(**ASK_RESPONSE))
    look_at(first)
    str(first.output_text)
    if hasattr(desk.client, "kimi_options"):
        look_at(desk.run(desk.client.responses.retrieve(first.id)))
        desk.each(desk.client.responses.input_items.list(first.id))
        desk.run(desk.client.responses.create(**ASK_RESPONSE, previous_response_id=first.id))


def responses_stream(desk: Desk) -> None:
    for event in desk.each(desk.run(desk.client.responses.create(**ASK_RESPONSE, stream=True))):
        look_at(event)


def responses_parse(desk: Desk) -> None:
    look_at(desk.run(desk.client.responses.parse(**ASK_RESPONSE, text_format=City)).output_parsed)


def responses_helper(desk: Desk) -> None:
    _responses_helper(desk)


def responses_helper_with_model(desk: Desk) -> None:
    _responses_helper(desk, text_format=City, tools=[{"type": "function", **SDK_TOOL["function"]}])


def _responses_helper(desk: Desk, **more: Any) -> None:
    manager: Any = desk.client.responses.stream(**ASK_RESPONSE, **more)
    stream = desk.run(manager.__aenter__() if desk.is_async else manager.__enter__())
    try:
        desk.each(stream)
        final = desk.run(stream.get_final_response())
        look_at(final)
        str(final.output_text)
    finally:
        desk.run((manager.__aexit__ if desk.is_async else manager.__exit__)(None, None, None))


def kimi_stream(desk: Desk) -> None:
    answer = stream(desk.client, **ASK)
    for event in desk.each(answer):
        look_at(event)
    look_at(desk.run(answer.get_final_completion()))


def text_stream(desk: Desk) -> None:
    "".join(desk.each(stream(desk.client, **ASK).text_stream))


def kimi_complete(desk: Desk) -> None:
    look_at(desk.run(complete(desk.client, **ASK, max_completion_tokens=100)))


def complete_json(desk: Desk) -> None:
    look_at(desk.run(complete(desk.client, **ASK, response_format={"type": "json_object"})))


def tools(desk: Desk) -> None:
    result = desk.run(run_tools(desk.client, **ASK, tools=TOOLS, max_turns=3))
    look_at(result)
    look_at(result.completion)


def live_stream(desk: Desk) -> None:
    desk.run(live(stream(desk.client, **ASK)))


def live_typed(desk: Desk) -> None:
    desk.run(live(desk.create(**ASK, stream=True)))


def balance(desk: Desk) -> None:
    found = desk.run(get_balance(desk.client))
    look_at(found)
    str(found.is_exhausted)


def estimate(desk: Desk) -> None:
    assert type(desk.run(estimate_tokens(desk.client, **ASK))) is int


def models(desk: Desk) -> None:
    look_at(desk.run(list_models(desk.client)))


def sdk_models(desk: Desk) -> None:
    for model in desk.each(desk.client.models.list()):
        look_at(model)
    desk.run(desk.client.models.retrieve("kimi-k3"))


def sdk_files(desk: Desk) -> None:
    for _, file in zip(range(20), desk.each(desk.client.files.list()), strict=False):
        look_at(file)
    desk.run(desk.client.files.delete("file_1"))


def file_content(desk: Desk) -> None:
    str(desk.run(desk.client.files.content("file_1")).text)


def upload(desk: Desk) -> None:
    desk.run(desk.client.files.create(file=("a.txt", b"a"), purpose="file-extract"))


def extract(desk: Desk) -> None:
    desk.run(extract_text(desk.client, b"abc", filename="a.txt"))


def media(desk: Desk) -> None:
    desk.run(upload_media(desk.client, PICTURE))


def batches(desk: Desk) -> None:
    batch: Any = {"input_file_id": "file_1", "endpoint": "/v1/chat/completions", "completion_window": "24h"}
    look_at(desk.run(desk.client.batches.create(**batch)))
    for _, each in zip(range(20), desk.each(desk.client.batches.list()), strict=False):
        look_at(each)


def plain_object(desk: Desk) -> None:
    desk.run(desk.client.get("/models", cast_to=object))


A_DICT: Any = dict[str, object] if sys.version_info >= (3, 11) else dict
"""On Python 3.10 the SDK raises `TypeError` for the first, whatever the answer."""


def plain_dict(desk: Desk) -> None:
    desk.run(desk.client.get("/models", cast_to=A_DICT))


def command_line(desk: Desk) -> None:
    console, client, options = Console(io.StringIO(), io.StringIO()), desk.client, Namespace(json=False, action="list")
    if desk.is_async:
        return
    for work in (
        lambda: AnswerPrinter(console).run(client, ASK),
        lambda: print_raw(client, ASK, console),
        lambda: commands.balance(client, options, console),
        lambda: commands.models(client, options, console),
        lambda: commands.files(client, options, console, io.StringIO()),
    ):
        _look_at_the_error_of(work)


def _look_at_the_error_of(work: Callable[[], object]) -> None:
    try:
        work()
    except openai.OpenAIError as error:
        look_at(error)


ENTRANCES: Mapping[str, Callable[[Desk], None]] = {
    "create": create,
    "create(stream=True)": typed_stream,
    "  with include_usage": typed_stream_with_usage,
    "with_raw_response": raw,
    "  stream=True": raw_stream,
    "with_streaming_response": streaming_response,
    "  its bytes": streaming_response_bytes,
    "  with stream=True": streaming_response_stream,
    "functions=": old_functions,
    "  functions=, stream=True": old_functions_stream,
    "parse, a model": parse,
    "parse, a tool": parse_tools,
    ".stream()": stream_helper,
    ".stream(), a model": stream_helper_with_model,
    "responses.create": responses,
    "responses.create(stream=True)": responses_stream,
    "responses.parse, a model": responses_parse,
    "responses.stream()": responses_helper,
    "responses.stream(), a model": responses_helper_with_model,
    "stream": kimi_stream,
    "stream, text_stream": text_stream,
    "complete": kimi_complete,
    "complete, JSON": complete_json,
    "run_tools": tools,
    "live(stream)": live_stream,
    "live(create(stream=True))": live_typed,
    "get_balance": balance,
    "estimate_tokens": estimate,
    "list_models": models,
    "extract_text": extract,
    "upload_media": media,
    "models": sdk_models,
    "files.list, delete": sdk_files,
    "files.content": file_content,
    "files.create": upload,
    "batches": batches,
    "get, an object": plain_object,
    "get, a dict": plain_dict,
    "command line": command_line,
}

WITH_MODEL = (
    *("parse, a model", "parse, a tool", ".stream(), a model"),
    *("responses.parse, a model", "responses.stream(), a model"),
)
"""Where a response model of the caller raises pydantic's own exception."""

BARE = ("create", "create(stream=True)", "responses.create", "responses.create(stream=True)")
"""What the bare SDK is asked for too."""
