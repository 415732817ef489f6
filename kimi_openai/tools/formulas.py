"""`formula_tools`: the official tools of the platform as tools for `run_tools`.

`endpoints.formulas` reads the declarations and runs the functions; here they become tools.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, cast, overload

import openai

from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai.endpoints.formulas import FormulaFunction, formula_functions, run_fiber, usable_formulas
from kimi_openai.models.formulas import formula_uri

from .arguments import Arguments
from .function_schema import Tool, tools_by_name
from .results import Output

__all__ = ["formula_tools"]


@overload
def formula_tools(client: openai.OpenAI, /, *formulas: str, timeout: float | None = ...) -> list[Tool]: ...
@overload
def formula_tools(
    client: openai.AsyncOpenAI, /, *formulas: str, timeout: float | None = ...
) -> Awaitable[list[Tool]]: ...
def formula_tools(
    client: AnyClient, /, *formulas: str, timeout: float | None = 120.0
) -> list[Tool] | Awaitable[list[Tool]]:
    """Official tools of the platform for `run_tools(tools=[...])`, among functions of your own; awaitable if the client
    is asynchronous.

    `formulas` are URIs such as "moonshot/web-search:latest"; "web-search" is short for it. Without any: all that the
    service lists and this package knows, but not `memory` and `excel`, which keep or send data of yours and are used
    only if they are named. Declarations are read from the service now. The tools can be used in many runs. `timeout`
    is the seconds that a call may take.

    A call is made by `client`, with the arguments as the model wrote them, and its result goes to the model unchanged,
    also if it is encrypted. If a call fails, the model gets the error. Sources that it names are in `references` of the
    `ToolRun`. A web search costs 0.005 USD (0.03 CNY on platform.kimi.com); a ledger (`track`) of the client counts the
    calls. A call is repeated only if it was certainly not run (no connection, 429, an error of the service), as often
    as `max_retries` of the client says; calls of `memory` and `excel` are never repeated.

    Raises `ValueError` if a name cannot be a URI or two functions have the same name, the SDK's errors (404 for an
    unknown formula), and `UnexpectedAnswerError` if the answer has another shape. Source: platform docs, official tools
    guide.
    """
    uris = list(dict.fromkeys(map(formula_uri, formulas)))
    return run(client, _tools(client, uris, timeout))


def _tools(client: AnyClient, uris: list[str], timeout: float | None) -> Flow[list[Tool]]:
    if not uris:
        uris = [formula_uri(name) for name in (yield from usable_formulas(client))]
    found: list[Tool] = []
    for uri in uris:
        found += [_tool(client, each, timeout) for each in (yield from formula_functions(client, uri))]
    return list(tools_by_name(found).values())


def _tool(client: AnyClient, function: FormulaFunction, timeout: float | None) -> Tool:
    def call(arguments: str) -> Output:
        found: Any = run(client, run_fiber(client, function, arguments, timeout))
        return Output(found.text, references=found.references)

    async def call_async(arguments: str) -> Output:
        found: Any = await cast("Awaitable[Any]", run(client, run_fiber(client, function, arguments, timeout)))
        return Output(found.text, references=found.references)

    runs: Callable[[str], Any] = call_async if isinstance(client, openai.AsyncOpenAI) else call

    def bind(arguments: Arguments) -> inspect.BoundArguments:
        return inspect.signature(runs).bind(arguments.text)

    return Tool(function.definition["function"]["name"], function.definition, runs, bind, {})
