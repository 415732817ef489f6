"""A request and the steps of a script become a reply: no sockets, no clock, no state.

The rules of generation are here: thinking, token budget, stop texts, how a tool call is written.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.chat_body import budget_of, facts_of, messages_of, thinks
from kimi_openai.emulator.errors import Problem
from kimi_openai.emulator.frames import Cut, Pause
from kimi_openai.emulator.json_values import Json, encode, is_array
from kimi_openai.emulator.tokens import Chunking, cut_text, split_text

from .partial_mode import remaining_steps
from .reply import Reply
from .script import Call, Finish, Say, Step, Think, UsageIs

__all__ = ["REASONING_MARKUP", "generate"]

REASONING_MARKUP = 3
"""Tokens around the reasoning of K3: a live answer with a limit of 5 tokens had "The user" and 5 tokens."""

REASONING_ENDS = '{"reasoning_content":""}'
"""The delta between reasoning and answer."""


def generate(
    body: Json,
    steps: Sequence[Step],
    *,
    prompt: int,
    behaviour: Behaviour,
    chunking: Chunking = "token",
    more_budget: int = 0,
) -> Reply:
    """The reply that `steps` make for `body`, whose prompt has `prompt` tokens.

    `more_budget` are tokens that may be generated beyond the limit of the body.
    """
    steps = remaining_steps(body, steps, behaviour)
    writer = _Writer(
        thinking=thinks(body, behaviour),
        keeps_reasoning_key=facts_of(body).control == "thinking",
        budget=budget_of(body, prompt) + more_budget,
        length_limit=_stop_position(steps, body.get("stop")),
        chunking=chunking,
        first_call=_calls_before(body) if behaviour.call_ids == "conversation" else 0,
    )
    for step in steps:
        if not writer.write(step):
            break
    return writer.finish()


def _calls_before(body: Json) -> int:
    return sum(len(message.get("tool_calls") or ()) for message in messages_of(body))


def _stop_position(steps: Sequence[Step], stop: object) -> float:
    """How many characters of the answer come before the first stop text."""
    whole = "".join(step.text for step in steps if isinstance(step, Say))
    stops = [stop] if isinstance(stop, str) else [s for s in stop if isinstance(s, str)] if is_array(stop) else []
    return min((at for at in (whole.find(text) for text in stops if text) if at >= 0), default=inf)


class _Writer:
    """Writes a reply step by step.

    `keeps_reasoning_key`: K2.6 without thinking shows `reasoning_content: ""` and one reasoning token; K3 shows neither
    (measured).
    """

    def __init__(
        self,
        *,
        thinking: bool,
        keeps_reasoning_key: bool,
        budget: int,
        length_limit: float,
        chunking: Chunking,
        first_call: int,
    ) -> None:
        self.reply = Reply(has_reasoning=thinking or keeps_reasoning_key)
        self.thinking, self.in_reasoning = thinking, thinking
        self.budget, self.length_limit = budget, length_limit
        self.chunking: Chunking = chunking
        self.first_call = first_call
        self.keeps_reasoning_key = keeps_reasoning_key
        if keeps_reasoning_key and not thinking:
            self.reply.reasoning_tokens = self.reply.completion_tokens = 1

    def write(self, step: Step) -> bool:
        """Write one step; False if the reply ends with it."""
        match step:
            case Think(text):
                return not self.thinking or self._think(text)
            case Say(text):
                return self._say(text)
            case Call():
                return self._call(step)
            case UsageIs(numbers):
                self.reply.token_overrides.update(numbers)
            case Finish(reason):
                self.reply.finish_reason = reason
            case _:
                self.reply.stream.append(step)
                return isinstance(step, Pause)
        return True

    def finish(self) -> Reply:
        """The reply after its last step. Reasoning ends, unless the budget or the connection ended before."""
        cut = self.reply.stream and isinstance(self.reply.stream[-1], Cut | Problem)
        if not cut and self.reply.finish_reason != "length":
            self._end_reasoning()
        return self.reply

    def _end_reasoning(self) -> None:
        if self.in_reasoning:
            self.in_reasoning = False
            self.reply.stream.append(REASONING_ENDS)

    def _pay(self, text: str) -> tuple[str, int, bool]:
        """The text that the budget allows, its tokens, and whether it is the whole text."""
        kept, cost = cut_text(text, self.budget)
        self.budget -= cost
        self.reply.completion_tokens += cost
        if len(kept) < len(text):
            self.reply.finish_reason = "length"
        return kept, cost, len(kept) == len(text)

    def _think(self, text: str) -> bool:
        if not self.reply.reasoning and not self.keeps_reasoning_key:
            markup = min(REASONING_MARKUP, self.budget)
            self.budget -= markup
            self.reply.completion_tokens += markup
            self.reply.reasoning_tokens += markup
        kept, cost, whole = self._pay(text)
        self.reply.reasoning += kept
        self.reply.reasoning_tokens += cost
        self.reply.stream += [f'{{"reasoning_content":{encode(each)}}}' for each in split_text(kept, self.chunking)]
        return whole

    def _say(self, text: str) -> bool:
        left = self.length_limit - len(self.reply.content)
        stopped = len(text) > left
        kept, _, whole = self._pay(text[: int(left)] if stopped else text)
        if kept or not text:
            self._end_reasoning()
        self.reply.content += kept
        self.reply.stream += [f'{{"content":{encode(each)}}}' for each in split_text(kept, self.chunking)]
        return whole and not stopped

    def _call(self, step: Call) -> bool:
        if not self.budget:
            self.reply.finish_reason = "length"
            return False
        self._end_reasoning()
        index = len(self.reply.calls)
        kept, _, whole = self._pay(step.arguments)
        head: Json = {"index": index, "id": step.id or f"{step.name}_{self.first_call + index}"}
        head["type"] = "builtin_function" if step.name.startswith("$") else "function"
        self.reply.calls.append({**head, "function": {"name": step.name, "arguments": kept}})
        first = {"tool_calls": [{**head, "function": {"name": step.name, "arguments": ""}}]}
        before, after = f'{{"tool_calls":[{{"index":{index},"function":{{"arguments":', "}}]}"
        self.reply.stream.append(encode(first))
        self.reply.stream += [f"{before}{encode(each)}{after}" for each in split_text(kept, self.chunking)]
        if whole and self.reply.finish_reason == "stop":
            self.reply.finish_reason = "tool_calls"
        return whole
