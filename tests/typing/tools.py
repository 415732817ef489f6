"""A user's file about tools; checked by mypy and pyright in strict mode, never run.

A line with `type: ignore` is one that both must refuse: if one accepts it, it reports the comment as unnecessary.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from openai.types.chat import ChatCompletionMessageParam, ChatCompletionSystemMessageParam
from typing_extensions import assert_type

from kimi_openai import Reference, ToolRun, create_async_client, create_client, formula_tools, run_tools, tool_message
from kimi_openai.tools import Tool


def refund(order: str) -> str:
    """Refund an order."""
    return order


def synchronous() -> None:
    client = create_client()
    tools = formula_tools(client, "moonshot/web-search:latest", "fetch", timeout=None)
    assert_type(tools, list[Tool])
    message = tool_message([refund, {"name": "a", "parameters": {}}, *tools])
    assert_type(message, ChatCompletionSystemMessageParam)
    messages: list[ChatCompletionMessageParam] = [message]
    run = run_tools(client, model="kimi-k3", messages=messages, tools=[*tools, refund], on_demand=[refund])
    assert_type(run, ToolRun)
    assert_type(run.references, tuple[Reference, ...])
    assert_type(run.references[0].title, str | None)
    run_tools(client, model="kimi-k3", messages=run.messages)
    formula_tools(client, 3)  # type: ignore[call-overload]


async def asynchronous() -> None:
    client = create_async_client()
    tools = await formula_tools(client, "web-search")
    assert_type(tools, list[Tool])
    assert_type(await run_tools(client, model="kimi-k3", messages=[], tools=tools), ToolRun)
