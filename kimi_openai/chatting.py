"""`chat`: one question and its answer, or a conversation at a terminal.

What is asked and what is remembered are pure functions; the loops hand events of `streaming.py` to the screen. A part
of an answer that came before Ctrl-C or an error counts as an answer.
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

from . import KimiOpenAI, extract_text, file_message, image_part, thinking
from .errors import StreamCutError
from .events import Event
from .replies import Fold, Reply
from .screen import Screen
from .streaming import stream
from .terminal import escaped, json_text

__all__ = ["INTERRUPTED", "chat", "json_of", "question_from", "question_message", "remembered"]

Message = Mapping[str, Any]

INTERRUPTED = 130

HELP = """\
  /new     forget the conversation (the system text and the files stay)
  /quit    leave; so does Ctrl-D
  /help    this
  Ctrl-C   end an answer; what came of it is remembered"""

ENDINGS = {
    "length": "the answer ends here because its token budget or the context is full",
    "content_filter": "the answer ends here because the platform's filter stopped it",
}


def chat(client: KimiOpenAI, wanted: Namespace, screen: Screen, stdin: TextIO) -> int:
    """Run the command; the exit code. Raises `ValueError` for what cannot be asked, then the SDK's errors."""
    question = question_from(wanted.words, stdin)
    extra = thinking(wanted.model, enabled=wanted.thinking, effort=wanted.effort)
    if question is None and (wanted.json or wanted.raw):
        raise ValueError("--json and --raw need a question: as words, or on stdin")
    images = [cast(Message, image_part(image)) for image in wanted.image]
    request: dict[str, Any] = {"model": wanted.model, **extra}
    opening = [_document(client, path, screen) for path in wanted.file]
    opening += [{"role": "system", "content": wanted.system}] if wanted.system else []
    if question is None:
        return _converse(client, request, opening, images, screen)
    request["messages"] = [*opening, question_message(question, images)]
    if wanted.raw:
        return _relay(client, request, screen)
    told = _Telling(screen, is_quiet=wanted.json)
    reply = told.tell(client, request)
    if wanted.json:
        screen.line(json_text(json_of(reply)))
    return INTERRUPTED if told.is_interrupted else _ending(reply, screen)


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


def question_message(text: str, images: Sequence[Message] = ()) -> Message:
    """The user's message.

    >>> question_message("Hi")
    {'role': 'user', 'content': 'Hi'}
    """
    return {"role": "user", "content": [*images, {"type": "text", "text": text}] if images else text}


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


class _Telling:
    """One answer on its way to the screen: the reasoning dim beside it, unless it `is_quiet`."""

    def __init__(self, screen: Screen, *, is_quiet: bool = False) -> None:
        self.is_interrupted = False
        self._screen, self._is_quiet = screen, is_quiet
        self._is_thinking = self._has_text = False

    def tell(self, client: KimiOpenAI, request: Mapping[str, Any]) -> Reply:
        """The answer, or what came of it before Ctrl-C. Raises the SDK's errors, after the screen's line is ended."""
        answer = stream(client, **request)
        try:
            with self._screen.waiting(f"waiting for {request['model']}") as arrived, answer:
                for event in answer:
                    if not self._is_quiet:
                        arrived()
                        self._show(event)
        except KeyboardInterrupt:
            self.is_interrupted = True
        finally:
            if self._is_thinking:
                self._screen.aside("\n")
            if not self._is_quiet:
                self._screen.end_answer()
        return answer.reply

    def _show(self, event: Event) -> None:
        match event.type:
            case "reasoning.delta":
                self._screen.aside(event.delta)
                self._is_thinking = True
            case "content.delta":
                if self._is_thinking:
                    self._screen.aside("\n\n")
                self._screen.answer(event.delta)
                self._is_thinking, self._has_text = False, True
            case "restarted" if self._has_text:
                self._screen.end_answer()
                self._screen.note("the connection broke; Kimi starts over:")
                self._has_text = False
            case _:
                pass


def _ending(reply: Reply, screen: Screen) -> int:
    if reply.finish_reason in ENDINGS:
        screen.note(ENDINGS[reply.finish_reason])
    return 1 if reply.finish_reason == "content_filter" else 0


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
    return _ending(reply, screen)


def _payloads(response: Any) -> Iterator[str]:
    try:
        for line in response.iter_lines():
            payload = line.removeprefix("data:").strip()
            if payload and not line.startswith(":") and payload != "[DONE]":
                yield payload
    except Exception as error:  # the HTTP library's, whichever it is
        raise StreamCutError(request=response.request, cause=error) from error


def _converse(
    client: KimiOpenAI, request: Mapping[str, Any], opening: Sequence[Message], images: list[Message], screen: Screen
) -> int:
    read = _line_reader(screen)
    screen.note(f"{request['model']}; /help tells more, Ctrl-D ends")
    history = list(opening)
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
            history = list(opening)
            screen.note("a new conversation")
        elif re.fullmatch(r"/[a-z]*", text):
            screen.note(HELP)
        elif text:
            question = question_message(text, images)
            reply = _answered(client, {**request, "messages": [*history, question]}, screen)
            history, images = remembered(history, question, reply), [] if reply.content.strip() else images


def _answered(client: KimiOpenAI, request: Mapping[str, Any], screen: Screen) -> Reply:
    """The answer to one question of a conversation, which no error ends."""
    told = _Telling(screen)
    try:
        reply = told.tell(client, request)
    except openai.OpenAIError as error:
        screen.note(str(error))
        return getattr(error, "reply", Reply())
    _ending(reply, screen)
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
