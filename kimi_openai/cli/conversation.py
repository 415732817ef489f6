"""A conversation with Kimi: what is sent with the next question, and what is remembered of the answers.

`chat.py` makes it of the options, `slash.py` changes it, `talk.py` reads the questions. The part of an answer that came
before Ctrl-C or an error counts as an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import openai

from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.messages.reply import Reply
from kimi_openai.models.reasoning import thinking
from kimi_openai.tools.function_schema import Tool

from .console import Console
from .conversation_log import ConversationLog, Saved
from .printer import AnswerPrinter, Shown
from .question import question_message
from .search import SearchPrinter

__all__ = ["Conversation"]

Message = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Conversation:
    """The state of a conversation.

    `opening`: messages before all others, such as documents. `system`: the system text, after them. `turns`: for each
    question that was answered, its messages and the answer's. `documents` and `media` go with the next question.
    `is_answered`: the last turn is that of `last_question`. `params`: other fields of each request.
    """

    model: str
    enabled: bool | None = None
    effort: Any = None
    params: Mapping[str, Any] = field(default_factory=dict[str, Any])
    opening: list[Message] = field(default_factory=list[Message])
    system: str | None = None
    turns: list[list[Message]] = field(default_factory=list[list[Message]])
    documents: list[Message] = field(default_factory=list[Message])
    media: list[Message] = field(default_factory=list[Message])
    tools: Sequence[Tool] = ()
    shown: Shown = Shown()  # noqa: RUF009 - it is frozen
    log: ConversationLog | None = None
    last_question: list[Message] | None = None
    is_answered: bool = False

    def resume(self, saved: Saved) -> None:
        """Go on with a saved conversation, whose system text counts unless there is a new one."""
        messages: list[Message] = list(saved.messages)
        start = next((number for number, each in enumerate(messages) if each.get("role") != "system"), len(messages))
        opening, rest = messages[:start], messages[start:]
        if saved.system is not None and opening and opening[-1].get("content") == saved.system:
            opening.pop()
            self.system = saved.system if self.system is None else self.system
        self.opening += opening
        for message in rest:
            if not self.turns or self.turns[-1][-1].get("role") == "assistant":
                self.turns.append([])
            self.turns[-1].append(message)
        self.last_question, self.is_answered = (self.turns[-1][:-1], True) if self.turns else (None, False)

    def restart(self) -> None:
        """Forget the questions and answers; the next answer begins a new file."""
        self.turns, self.last_question, self.is_answered = [], None, False
        self.log = None if self.log is None else ConversationLog()

    @property
    def messages(self) -> list[Message]:
        """The messages so far."""
        system: list[Message] = [{"role": "system", "content": self.system}] if self.system else []
        return [*self.opening, *system, *(message for turn in self.turns for message in turn)]

    @property
    def request(self) -> dict[str, Any]:
        """The fields of each request. Raises `ValueError` if the model cannot think as wanted."""
        return {"model": self.model, **thinking(self.model, enabled=self.enabled, effort=self.effort), **self.params}

    def printer(self, console: Console) -> AnswerPrinter:
        """A printer for one answer."""
        return SearchPrinter(console, self.tools, self.shown) if self.tools else AnswerPrinter(console, self.shown)

    def question(self, text: str) -> list[Message]:
        """The messages of a question, with the documents and media that go with it."""
        return [*self.documents, question_message(text, self.media)]

    def ask(self, client: KimiOpenAI, printer: AnswerPrinter, question: list[Message], console: Console) -> Reply:
        """Ask a question and remember the answer. Raises the SDK's errors; what has arrived is remembered then too."""
        self.last_question, self.is_answered = question, False
        reply = Reply()
        try:
            reply = printer.run(client, {**self.request, "messages": [*self.messages, *question]})
        except openai.OpenAIError as error:
            reply = getattr(error, "reply", reply)
            raise
        finally:
            self.remember(question, reply, console)
        return reply

    def remember(self, question: list[Message], reply: Reply, console: Console) -> None:
        """Add a question and its answer, unless it has no text: Kimi refuses an empty message."""
        if not reply.content.strip():
            return
        self.turns.append([*question, reply.message()])
        self.is_answered = True
        self.documents = [each for each in self.documents if each not in question]
        self.media = [each for each in self.media if each not in question[-1]["content"]]
        if self.log is not None:
            try:
                self.log.write(self.messages, model=self.model, system=self.system)
            except OSError as problem:
                console.note(f"this conversation is not kept on disk: {problem}")
                self.log = None

    def retry(self, ask: Callable[[list[Message]], object]) -> None:
        """Ask the last question again. The answer that it had stays if there is no new one. Raises `ValueError` if
        there was no question."""
        if self.last_question is None:
            raise ValueError("there is no question yet")
        before = list(self.turns)
        if self.is_answered:
            self.turns.pop()
        try:
            ask(self.last_question)
        finally:
            if not self.is_answered and len(before) > len(self.turns):
                self.turns, self.is_answered = before, True
