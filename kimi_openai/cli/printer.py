"""Prints one answer while it arrives: the text to stdout, the reasoning dim beside it, notes about it to stderr."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.messages.reply import Reply
from kimi_openai.streaming.chat_stream import ChatStream, stream
from kimi_openai.streaming.events import Event

from .console import Console

__all__ = ["AnswerPrinter", "Shown", "exit_code"]

ENDINGS = {
    "length": "the answer ends here because its token budget or the context is full",
    "content_filter": "the answer ends here because the platform's filter stopped it",
}


def exit_code(reply: Reply, console: Console) -> int:
    """0, or 1 if the platform stopped the answer. A note says why an answer ended early."""
    if reply.finish_reason in ENDINGS:
        console.note(ENDINGS[reply.finish_reason])
    return 1 if reply.finish_reason == "content_filter" else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What of an answer is printed: the text (`markdown`: as Markdown on a terminal), the reasoning beside it."""

    text: bool = True
    reasoning: bool = True
    markdown: bool = True


class AnswerPrinter:
    """Asks one question and prints of the answer what is `shown`.

    After `run`, `is_interrupted` says whether Ctrl-C ended it, and `stream` is the stream that was read.
    """

    stream: ChatStream

    def __init__(self, console: Console, shown: Shown = Shown()) -> None:
        self.is_interrupted = False
        self._console, self._shown = console, shown
        self._is_thinking = self._has_text = False

    def run(self, client: KimiOpenAI, request: Mapping[str, Any]) -> Reply:
        """The answer, or the part of it that came before Ctrl-C. Raises the SDK's errors, after ending the line."""
        self.stream = answer = stream(client, **request)
        self._is_thinking = self._has_text = False
        if self._shown.text and not self._console.out_is_tty:
            _ = answer.text_stream  # text in a pipe cannot be taken back: from now on an error, not a new start
        try:
            with self._console.waiting(f"waiting for {request['model']}") as end_waiting, answer:
                for event in answer:
                    if self._is_shown(event):
                        end_waiting()
                        self._print(event)
        except KeyboardInterrupt:
            self.is_interrupted = True
        finally:
            self._end_reasoning("\n")
            if self._shown.text:
                self._console.end_answer()
        return answer.reply

    def _is_shown(self, event: Event) -> bool:
        if event.type == "reasoning.delta":  # later reasoning would interrupt the text
            return self._shown.text and self._shown.reasoning and not self._has_text
        return self._shown.text and event.type in ("content.delta", "restarted")

    def _print(self, event: Event) -> None:
        match event.type:
            case "reasoning.delta":
                if not (self._is_thinking or self._console.has_colour):
                    self._console.aside("[reasoning]\n")
                self._console.aside(event.delta)
                self._is_thinking = True
            case "content.delta":
                self._end_reasoning("\n\n")
                (self._console.markdown if self._shown.markdown else self._console.answer)(event.delta)
                self._has_text = True
            case "restarted" if self._has_text:
                self._console.end_answer()
                self._console.note("the connection broke; Kimi starts over:")
                self._has_text = False
            case _:
                pass

    def _end_reasoning(self, blank: str) -> None:
        if self._is_thinking:
            self._console.aside(blank if self._console.has_colour else f"\n[end of the reasoning]{blank}")
        self._is_thinking = False
