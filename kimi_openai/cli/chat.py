"""`chat`: one question and its answer, or a conversation at a terminal.

What is sent and what is remembered are pure functions; `printer.py` prints an answer. The part of an answer that came
before Ctrl-C or an error counts as an answer.
"""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, cast

import openai

from kimi_openai._internal.decode import is_json
from kimi_openai._internal.sanitize import escape_json, json_line
from kimi_openai.client.chunk_reader import chunk_in
from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.client.sse import DONE, Splitter
from kimi_openai.endpoints.files import extract_text
from kimi_openai.errors.exceptions import StreamCutError
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.builders import file_message, image_part, video_part
from kimi_openai.messages.half_joiner import HalfJoiner
from kimi_openai.messages.reply import Reply
from kimi_openai.models.reasoning import thinking
from kimi_openai.tools import Tool, formula_tools

from .console import Console
from .printer import AnswerPrinter, exit_code
from .search import SEARCH, SearchPrinter

__all__ = ["INTERRUPTED", "chat", "history_after", "json_of", "question_from", "question_message"]

Message = Mapping[str, Any]

INTERRUPTED = 130

HELP = """\
  /new     forget the conversation (the system text, files and images stay)
  /quit    leave; so does Ctrl-D
  /help    show this
  Ctrl-C   end an answer; what came of it is remembered"""


def chat(client: KimiOpenAI, options: Namespace, console: Console, stdin: TextIO) -> int:
    """Run `kimi-openai chat`; returns the exit code. Raises `ValueError` for wrong usage, and the SDK's errors."""
    question = question_from(options.words, stdin)
    extra = thinking(options.model, enabled=options.thinking, effort=options.effort)
    if question is None and (options.json or options.raw):
        raise ValueError("--json and --raw need a question: as words, or on stdin")
    if options.search and options.raw:
        raise ValueError("--raw prints the chunks of one answer, and --search takes several")
    media = [*map(image_part, options.image), *map(video_part, options.video)]
    request: dict[str, Any] = {"model": options.model, **extra}
    opening = [_document(client, path, console) for path in options.file]
    opening += [{"role": "system", "content": options.system}] if options.system else []
    tools = formula_tools(client, SEARCH) if options.search else []
    if question is None:
        return _converse(client, request, opening, media, console, tools)
    request["messages"] = [*opening, question_message(question, media)]
    if options.raw:
        return _print_raw(client, request, console)
    printer = _printer(console, tools, is_quiet=options.json)
    reply = printer.run(client, request)
    if options.json:
        console.line(json_line(json_of(reply, printer)))
    return INTERRUPTED if printer.is_interrupted else exit_code(reply, console)


def _printer(console: Console, tools: Sequence[Tool], *, is_quiet: bool = False) -> AnswerPrinter:
    return SearchPrinter(console, tools, is_quiet=is_quiet) if tools else AnswerPrinter(console, is_quiet=is_quiet)


def question_from(words: Sequence[str], stdin: TextIO) -> str | None:
    """The question. Raises `ValueError` if it is empty.

    It is the words, with stdin below them if one of the words is `-`. Without words it is stdin; `None` if stdin is a
    terminal then.
    """
    if not words and stdin.isatty():
        return None
    text = " ".join(word for word in words if word != "-")
    below = stdin.read() if not words or "-" in words else ""
    question = f"{text}\n\n{below}".strip()
    if not question:
        raise ValueError("the question is empty")
    return question


def question_message(text: str, media: Sequence[Message] = ()) -> Message:
    """The user's message.

    >>> question_message("Hi")
    {'role': 'user', 'content': 'Hi'}
    """
    return {"role": "user", "content": [*media, {"type": "text", "text": text}] if media else text}


def history_after(history: Sequence[Message], question: Message, reply: Reply) -> list[Message]:
    """The history with a question and its answer added. Without text in the answer nothing is added, because Kimi
    refuses an empty message.

    >>> [message["content"] for message in history_after([], {"content": "q"}, Reply(content="a"))]
    ['q', 'a']
    """
    return [*history, question, reply.message()] if reply.content.strip() else [*history]


