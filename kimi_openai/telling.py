"""One answer on its way to the screen: the text to stdout, the reasoning dim beside it, news of it to stderr.

`chatting.py` asks, `streaming.py` has the events. A part that came before Ctrl-C counts as an answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .client import KimiOpenAI
from .events import Event
from .replies import Reply
from .screen import Screen
from .streaming import stream

__all__ = ["Telling", "exit_code"]

ENDINGS = {
    "length": "the answer ends here because its token budget or the context is full",
    "content_filter": "the answer ends here because the platform's filter stopped it",
}


def exit_code(reply: Reply, screen: Screen) -> int:
    """0, or 1 where the platform stopped the answer; an unusual end is said."""
    if reply.finish_reason in ENDINGS:
        screen.note(ENDINGS[reply.finish_reason])
    return 1 if reply.finish_reason == "content_filter" else 0


class Telling:
    """One answer; nothing of it is shown if it `is_quiet`."""

    def __init__(self, screen: Screen, *, is_quiet: bool = False) -> None:
        self.is_interrupted = False
        self._screen, self._is_quiet = screen, is_quiet
        self._is_thinking = self._has_text = False

    def tell(self, client: KimiOpenAI, request: Mapping[str, Any]) -> Reply:
        """The answer, or what came of it before Ctrl-C. Raises the SDK's errors, after the screen's line is ended."""
        answer = stream(client, **request)
        if not (self._is_quiet or self._screen.out_is_tty):
            _ = answer.text_stream  # what a pipe has got stays true: from here on an error rather than a new start
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
            case "reasoning.delta" if not self._has_text:  # what comes after a break would cut the text apart
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
