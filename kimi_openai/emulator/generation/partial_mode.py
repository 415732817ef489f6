"""Partial mode: which steps of a script are left when the request already has the beginning of the answer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import dropwhile

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import partial_of
from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.frames import Cut, Pause
from kimi_openai.emulator.json_values import Json

from .script import Finish, Say, Step, Think, UsageIs

__all__ = ["continuation", "remaining_steps"]


def remaining_steps(body: Json, steps: Sequence[Step], behaviour: Behaviour) -> list[Step]:
    """The steps that are left for `body`; all of them if it does not use partial mode."""
    partial = partial_of(body)
    if partial is None:
        return list(steps)
    prefix = str(partial.get("content") or "")
    rest = continuation(steps, prefix) if behaviour.whole_scripts else list(steps)
    if prefix and (partial.get("reasoning_content") or not behaviour.rethink_partial):
        rest = [step for step in rest if not isinstance(step, Think)]
    repeated: list[Step] = [Say(prefix)] if behaviour.repeat_prefix and prefix else []
    return repeated + rest


def continuation(steps: Sequence[Step], prefix: str) -> list[Step]:
    """The steps that are left after `prefix`; all of them if the answer does not begin with it.

    Cuts, pauses and errors within the prefix or at its end are dropped: an earlier request already had them.

    >>> continuation([Say("hello "), Cut(), Say("world")], "hello wo")
    [Say(text='rld')]
    """
    whole = "".join(step.text for step in steps if isinstance(step, Say))
    if not prefix or not whole.startswith(prefix):
        return list(steps)
    said, position = "", 0
    while len(said) < len(prefix):
        step = steps[position]
        said += step.text if isinstance(step, Say) else ""
        position += 1
    earlier = [step for step in steps[:position] if isinstance(step, Think | UsageIs | Finish)]
    tail, later = said[len(prefix) :], iter(steps[position:])
    if tail:
        return [*earlier, Say(tail), *later]
    return [*earlier, *dropwhile(lambda step: isinstance(step, Pause | Cut | Problem), later)]
