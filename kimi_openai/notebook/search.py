"""An answer for which Kimi may search the web (`%kimi --search`): each turn is shown live, then the sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from kimi_openai._internal.table import Table
from kimi_openai.streaming.chat_stream import stream
from kimi_openai.tools import ToolRun, formula_tools
from kimi_openai.tools.runner import run_tools_with
from kimi_openai.usage.costs import price_list

from .display import ShownReply, live, show

__all__ = ["searched"]


def searched(client: openai.OpenAI, request: Mapping[str, Any]) -> ShownReply:
    """The last answer. All answers, and a table of the sources, have been shown."""
    shown: list[ShownReply] = []

    def ask(**turn: Any) -> ChatCompletion:
        answer = stream(client, **turn)
        shown.append(live(answer, prices=price_list(client)))
        return answer.get_final_completion()

    run: Any = run_tools_with(client, ask, tools=formula_tools(client, "moonshot/web-search:latest"), **request)
    if table := _sources(run):
        show(table)
    return shown[-1]


def _sources(run: ToolRun) -> Table | None:
    rows = tuple((each.title or "", each.url) for each in run.references)
    return Table(rows, ("source", "address")) if rows else None
