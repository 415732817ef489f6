"""Reading a chat body: model, thinking, messages, tools, budget.

Pure and tolerant: a body that breaks the rules can be read too, and `validation` reports what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kimi_openai.models.catalog import ModelFacts, facts

from .behaviour import Behaviour
from .json_values import Json, is_array, is_object

__all__ = [
    "budget_of",
    "facts_of",
    "functions_of",
    "messages_of",
    "partial_of",
    "reserved_tokens",
    "text_of",
    "thinking_is_fixed",
    "thinks",
    "token_limit_of",
    "tool_choice_kind",
    "tools_of",
]


def messages_of(body: Json) -> list[Json]:
    """The messages that are objects."""
    found = body.get("messages")
    return [message for message in found if is_object(message)] if is_array(found) else []


def facts_of(body: Json) -> ModelFacts:
    """The facts of the requested model."""
    return facts(str(body.get("model")))


def text_of(content: Any) -> str:
    """The text of a message's content."""
    if isinstance(content, str):
        return content
    parts: list[Any] = content if is_array(content) else []
    return "\n".join(str(part["text"]) for part in parts if is_object(part) and "text" in part)


def thinking_is_fixed(body: Json, behaviour: Behaviour) -> bool:
    """Whether the model refuses to switch thinking off.

    K3 accepts `thinking.type=disabled` (measured on 2026-09-03) although the docs say that it always thinks.
    """
    facts = facts_of(body)
    return facts.thinking == "always" and (facts.control == "thinking" or behaviour.strict_thinking)


def thinks(body: Json, behaviour: Behaviour) -> bool:
    """Whether this request is answered with thinking on."""
    thinking = body.get("thinking")
    disabled = is_object(thinking) and thinking.get("type") == "disabled"
    return not disabled or thinking_is_fixed(body, behaviour)


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


def functions_of(body: Json) -> list[Json]:
    """The `function` objects of all tools."""
    return [tool["function"] for tool in tools_of(body) if is_object(tool.get("function"))]


def tool_choice_kind(body: Json) -> str:
    """ "auto", "none", "required", "named" (an object), or any other string that was sent."""
    choice = body.get("tool_choice")
    return "auto" if choice is None else choice if isinstance(choice, str) else "named"


def token_limit_of(body: Json) -> Any:
    """The limit on generated tokens, or `None`; `max_completion_tokens` wins over its older name `max_tokens`."""
    limit = body.get("max_completion_tokens")
    return body.get("max_tokens") if limit is None else limit


def reserved_tokens(body: Json, prompt: int) -> int:
    """What a request reserves when it arrives: its prompt and its limit on the output, or the model's default."""
    limit = token_limit_of(body)
    return prompt + int((facts_of(body).default_output or 0) if limit is None else limit)


def budget_of(body: Json, prompt: int) -> int:
    """Tokens for reasoning and answer together: the limit or the model's default, at most what the context leaves."""
    facts, limit = facts_of(body), token_limit_of(body)
    budget = limit if isinstance(limit, int) else facts.default_output or 32_768
    return budget if facts.context_length is None else max(0, min(budget, facts.context_length - prompt))
