"""`chat`: one question and its answer, or a conversation at a terminal.

What is asked and what is remembered are pure functions; `telling.py` brings an answer to the screen. A part of one that
came before Ctrl-C or an error counts as an answer.
"""

from __future__ import annotations

import json
import re
from argparse import Namespace
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TextIO, cast

import openai

from . import KimiOpenAI, extract_text, file_message, image_part, thinking, video_part
from .errors import StreamCutError
from .replies import Fold, Reply
from .screen import Screen
from .telling import Telling, exit_code
from .terminal import escaped, json_text

__all__ = ["INTERRUPTED", "chat", "json_of", "question_from", "question_message", "remembered"]

Message = Mapping[str, Any]

INTERRUPTED = 130

HELP = """\
  /new     forget the conversation (the system text, files and images stay)
  /quit    leave; so does Ctrl-D
  /help    this
  Ctrl-C   end an answer; what came of it is remembered"""


def chat(client: KimiOpenAI, wanted: Namespace, screen: Screen, stdin: TextIO) -> int:
    """Run the command; the exit code. Raises `ValueError` for what cannot be asked, then the SDK's errors."""
    question = question_from(wanted.words, stdin)
    extra = thinking(wanted.model, enabled=wanted.thinking, effort=wanted.effort)
    if question is None and (wanted.json or wanted.raw):
        raise ValueError("--json and --raw need a question: as words, or on stdin")
    media = [*map(image_part, wanted.image), *map(video_part, wanted.video)]
    request: dict[str, Any] = {"model": wanted.model, **extra}
    opening = [_document(client, path, screen) for path in wanted.file]
    opening += [{"role": "system", "content": wanted.system}] if wanted.system else []
    if question is None:
        return _converse(client, request, opening, media, screen)
    request["messages"] = [*opening, question_message(question, media)]
    if wanted.raw:
        return _relay(client, request, screen)
    told = Telling(screen, is_quiet=wanted.json)
    reply = told.tell(client, request)
    if wanted.json:
        screen.line(json_text(json_of(reply)))
    return INTERRUPTED if told.is_interrupted else exit_code(reply, screen)


def question_from(words: Sequence[str], stdin: TextIO) -> str | None:
    """The question: the words, with stdin below them where one of them is `-`; without words stdin, or `None` if that
    is a terminal."""
    if not words and stdin.isatty():
        return None
    text = " ".join(word for word in words if word != "-")
    below = stdin.read() if not words or "-" in words else ""
    question = f"{text}\n\n{below}".strip()
    if not question:
        raise ValueError("the question is empty")
    return question


def question_message(text: str, media: Sequence[Mapping[str, Any]] = ()) -> Message:
    """The user's message.

    >>> question_message("Hi")
    {'role': 'user', 'content': 'Hi'}
    """
    return {"role": "user", "content": [*media, {"type": "text", "text": text}] if media else text}


def remembered(history: Sequence[Message], question: Message, reply: Reply) -> list[Message]:
    """The history after an answer. A question of whose answer no text came is forgotten: Kimi refuses an empty one.

    >>> [message["content"] for message in remembered([], {"content": "q"}, Reply(content="a"))]
    ['q', 'a']
    """
    return [*history, question, reply.message()] if reply.content.strip() else [*history]


def json_of(reply: Reply) -> dict[str, Any]:
    """What `--json` prints; `finish_reason` is null for an answer that is not whole."""
    return {
        "text": reply.content,
        "reasoning": reply.reasoning,
        "usage": reply.usage,
        "finish_reason": reply.finish_reason,
        "model": reply.head.get("model"),
        "id": reply.head.get("id"),
        **({"tool_calls": reply.tool_calls} if reply.tool_calls else {}),
    }


def _document(client: KimiOpenAI, path: str, screen: Screen) -> Message:
    with screen.waiting(f"Kimi reads {Path(path).name}"):
        return cast(Message, file_message(extract_text(client, path)))


def _relay(client: KimiOpenAI, request: Mapping[str, Any], screen: Screen) -> int:
    """The chunks as they are on the wire, one JSON a line. Raises `StreamCutError` if they are no whole answer."""
    options: Any = {"cast_to": object, "stream": True, "stream_cls": openai.Stream[object]}
    response: Any = client.post("/chat/completions", body={**request, "stream": True}, **options).response
    fold = Fold()
    try:
        for payload in _payloads(response):
            screen.line(escaped(payload))
            with suppress(ValueError, AttributeError, TypeError):  # what is no chunk is shown all the same
                fold.add(json.loads(payload))
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        response.close()
    reply = fold.reply()
    if reply.finish_reason is None:
        raise StreamCutError(request=response.request, text=reply.content, reasoning=reply.reasoning or "")
    return exit_code(reply, screen)


def _payloads(response: Any) -> Iterator[str]:
    try:
        for line in response.iter_lines():
            payload = line.removeprefix("data:").strip()
            if payload and not line.startswith(":") and payload != "[DONE]":
                yield payload
    except Exception as error:  # the HTTP library's, whichever it is
        raise StreamCutError(request=response.request, cause=error) from error


def _converse(
    client: KimiOpenAI, request: Mapping[str, Any], opening: Sequence[Message], media: Sequence[Message], screen: Screen
) -> int:
    read = _line_reader(screen)
    screen.note(f"{request['model']}; /help tells more, Ctrl-D ends")
    history, unseen = list(opening), media
    while True:
        try:
            text = read().strip()
        except EOFError:
            return 0
        except KeyboardInterrupt:
            screen.note("")
            continue
        if text == "/quit":
            return 0
        if text == "/new":
            history, unseen = list(opening), media
            screen.note("a new conversation")
        elif re.fullmatch(r"/[a-z]*", text):
            screen.note(HELP)
        elif text:
            question = question_message(text, unseen)
            reply = _answered(client, {**request, "messages": [*history, question]}, screen)
            history, unseen = remembered(history, question, reply), () if reply.content.strip() else unseen


def _answered(client: KimiOpenAI, request: Mapping[str, Any], screen: Screen) -> Reply:
    """The answer to one question of a conversation, which no error ends."""
    told = Telling(screen)
    try:
        reply = told.tell(client, request)
    except openai.OpenAIError as error:
        screen.note(str(error))
        return getattr(error, "reply", Reply())
    exit_code(reply, screen)
    if reply.usage:
        screen.aside(f"{reply.usage.get('prompt_tokens')} tokens in, {reply.usage.get('completion_tokens')} out\n")
    return reply


def _line_reader(screen: Screen) -> Callable[[], str]:
    """Reads a line with the editing and recall of readline where that exists; nothing is kept on disk."""
    with suppress(ImportError):
        import_module("readline")

    def read() -> str:
        if screen.out_is_tty:
            return input("> ")
        screen.err.write("> ")
        screen.err.flush()
        return input()

    return read
