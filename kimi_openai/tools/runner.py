"""`run_tools`: sends the messages, runs the tools that Kimi calls and sends the results, until there is an answer.

Here are the arguments; `loop` is the loop, for synchronous and asynchronous clients. `function_schema` makes the tools.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Iterator
from functools import partial
from typing import Any, overload

import openai

from kimi_openai._internal.flow import AnyClient, run
from kimi_openai.compat.messages import frozen_messages
from kimi_openai.messages.builders import MessageLike
from kimi_openai.messages.plain import frozen
from kimi_openai.models.catalog import facts
from kimi_openai.streaming.completion import complete
from kimi_openai.streaming.request import frozen_params

from .declared import declared_names, functions_in, with_functions
from .function_schema import ToolLike, tools_by_name
from .loop import Ask, ToolRun, Transcript, tool_loop
from .search import search_tool
from .turn import Approve, ToolOptions

__all__ = ["run_tools", "run_tools_with"]


@overload
def run_tools(
    client: openai.OpenAI,
    *,
    model: str,
    messages: Iterable[MessageLike],
    tools: Iterable[ToolLike] = ...,
    on_demand: Iterable[ToolLike] = ...,
    max_turns: int = ...,
    max_parallel: int = ...,
    tool_timeout: float | None = ...,
    approve: Approve | None = ...,
    **params: Any,
) -> ToolRun: ...
@overload
def run_tools(
    client: openai.AsyncOpenAI,
    *,
    model: str,
    messages: Iterable[MessageLike],
    tools: Iterable[ToolLike] = ...,
    on_demand: Iterable[ToolLike] = ...,
    max_turns: int = ...,
    max_parallel: int = ...,
    tool_timeout: float | None = ...,
    approve: Approve | None = ...,
    **params: Any,
) -> Awaitable[ToolRun]: ...
def run_tools(
    client: AnyClient,
    *,
    model: str,
    messages: Iterable[MessageLike],
    tools: Iterable[ToolLike] = (),
    on_demand: Iterable[ToolLike] = (),
    max_turns: int = 16,
    max_parallel: int = 8,
    tool_timeout: float | None = None,
    approve: Approve | None = None,
    **params: Any,
) -> ToolRun | Awaitable[ToolRun]:
    """A `ToolRun`, once Kimi answers without calling a tool; awaitable if the client is asynchronous.

    `tools` may hold: functions, plain or async, whose schema comes from the signature (pydantic's types, `Annotated`)
    and the docstring; pairs of a definition and a function; official tools (`formula_tools`); and `{"type":
    "builtin_function", "function": {"name": "$web_search"}}`, which Kimi runs itself (reports of August 2026 found its
    results empty: prefer `formula_tools`). The calls of one turn run at the same time, at most `max_parallel` of
    them, plain functions in threads (a call that is alone in its turn: in the caller's thread, if the client is
    synchronous and there is no `tool_timeout`). `approve` is called before each call, for one call at a time. A
    `tool_choice` that forces a call holds for the first turn only. `params` are those of `complete`.

    Arguments are checked against the function's signature or the pair's definition; an array or object that the model
    wrote as a text is unwrapped where the schema accepts no text. A result is sent as text if it is a string, else as
    JSON or the text nearest to it. If a tool raises, does not exist or gets arguments that do not fit, the model gets
    the error as the result and may try again; this holds for every exception but `KeyboardInterrupt`. A call that takes
    longer than `tool_timeout` seconds (approval not counted) is given up, and the model gets an error that says so: an
    async function is cancelled; a plain one continues in its daemon thread, which nothing waits for, and its result is
    ignored.

    `on_demand` holds tools of the same kinds that Kimi does not see at first: it gets a function `search_tools`, has to
    call a tool in the first turn (unless `tool_choice` is given, or the model cannot be made to), and what it finds, at
    most five tools a search, is declared in a system message (`tool_message`) after the results. So a prompt has only
    the definitions that were looked for, and what was sent before stays in the prefix cache. Tools that `messages`
    declare are run by the functions of `tool_message`, `tools` or `on_demand`, and are not declared again.

    In `messages`, arguments that are not valid JSON are replaced by a valid object, and the id of a call that occurred
    before in the conversation by one that did not: Kimi accepts neither in a history.

    Raises `ValueError` for two tools of one name and for a declared tool without a function, `TooManyTurnsError` after
    `max_turns` answers, the errors of `complete`, and whatever `approve` raises. Every exception that ends the run,
    `KeyboardInterrupt` and the caller's own cancellation too, has the messages so far as `messages`, ready to be sent
    again: with the results of the calls that ended, and an error for each that did not. Source: platform docs, tool
    calls, web search, official tools and dynamic tool loading guides.
    """
    ask: Ask = complete
    return run_tools_with(
        client,
        partial(ask, client),
        model=model,
        messages=messages,
        tools=tools,
        on_demand=on_demand,
        max_turns=max_turns,
        max_parallel=max_parallel,
        tool_timeout=tool_timeout,
        approve=approve,
        **params,
    )


def run_tools_with(
    client: AnyClient,
    ask: Ask,
    *,
    model: str,
    messages: Iterable[MessageLike],
    tools: Iterable[ToolLike],
    on_demand: Iterable[ToolLike] = (),
    max_turns: int = 16,
    max_parallel: int = 8,
    tool_timeout: float | None = None,
    approve: Approve | None = None,
    **params: Any,
) -> ToolRun | Awaitable[ToolRun]:
    """`run_tools` with the answer of each turn from `ask`, for callers that show it while it arrives.

    The names of all tools are unique: those in `tools` and `on_demand`, and those that `messages` declare.
    """
    given = [*messages] if isinstance(messages, Iterator) else messages  # it is read twice
    transcript = Transcript(frozen_messages(given))
    declared = set(declared_names(transcript.messages))
    hidden = tools_by_name(on_demand)
    search = [search_tool([*hidden.values()])] if hidden else []
    own = tools_by_name([*tools, *hidden.values(), *search])
    by_name = {**functions_in(given), **own}
    if missing := sorted(declared - by_name.keys()):
        raise ValueError(
            f"messages declare {missing[0]!r}, for which there is no function; pass it in tools or on_demand"
        )
    transcript.messages = [with_functions(message, by_name) for message in transcript.messages]
    request: dict[str, Any] = {**frozen_params(params), "model": model}
    if hidden and declared.isdisjoint(hidden) and "required" in facts(model).tool_choices:
        request.setdefault("tool_choice", "required")  # as the platform's guide does, so that the model searches
    offered = [tool.definition for name, tool in own.items() if name not in declared and name not in hidden]
    if offered or not declared:
        request["tools"] = frozen(offered)
    options = ToolOptions(by_name, approve, max_parallel, tool_timeout)
    return run(client, tool_loop(client, ask, transcript, request, options, max_turns))
