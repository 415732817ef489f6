"""The rules for a Responses request in the order in which they apply, and the function that applies them.

Pure, and of the same kind as the rules for chat completions in `compat`: nothing that was passed is changed, and a
second pass changes nothing. `adapt` decides what to do with the notes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kimi_openai.compat.parameters import prompt_cache_options
from kimi_openai.compat.pipeline import Shaped, shape
from kimi_openai.compat.rule import Body, Rule
from kimi_openai.compat.sampling import sampling

from . import parameters
from .items import input_items
from .names import with_response_names
from .spelling import FOREIGN_NAMES, MISSPELT_NAMES
from .text_format import text_format
from .tools import tool_choice, tools

__all__ = ["RULES", "shape_response"]

RULES: tuple[Rule, ...] = (
    Rule(parameters.nulls, any_model=True),
    Rule(parameters.face),
    FOREIGN_NAMES,
    Rule(sampling),
    Rule(parameters.reasoning),
    Rule(parameters.max_output_tokens, any_model=True),
    Rule(parameters.user, any_model=True),
    Rule(parameters.openai_only, any_model=True),
    Rule(parameters.prompt_template, any_model=True),
    Rule(parameters.include, any_model=True),
    Rule(prompt_cache_options),
    MISSPELT_NAMES,
    Rule(tools, any_model=True),
    Rule(text_format, any_model=True),
    Rule(tool_choice, any_model=True),  # after the rule for the format, which sees what is chosen
)
"""The rules for the body, in order. After them comes the rule for the input, which knows how much is remembered."""


def shape_response(body: Body, *, aliases: Mapping[str, str] | None = None, remembered: int = 0) -> Shaped:
    """The nearest Responses request that Kimi accepts. `remembered`: how many items of the input are from before.

    >>> shaped = shape_response({"model": "kimi-k3", "input": "Hi", "reasoning": {"effort": "xhigh"}, "store": False})
    >>> shaped.body, len(shaped.notes)
    ({'model': 'kimi-k3', 'input': 'Hi', 'reasoning': {'effort': 'max'}}, 1)
    """
    items = Rule(partial(input_items, remembered=remembered), any_model=True)
    return shape(body, aliases=aliases, rules=(*RULES, items), put_names=with_response_names)
