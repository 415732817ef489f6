"""Tools that are declared in a message instead of `tools`: `tool_message` builds one, and the loop reads them.

Kimi sees such tools from that place on. Messages before them stay as they are, so the prefix cache holds. Source:
platform docs, dynamic tool loading guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from openai.types.chat import ChatCompletionSystemMessageParam

from kimi_openai._internal.json_values import Json, as_dict, as_list, is_object
from kimi_openai.compat.tools import has_tools
from kimi_openai.messages.plain import frozen

from .function_schema import Tool, ToolLike, tools_by_name, whole_definition

__all__ = ["ToolMessage", "declared_names", "functions_in", "tool_message", "with_functions"]


class ToolMessage(dict[str, Any]):
    """A message that declares tools, with the functions that run them, for `run_tools`.

    It is sent, compared, copied and pickled as a dict; a copy of pickle's has no functions.
    """

    __slots__ = ("functions",)

    def __init__(self, message: Json, functions: Iterable[Tool]) -> None:
        super().__init__(message)
        self.functions = tuple(functions)

    def __deepcopy__(self, memo: dict[int, Any]) -> ToolMessage:
        return ToolMessage(frozen(self), self.functions)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self),)


def tool_message(tools: Iterable[ToolLike]) -> ChatCompletionSystemMessageParam:
    """The system message that gives Kimi more tools in the middle of a conversation (K3 family).

    Takes what `run_tools` takes, whose functions it then finds, and definitions without a function. Append it, and send
    it again unchanged at the same place: that keeps the cache of the messages before it. Names must be unique over all
    tools of the conversation. For a model that takes no tools in messages (K2), the client moves them to `tools`, with
    a note. Raises `ValueError` if there are none, or two have the same name. Source: platform docs, dynamic tool
    loading guide.

    >>> def refund(order: str) -> str:
    ...     '''Refund an order.'''
    ...     return "done"
    >>> message = tool_message([refund])
    >>> message["role"], [tool["function"]["name"] for tool in message["tools"]]
    ('system', ['refund'])
    """
    definitions: list[Json] = []
    runnable: list[Tool] = []
    for each in tools:
        if is_object(each) and (definition := whole_definition(each))["type"] == "function":
            definitions.append(definition)
        else:
            runnable += tools_by_name([each]).values()
            definitions.append(runnable[-1].definition)
    names = [_name(definition) for definition in definitions]
    if not names:
        raise ValueError("tool_message needs a tool: Kimi refuses an empty system message")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ValueError(f"two tools are named {twice!r} (400 'function name ... is duplicated')")
    message = ToolMessage({"role": "system", "tools": frozen(definitions)}, runnable)
    return cast(ChatCompletionSystemMessageParam, message)


def _name(definition: Any) -> Any:
    return as_dict(as_dict(definition).get("function")).get("name")


def declared_names(messages: Iterable[Any]) -> Iterator[str]:
    """The names of the tools that messages declare.

    >>> list(declared_names([{"role": "system", "tools": [{"type": "function", "function": {"name": "refund"}}]}]))
    ['refund']
    """
    for message in messages:
        for definition in as_list(message["tools"]) if has_tools(message) else ():
            if isinstance(name := _name(definition), str):
                yield name


def functions_in(messages: Iterable[Any]) -> dict[str, Tool]:
    """The tools that messages of `tool_message` declare and can run, by name."""
    return {tool.name: tool for message in messages if isinstance(message, ToolMessage) for tool in message.functions}


def with_functions(message: Any, tools: Mapping[str, Tool]) -> Any:
    """The message; if it declares tools, with those of the functions that it names."""
    names = set(declared_names([message]))
    return ToolMessage(message, (tools[name] for name in tools if name in names)) if names else message
