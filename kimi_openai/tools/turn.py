"""The calls of one turn: which of them run, and the messages that answer them.

`run_turn` is one flow for synchronous and asynchronous clients: it reads the arguments, asks for approval, starts the
calls and gives up those that take too long. `executor` runs them. What goes wrong with a call becomes the text of its
message, so that the model can react to it.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from inspect import BoundArguments
from typing import Any, Protocol

from kimi_openai._internal.flow import Flow
from kimi_openai._internal.json_values import Json
from kimi_openai._internal.surrogates import joined
from kimi_openai.compat.tool_calls import EMPTY_RESULT

from .arguments import ArgumentsError
from .function_schema import Tool
from .results import Output, described, text_of

__all__ = ["Approve", "BoundCall", "Executor", "ToolCall", "ToolOptions", "Turn", "run_turn"]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call that waits for approval; its arguments fit the tool. `turn` counts from 1, `id` is unique in the
    conversation."""

    name: str
    arguments: Json
    id: str
    turn: int


Approve = Callable[[ToolCall], "bool | str | Awaitable[bool | str]"]
"""A hook that decides about a call: True runs it; False or a text refuses it, and Kimi gets the text."""


@dataclass(frozen=True, slots=True)
class BoundCall:
    """A call with the function that runs it and the function's arguments."""

    call: ToolCall
    function: Callable[..., Any]
    bound: BoundArguments

    def run(self) -> Any:
        """The result of the function, which may be awaitable."""
        return self.function(*self.bound.args, **self.bound.kwargs)


@dataclass(frozen=True, slots=True)
class ToolOptions:
    """The tools of a run, and how their calls run. `timeout` is in seconds for one call, None for no limit.

    Raises `ValueError` if a number cannot be a limit.
    """

    tools: Mapping[str, Tool]
    approve: Approve | None
    max_parallel: int
    timeout: float | None

    def __post_init__(self) -> None:
        if self.max_parallel < 1:
            raise ValueError(f"max_parallel is {self.max_parallel}; it is a number of calls from 1 up")
        if self.timeout is not None and not self.timeout > 0:
            raise ValueError(f"tool_timeout is {self.timeout}; it is a number of seconds above 0, or None")


@dataclass(slots=True)
class Turn:
    """The calls of one turn, with the texts of those that have ended.

    `started` holds the positions of the calls that have begun. The first text of a call stays: a call that was given up
    may end later.
    """

    calls: Sequence[Json]
    number: int
    texts: dict[int, str] = field(default_factory=dict[int, str])
    started: set[int] = field(default_factory=set[int])

    def end(self, position: int, text: str) -> None:
        """Records the text of a call, unless it has one."""
        self.texts.setdefault(position, joined(text))

    def messages(self) -> Iterator[dict[str, Any]]:
        """A message for each call, in order; also for one without a text, because Kimi wants every call answered."""
        for position, call in enumerate(self.calls):
            how = "did not end" if position in self.started else "did not run"
            text = self.texts.get(position, f"Error: the call {how}, because the run was ended")
            message = {"role": "tool", "tool_call_id": call["id"], "content": str.__str__(text) or EMPTY_RESULT}
            if call["type"] == "builtin_function":  # with its name, as in the platform's web search guide
                message["name"] = call["function"]["name"]
            yield message

    def outputs(self) -> Iterator[Output]:
        """What the run takes from the calls that have ended, in their order."""
        return (text for _, text in sorted(self.texts.items()) if isinstance(text, Output))


class Executor(Protocol):
    """Runs the calls of one turn. What `decide` and `wait` return is awaitable if the client is asynchronous."""

    def decide(self, approve: Approve, call: ToolCall) -> Any:
        """What the hook returns, awaited."""

    def start(self, position: int, call: BoundCall, end: Callable[[str], None], is_alone: bool, /) -> None:
        """Begins a call; `end` will be called with its text. `is_alone`: nothing else happens until it ends."""

    def wait(self, seconds: float | None) -> Any:
        """Returns when a call has ended, or after so many seconds. Raises `KeyboardInterrupt` if a call did."""

    def give_up(self, position: int, /) -> None:
        """Ends a call if that is possible; else it continues, and its result is not used."""

    def close(self) -> None:
        """Gives up every call."""


def run_turn(turn: Turn, options: ToolOptions, executor: Executor) -> Flow[None]:
    """Runs the calls of the turn until each has a text."""
    waiting: deque[tuple[int, BoundCall]] = deque()
    for position, call in enumerate(turn.calls):
        bound = _bound(call, turn.number, options.tools)
        if options.approve is not None and isinstance(bound, BoundCall):
            bound = _decided(bound, (yield executor.decide(options.approve, bound.call)))
        if isinstance(bound, BoundCall):
            waiting.append((position, bound))
        else:
            turn.end(position, bound)
    try:
        yield from _run_all(turn, waiting, options, executor)
    except BaseException:
        executor.close()
        raise


def _run_all(turn: Turn, waiting: deque[tuple[int, BoundCall]], options: ToolOptions, executor: Executor) -> Flow[None]:
    is_alone = len(waiting) == 1 and options.timeout is None
    deadlines: dict[int, float] = {}
    while waiting or deadlines:
        while waiting and len(deadlines) < options.max_parallel:
            position, call = waiting.popleft()
            turn.started.add(position)
            deadlines[position] = time.monotonic() + (options.timeout or math.inf)
            executor.start(position, call, _end_of(turn, position), is_alone)
        seconds = max(0.0, min(deadlines.values()) - time.monotonic())
        yield executor.wait(seconds if math.isfinite(seconds) else None)
        for position in [*deadlines]:
            if position not in turn.texts and time.monotonic() >= deadlines[position]:
                turn.end(position, f"Error: the call did not end within {options.timeout:g} seconds; it was given up")
                executor.give_up(position)
            if position in turn.texts:
                del deadlines[position]


def _end_of(turn: Turn, position: int) -> Callable[[str], None]:
    return lambda text: turn.end(position, text)


def _bound(call: Json, turn: int, tools: Mapping[str, Tool]) -> BoundCall | str:
    """The call with its function and arguments, or the error text for the model."""
    name, text = call["function"]["name"], call["function"]["arguments"]
    tool = tools.get(name)
    if tool is None:
        return f"Error: there is no tool named {name!r}; there are: {', '.join(tools)}"
    try:
        arguments = tool.read(text)
        return BoundCall(ToolCall(name, arguments.values, call["id"], turn), tool.run, tool.bind(arguments))
    except ArgumentsError as error:
        return f"Error: the arguments do not fit: {error}"
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # a validator of the caller's may raise anything
        return f"Error: the arguments do not fit: {described(error)}"


def _decided(bound: BoundCall, decision: object) -> BoundCall | str:
    return (
        bound if decision is True else f"Error: the call was not allowed{f': {text_of(decision)}' if decision else ''}"
    )