def json_of(reply: Reply, printer: AnswerPrinter | None = None) -> dict[str, Any]:
    """The object that `--json` prints; `finish_reason` is null if the answer is not whole. `sources` are those of a
    search."""
    references = printer.references if isinstance(printer, SearchPrinter) else None
    return {
        "text": reply.content,
        "reasoning": reply.reasoning,
        "usage": reply.usage,
        "finish_reason": reply.finish_reason,
        "model": reply.head.get("model"),
        "id": reply.head.get("id"),
        **({"tool_calls": reply.tool_calls} if reply.tool_calls else {}),
        **({} if references is None else {"sources": [asdict(each) for each in references]}),
    }


def _document(client: KimiOpenAI, path: str, console: Console) -> Message:
    with console.waiting(f"Kimi reads {Path(path).name}"):
        return cast(Message, file_message(extract_text(client, path)))


def _print_raw(client: KimiOpenAI, request: Mapping[str, Any], console: Console) -> int:
    """Print the data of each event as it came, one per line. Raises `StreamCutError` if the answer is not whole."""
    sdk_options: Any = {"cast_to": object, "stream": True, "stream_cls": openai.Stream[object]}
    response: Any = client.post("/chat/completions", body={**request, "stream": True}, **sdk_options).response
    splitter, fold, half_joiner = Splitter(), ReplyAccumulator(), HalfJoiner()
    cause: Exception | None = None

    def show(data: bytes) -> None:
        if not data.startswith(DONE):
            console.line(escape_json(data.decode(errors="replace")))
            with suppress(openai.OpenAIError):  # it may not be a chunk
                fold.add(chunk_in(data, response, half_joiner))

    try:
        for piece in response.iter_bytes():
            for data in splitter.feed(piece):
                show(data)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError:  # stdout is closed or full
        raise
    except Exception as error:  # the HTTP library's, httpx or httpx2
        cause = error
    finally:
        response.close()
    if is_json(unclosed := splitter.flush()):
        show(unclosed)
    reply = fold.reply()
    if reply.finish_reason is None:
        raise StreamCutError(request=response.request, text=reply.content, reasoning=reply.reasoning or "", cause=cause)
    return exit_code(reply, console)


def _converse(
    client: KimiOpenAI,
    request: Mapping[str, Any],
    opening: Sequence[Message],
    media: Sequence[Message],
    console: Console,
    tools: Sequence[Tool],
) -> int:
    read = _line_reader(console)
    console.note(f"{request['model']}; /help tells more, Ctrl-D ends")
    history, unsent_media = list(opening), media
    while True:
        try:
            text = read().strip()
        except EOFError:
            return 0
        except KeyboardInterrupt:
            console.note("")
            continue
        if text == "/quit":
            return 0
        if text == "/new":
            history, unsent_media = list(opening), media
            console.note("a new conversation")
        elif re.fullmatch(r"/[a-z]*", text):
            console.note(HELP)
        elif text:
            question = question_message(text, unsent_media)
            printer = _printer(console, tools)
            reply = _answer_in_conversation(client, {**request, "messages": [*history, question]}, console, printer)
            history = history_after(history, question, reply)
            unsent_media = () if reply.content.strip() else unsent_media


def _answer_in_conversation(
    client: KimiOpenAI, request: Mapping[str, Any], console: Console, printer: AnswerPrinter
) -> Reply:
    """The answer to one question. An error is printed, and the conversation goes on."""
    try:
        reply = printer.run(client, request)
    except openai.OpenAIError as error:
        console.note(str(error))
        return getattr(error, "reply", Reply())
    exit_code(reply, console)
    if reply.usage:
        console.aside(f"{reply.usage.get('prompt_tokens')} tokens in, {reply.usage.get('completion_tokens')} out\n")
    return reply


def _line_reader(console: Console) -> Callable[[], str]:
    """A function that reads a line, with the editing of readline where it exists; no history is written to disk."""
    with suppress(ImportError):
        import_module("readline")

    def read() -> str:
        if console.out_is_tty:
            return input("> ")
        console.err.write("> ")
        console.err.flush()
        return input()

    return read
