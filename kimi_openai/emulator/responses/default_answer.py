"""The answer of a Responses request without a script: that of chat, with a web search if the question asks for one."""

from __future__ import annotations

import re

from kimi_openai.emulator.chat_body import messages_of, text_of
from kimi_openai.emulator.generation.default_answer import default_steps
from kimi_openai.emulator.generation.script import Say, Step, Think, call
from kimi_openai.emulator.json_values import Json

from .body import WEB_SEARCH

__all__ = ["default_response_steps"]

FOUND = "I searched the web and found one emulated result: https://example.com/emulated-result"


def default_response_steps(chat: Json, *, searches: bool) -> list[Step]:
    """The steps for the chat form of a body. `searches`: whether web search is offered.

    The search comes before the reasoning, as it was measured.
    """
    last = messages_of(chat)[-1] if messages_of(chat) else {}
    question = text_of(last.get("content")) if last.get("role") == "user" else ""
    if searches and re.search(r"(?i)\bsearch|\bnews\b|\btoday\b", question):
        return [call(WEB_SEARCH, {"query": question}), Think("I have one result."), Say(FOUND)]
    if searches:
        tools = [tool for tool in chat.get("tools", []) if tool["function"]["name"] != WEB_SEARCH]
        return default_steps({**chat, "tools": tools})
    return default_steps(chat)
