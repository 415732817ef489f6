"""The rules of a chat body in the order in which they are checked; each group of rules has a module.

The platform's order is not documented; this one is inferred. Texts are the platform's where a source shows them; the
others begin like them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.json_values import Json

from .fields import fields_problem
from .messages import messages_problem
from .parameters import length_problem, logprobs_problem, model_problem, sampling_problem, stop_problem
from .reasoning import effort_problem, thinking_problem
from .response_format import response_format_problem
from .tool_choice import tool_choice_problem
from .tools import tools_problem

__all__ = ["broken_rule"]

Check = Callable[[Json, Behaviour], Problem | None]

CHAT: tuple[Check, ...] = (
    model_problem,
    sampling_problem,
    thinking_problem,
    effort_problem,
    messages_problem,
    tools_problem,
    response_format_problem,
    tool_choice_problem,
    stop_problem,
    logprobs_problem,
    length_problem,
)
ESTIMATE: tuple[Check, ...] = (model_problem, messages_problem)
"""The token estimate checks the model and the messages only."""


def broken_rule(body: Any, behaviour: Behaviour, *, estimate: bool = False) -> Problem | None:
    """The first rule that a chat body breaks, or None. The JSON types of the fields are checked first.

    >>> broken_rule({"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}], "n": 2}, Behaviour()).message
    'invalid n: only 1 is allowed for this model'
    """
    shape = fields_problem(body)
    if shape:
        return shape
    return next((problem for check in (ESTIMATE if estimate else CHAT) if (problem := check(body, behaviour))), None)
