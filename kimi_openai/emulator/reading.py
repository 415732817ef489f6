"""Reading a chat body: the few questions that several rooms ask of it.

Pure and forgiving: a body that breaks the rules still gets an answer here, and the rules report it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kimi_openai.models import ModelFacts, facts

from .behaviour import Behaviour
from .tokens import message_tokens, prompt_overhead
from .wire import Json, is_array, is_object

__all__ = ["budget_of", "choice_kind", "facts_of", "functions", "messages_of", "partial_of", "prompt_tokens", "text_of"]
__all__ += ["thinks", "tools_of"]


def messages_of(body: Json) -> list[Json]:
    """The messages that are objects."""
    found = body.get("messages")
    return [message for message in found if is_object(message)] if is_array(found) else []


def facts_of(body: Json) -> ModelFacts:
    """The facts of the model asked for."""
    return facts(str(body.get("model")))


def text_of(content: Any) -> str:
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    parts: list[Any] = content if is_array(content) else []
    return "\n".join(str(part["text"]) for part in parts if is_object(part) and "text" in part)


def thinks(body: Json, behaviour: Behaviour) -> bool:
    """Whether this request is answered with thinking on.

    K3 honours `thinking.type=disabled` (live receipt of 2026-09-03) although the docs say it cannot.
    """
    facts, thinking = facts_of(body), body.get("thinking")
    disabled = is_object(thinking) and thinking.get("type") == "disabled"
    if facts.thinking == "always" and (facts.control == "thinking" or behaviour.strict_thinking):
        return True
    return not disabled


def partial_of(body: Json) -> Json | None:
    """The message that partial mode continues: a last assistant message with `partial: true`."""
    messages = messages_of(body)
    if messages and messages[-1].get("role") == "assistant" and messages[-1].get("partial") is True:
        return messages[-1]
    return None


def tools_of(body: Json) -> Iterator[Json]:
    """Top-level tools, then dynamic ones in the order of their messages."""
    for holder in (body, *messages_of(body)):
        tools = holder.get("tools")
        yield from (tool for tool in tools if is_object(tool)) if is_array(tools) else ()


def functions(body: Json) -> list[Json]:
    """The `function` objects of all tools."""
    return [tool["function"] for tool in tools_of(body) if is_object(tool.get("function"))]


def choice_kind(body: Json) -> str:
    """ "auto", "none", "required", "named", or whatever string was sent."""
    choice = body.get("tool_choice")
    return "auto" if choice is None else choice if isinstance(choice, str) else "named"


def budget_of(body: Json, prompt: int) -> int:
    """Tokens for reasoning and answer together; `max_completion_tokens` wins over its alias `max_tokens`."""
    facts = facts_of(body)
    asked = body.get("max_completion_tokens")
    asked = body.get("max_tokens") if asked is None else asked
    budget = asked if isinstance(asked, int) else facts.default_output or 32_768
    return budget if facts.context_length is None else max(0, min(budget, facts.context_length - prompt))


def prompt_tokens(body: Json, behaviour: Behaviour, *, preamble: bool = True) -> int:
    """Tokens of a prompt: messages, tools, response schema, and the preamble that K3's thinking adds (measured: 67)."""
    thinking = preamble and facts_of(body).control == "reasoning_effort" and thinks(body, behaviour)
    wanted = body.get("response_format")
    schema = wanted.get("json_schema") if is_object(wanted) else None
    overhead = prompt_overhead(thinking=thinking, extras=(body.get("tools"), schema))
    return overhead + sum(map(message_tokens, messages_of(body)))
