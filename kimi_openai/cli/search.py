"""Prints an answer for which Kimi may search the web (`chat --search`): each turn as it arrives, then the sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from openai.types.chat import ChatCompletion

from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.endpoints.formulas import Reference
from kimi_openai.messages.reply import Reply
from kimi_openai.tools.function_schema import Tool
from kimi_openai.tools.loop import ToolRun
from kimi_openai.tools.runner import run_tools_with
from kimi_openai.tools.turn import ToolCall

from .console import Console
from .printer import AnswerPrinter, Shown

__all__ = ["SEARCH", "SearchPrinter"]

SEARCH = "moonshot/web-search:latest"


class SearchPrinter(AnswerPrinter):
    """An `AnswerPrinter` that runs the tools which Kimi calls. After `run`, `references` are the sources."""

    def __init__(self, console: Console, tools: Sequence[Tool], shown: Shown) -> None:
        super().__init__(console, shown)
        self.references: tuple[Reference, ...] = ()
        self._tools = tools
        self._reply = Reply()

    def run(self, client: KimiOpenAI, request: Mapping[str, Any]) -> Reply:
        """The last answer, with the usage of all turns, or the part of it that came before Ctrl-C."""

        def ask(**turn: Any) -> ChatCompletion:
            self._reply = super(SearchPrinter, self).run(client, turn)
            if self.is_interrupted:
                raise KeyboardInterrupt
            return self.stream.get_final_completion()

        try:
            run: Any = run_tools_with(client, ask, tools=self._tools, approve=self._note_call, **request)
        except KeyboardInterrupt:
            self.is_interrupted = True
            return self._reply
        return self._end(run)

    def _end(self, run: ToolRun) -> Reply:
        self.references = run.references
        for number, reference in enumerate(run.references, 1):
            title = f"{reference.title}: " if reference.title else ""
            if self._shown.text:
                self._console.note(f"[{number}] {title}{reference.url}")
        return replace(self._reply, usage=run.usage)

    def _note_call(self, call: ToolCall) -> bool:
        if self._shown.text:
            self._console.note(f"{call.name.replace('_', ' ')}: {call.arguments.get('query') or ''}")
        return True
