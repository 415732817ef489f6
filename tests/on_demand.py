"""What 200 tools cost as a prompt: declared all, or found on demand. `python -m tests.on_demand` prints the figures.

The emulator counts tokens by its own rule, which is near the platform's; the ratio is what counts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kimi_openai import KimiOpenAI, create_client, run_tools
from kimi_openai.emulator import Emulator, call, say

__all__ = ["QUESTION", "Measured", "many_tools", "measured"]

VERBS = ("create", "cancel", "find", "list", "update", "archive", "export", "share", "approve", "count")
THINGS = (
    *("order", "invoice", "customer", "ticket", "shipment", "contract", "employee", "meeting", "document", "budget"),
    *(
        "supplier",
        "campaign",
        "warehouse",
        "subscription",
        "payment",
        "project",
        "report",
        "vehicle",
        "licence",
        "hotel",
    ),
)
QUESTION = "Cancel invoice 7, please."


@dataclass(frozen=True, slots=True)
class Measured:
    """The last result that the model got, and the prompt tokens of each turn."""

    answer: str
    prompts: tuple[int, ...]


def many_tools() -> list[Any]:
    """Two hundred pairs of a definition and a function."""
    return [_tool(verb, thing) for thing in THINGS for verb in VERBS]


def _tool(verb: str, thing: str) -> tuple[dict[str, Any], Callable[..., str]]:
    properties = {
        f"{thing}_id": {"type": "string", "description": f"The number of the {thing}, as it is in the system"},
        "reason": {"type": "string", "description": f"Why this is done, for the log of the {thing}"},
    }
    definition = {
        "name": f"{verb}_{thing}",
        "description": f"Use this to {verb} one {thing} of the company. Needs the number of the {thing}.",
        "parameters": {"type": "object", "properties": properties, "required": [f"{thing}_id"]},
    }

    def run(**arguments: str) -> str:
        return f"done: {thing} {arguments[f'{thing}_id']}"

    return definition, run


def measured(client: KimiOpenAI, kimi: Emulator) -> tuple[Measured, Measured]:
    """The same task with all tools declared, and with all of them on demand."""
    cancel = call("cancel_invoice", {"invoice_id": "7"})
    search = call("search_tools", {"query": "cancel an invoice"})
    return (
        _run(client, kimi, [cancel], tools=many_tools()),
        _run(client, kimi, [search, cancel], on_demand=many_tools()),
    )


def _run(client: KimiOpenAI, kimi: Emulator, steps: list[Any], **tools: Any) -> Measured:
    for step in steps:
        kimi.script(step)
    kimi.script(say("Done."))
    prompts: list[int] = []
    client = client.with_options()
    client.kimi_options.observers.append(lambda _, usage, *__: prompts.append(usage["prompt_tokens"]))
    run = run_tools(client, model="kimi-k3", messages=[{"role": "user", "content": QUESTION}], **tools)
    client.kimi_options.observers.pop()
    message: Any = next(message for message in reversed(run.messages) if message["role"] == "tool")
    return Measured(message["content"], tuple(prompts))


def main() -> None:
    """Print the figures."""
    with Emulator() as kimi, create_client(base_url=kimi.base_url, api_key=kimi.api_key) as client:
        names = ("all 200 declared", "200 on demand")
        for name, found in zip(names, measured(client, kimi), strict=True):
            print(f"{name}: prompt tokens of each turn {found.prompts}, in all {sum(found.prompts):,}")


if __name__ == "__main__":
    main()
