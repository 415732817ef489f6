"""The loop of `run_tools`: sends the messages, runs the tools that Kimi calls, and sends the results.

It is one flow for synchronous and asynchronous clients. `turn` and `executor` run the calls of a turn; `declared` and
`search` are about tools that come into the conversation on the way.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import Json, as_dict
from kimi_openai.client.reasoning import remember
from kimi_openai.endpoints.formulas import Reference
from kimi_openai.errors.exceptions import Copyable
from kimi_openai.messages.reply import reply_of, sum_usage
from kimi_openai.messages.tool_calls import CallIds, arguments_text, call_ids

from .declared import declared_names, tool_message
from .executor import TaskExecutor, ThreadExecutor
from .turn import Executor, ToolOptions, Turn, run_turn

__all__ = ["Ask", "TooManyTurnsError", "ToolRun", "Transcript", "tool_loop"]

Ask = Callable[..., Any]
"""Called with the parameters of a request. Returns its `ChatCompletion`, or an awaitable of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolRun:
    """The result of `run_tools`.

    `completion` is the last answer. `messages` holds the messages that were passed, the calls, the results and the
    answer, ready to be sent again. `usage` is the sum over all turns, as on the wire. `turns` is the number of answers.
    `references` are the sources that official tools named (`formula_tools`), each once, in the order of the calls.
    """

    completion: ChatCompletion
    messages: list[ChatCompletionMessageParam]
    usage: Json | None
    turns: int
    references: tuple[Reference, ...] = ()


class TooManyTurnsError(Copyable, openai.OpenAIError):
    """Kimi still calls tools in the last answer that `max_turns` allows.

    `result` is the `ToolRun` so far; the calls of its last message did not run.
    """

    __module__ = "kimi_openai.tools"

    def __init__(self, result: ToolRun) -> None:
        self.result = result
        super().__init__(
            f"after {result.turns} turns the model still calls tools; the request's side; raise max_turns, or look in "
            "result.messages for what it is trying to do"
        )


@dataclass(slots=True)
class Transcript:
    """The messages of a run; `turn` holds the calls of the last one, while they run."""

    messages: list[Any]
    turn: Turn | None = None

    def so_far(self) -> list[Any]:
        """The messages, ready to be sent again."""
        return [*self.messages, *(self.turn.messages() if self.turn else ()), *self._found()]

    def _found(self) -> Iterator[Any]:
        """A message that declares the tools that were found in this turn, if no message before does."""
        outputs = self.turn.outputs() if self.turn else ()
        found = {tool.name: tool for output in outputs for tool in output.tools}
        known = set(declared_names(self.messages)) if found else set[str]()
        if new := [tool for name, tool in found.items() if name not in known]:
            yield tool_message(new)

    def __enter__(self) -> None:
        """An exception that leaves the block gets the messages so far, unless it takes no new attribute."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is not None:
            with contextlib.suppress(Exception):
                setattr(error, "messages", self.so_far())  # noqa: B010 - no exception has it by its type


def tool_loop(
    client: AnyClient,
    ask: Ask,
    transcript: Transcript,
    request: Mapping[str, Any],
    options: ToolOptions,
    max_turns: int,
) -> Flow[ToolRun]:
    """The run, as a flow; an exception that ends it gets the messages so far.

    `request` has the parameters of each turn without `messages`. `options.tools` are all tools, those that messages may
    declare later too.
    """
    with transcript:
        ids = CallIds(used=call_ids(transcript.messages))
        usages: list[Json | None] = []
        references: dict[str, Reference] = {}
        while True:
            completion: ChatCompletion = yield ask(messages=[*transcript.messages], **request)
            reply = reply_of(completion)
            ids.reserve(call_ids([{"tool_calls": [*reply.tool_calls]}]))
            calls = [_with_id(as_dict(call), ids) for call in reply.tool_calls]
            message = replace(reply, tool_calls=tuple(map(_replayable, calls))).message()
            if calls:  # with the ids that they have now
                own = getattr(client, "kimi_options", None)
                remember(own, transcript.messages, message["tool_calls"], reply.reasoning)
            transcript.messages.append(message)
            usages.append(reply.usage)
            turns = len(usages)
            result = ToolRun(
                completion=completion,
                messages=transcript.so_far(),
                usage=sum_usage(usages),
                turns=turns,
                references=tuple(references.values()),
            )
            if not calls:
                return result
            transcript.turn = turn = Turn(calls, turns)
            if turns >= max_turns:
                raise TooManyTurnsError(result)
            yield from run_turn(turn, _visible(options, request, transcript), _executor(client, options))
            for each in _references(turn):
                references.setdefault(each.url, each)
            transcript.messages, transcript.turn = transcript.so_far(), None
            if request.get("tool_choice") not in (None, "none"):
                request = {**request, "tool_choice": "auto"}  # a call forced in every turn would have no end


def _visible(options: ToolOptions, request: Mapping[str, Any], transcript: Transcript) -> ToolOptions:
    """The options with only the tools that the model sees by now."""
    offered = [tool["function"]["name"] for tool in request.get("tools", ())]
    names = dict.fromkeys([*offered, *declared_names(transcript.messages)])
    return replace(options, tools={name: options.tools[name] for name in names})


def _references(turn: Turn) -> Iterator[Reference]:
    return (reference for output in turn.outputs() for reference in output.references)


def _executor(client: AnyClient, options: ToolOptions) -> Executor:
    return TaskExecutor() if isinstance(client, openai.AsyncOpenAI) else ThreadExecutor(options.timeout)


def _with_id(call: Json, ids: CallIds) -> Json:
    """The call in its usual form, with an id that no call before it has."""
    function = as_dict(call.get("function"))
    name, arguments = str(function.get("name") or ""), function.get("arguments")
    text = arguments if isinstance(arguments, str) else arguments_text(arguments)
    return {
        "id": ids.claim(call.get("id"), name or "call"),
        "type": "builtin_function" if call.get("type") == "builtin_function" else "function",
        "function": {"name": name, "arguments": text},
    }


def _replayable(call: Json) -> Json:
    """The call with arguments that Kimi accepts in the history."""
    function = {**call["function"], "arguments": arguments_text(call["function"]["arguments"])}
    return {**call, "function": function}
