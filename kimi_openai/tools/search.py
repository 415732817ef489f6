"""Finds tools by words: the `search_tools` function that `run_tools(on_demand=...)` offers. Pure.

The platform has no search for tools; its guide describes this pattern (dynamic tool loading guide).
"""

from __future__ import annotations

import inspect
import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from kimi_openai._internal.json_values import Json, as_dict

from .arguments import Arguments
from .function_schema import Tool
from .results import Output

__all__ = ["NAME", "found_tools", "search_tool"]

NAME = "search_tools"

MOST = 5
"""How many tools one search brings: each definition costs prompt tokens in every later turn."""

NEAR = 0.4
"""The share of the best score that the other tools of a result have at least."""

MOST_NAMES = 60
"""How many names the model is told if nothing was found."""

WEIGHTS = {"name": 3.0, "description": 1.0, "parameters": 0.5}

DESCRIPTION = (
    "Finds more tools by what they do. {} tools are not shown; search before you say that something cannot be done. "
    "What is found can be called from the next step on."
)
QUERY = "What the tool is to do, or its name, in a few words."


def search_tool(tools: Sequence[Tool]) -> Tool:
    """The tool that finds these; its result brings them into the conversation."""

    def run(query: str) -> Output:
        found = found_tools(query, tools)
        if found:
            return Output(f"Found, and ready to be called: {', '.join(tool.name for tool in found)}", tools=found)
        names = [tool.name for tool in tools]
        more = f", and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        return Output(f"No tool matches; try other words. There are: {', '.join(names[:MOST_NAMES])}{more}")

    def bind(arguments: Arguments) -> inspect.BoundArguments:
        return inspect.signature(run).bind(str(arguments.values.get("query") or ""))

    query = {"type": "string", "description": QUERY}
    parameters: Json = {"type": "object", "properties": {"query": query}, "required": ["query"]}
    function = {"name": NAME, "description": DESCRIPTION.format(len(tools)), "parameters": parameters}
    return Tool(NAME, {"type": "function", "function": function}, run, bind, parameters)


def found_tools(query: str, tools: Sequence[Tool]) -> list[Tool]:
    """The tools that match a query best, best first, at most five.

    Words of a name count more than those of a description, and words that few tools have more than common ones.
    """
    words = [_words_of(tool.definition) for tool in tools]
    spread = Counter(word for each in words for word in each)
    wanted = set(_words(query))
    scores = [sum(_score(word, each, spread, len(tools)) for word in wanted) for each in words]
    best = max(scores, default=0.0)
    order = sorted(range(len(tools)), key=lambda at: -scores[at])
    return [tools[at] for at in order if best and scores[at] >= best * NEAR][:MOST]


def _score(wanted: str, words: Mapping[str, float], spread: Mapping[str, int], count: int) -> float:
    """What one word of the query adds: the best of the tool's words that are like it."""
    alike = ((word, likeness) for word in words if (likeness := _likeness(wanted, word)))
    return max((words[word] * likeness * math.log(1 + count / spread[word]) for word, likeness in alike), default=0.0)


def _likeness(one: str, other: str) -> float:
    """1 for the same word, less for two forms of a word, else 0.

    >>> _likeness("refund", "refund"), _likeness("refunds", "refunding"), _likeness("refund", "order")
    (1.0, 0.7, 0.0)
    """
    if one == other:
        return 1.0
    shorter, longer = sorted((one, other), key=len)
    common = next((at for at, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return 0.7 if common >= max(4, len(shorter) - 2) and len(longer) - common <= 4 else 0.0


def _words_of(definition: Json) -> dict[str, float]:
    """The words of a tool with their weights."""
    function = as_dict(definition.get("function"))
    parameters = as_dict(as_dict(function.get("parameters")).get("properties"))
    texts = {key: str(function.get(key) or "") for key in WEIGHTS} | {"parameters": " ".join(map(str, parameters))}
    weights: dict[str, float] = {}
    for part in sorted(WEIGHTS, key=lambda name: WEIGHTS[name]):  # the greatest weight of a word stays
        weights |= dict.fromkeys(_words(texts[part]), WEIGHTS[part])
    return weights


def _words(text: str) -> Iterator[str]:
    """The words of a text or of a name, in lower case; of Chinese and alike, each pair of characters.

    >>> [*_words("getOrder_status 退款单")]
    ['get', 'order', 'status', '退款', '款单']
    """
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    for word in re.findall(r"[^\W_]+", spaced.lower()):
        if ord(word[0]) < 0x2E80 or len(word) == 1:
            yield word
        else:
            yield from map("".join, pairwise(word))
