"""`search_tools`: which tools a query finds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from kimi_openai.tools.function_schema import tools_by_name
from kimi_openai.tools.search import found_tools
from tests.on_demand import many_tools

OTHERS = {
    "getWeather": "The forecast of a place",
    "refund_order": "Give money back",
    "send_mail": "Sends an e-mail to a customer",
    "delete_file": "Removes a document",
    "tui_kuan": "给顾客退款",
}


def tool(name: str, about: str) -> tuple[dict[str, Any], Callable[..., str]]:
    parameters = {"type": "object", "properties": {"target": {"type": "string"}}}
    return {"name": name, "description": about, "parameters": parameters}, lambda: name


TOOLS = [*tools_by_name([tool(*each) for each in OTHERS.items()] + many_tools()).values()]

QUERIES = {
    "a name": ("refund_order", "refund_order"),
    "words of a name in camel case": ("weather", "getWeather"),
    "another form of a word": ("refunding orders", "refund_order"),
    "words of a description": ("money back", "refund_order"),
    "one of many alike": ("approve the budget", "approve_budget"),
    "Chinese": ("退款", "tui_kuan"),
    "capitals and signs": ("E-Mail!", "send_mail"),
}


@pytest.mark.parametrize(("query", "name"), QUERIES.values(), ids=QUERIES)
def test_the_best_match_comes_first(query: str, name: str) -> None:
    """Among two hundred other tools, and at most five come."""
    found = [each.name for each in found_tools(query, TOOLS)]
    assert found[0] == name
    assert len(found) <= 5


@pytest.mark.parametrize("query", ["", "zebra", "???"])
def test_nothing_matches(query: str) -> None:
    """No tool is brought that does not match."""
    assert found_tools(query, TOOLS) == []
    assert found_tools(query, []) == []
