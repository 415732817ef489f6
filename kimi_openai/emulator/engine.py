"""From a request and a script to what the model sends: pure, no sockets, no clock, no state.

`draft` walks the steps under the rules of generation (thinking, budget, stop texts, partial mode); `frames` and
`Reply.message` put the result into chunks or into one message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from math import inf

from .behaviour import Behaviour
from .reading import budget_of, facts_of, partial_of, thinks
from .script import Call, Finish, Say, Step, Think, UsageIs
from .tokens import Chunking, cut_text, pieces
from .wire import DONE, Cut, Envelope, Frame, Json, Pause, Problem, encode, event, is_array

__all__ = ["Reply", "continuation", "draft", "frames"]

Happening = str | Pause | Cut | Problem
"""A delta as JSON text, or what befalls the stream."""

OPENING = '{"role":"assistant","content":""}'
REASONING_CLOSED = '{"reasoning_content":""}'


@dataclass(slots=True)
class Reply:
    """What the model made of a request: happenings in order, and the same as one message with its token counts."""

    thinking: bool
    shows_reasoning: bool
    happenings: list[Happening] = field(default_factory=list[Happening])
    reasoning: str = ""
    content: str = ""
    calls: list[Json] = field(default_factory=list[Json])
    finish_reason: str = "stop"
    reasoning_tokens: int = 0
    completion_tokens: int = 0
    overrides: dict[str, int] = field(default_factory=dict[str, int])

    def problem(self, *, streaming: bool) -> Problem | None:
        """The error that comes before anything was sent, if any: an HTTP error rather than an event."""
        sent = (Pause,) if streaming else (Pause, str)
        first = next((happening for happening in self.happenings if not isinstance(happening, sent)), None)
        return first if isinstance(first, Problem) else None

    @property
    def message(self) -> Json:
        """The message of the non-streaming body."""
        message: Json = {"role": "assistant", "content": self.content}
        if self.thinking or self.shows_reasoning:
            message["reasoning_content"] = self.reasoning
        if self.calls:
            message["tool_calls"] = self.calls
        return message

    def usage(self, prompt: int, cached: int, written: int | None = None) -> Json:
        """The usage object. On a cache miss its two cache keys are absent, not 0 (measured)."""
        prompt = self.overrides.get("prompt_tokens", prompt)
        cached = self.overrides.get("cached_tokens", cached)
        completion = self.overrides.get("completion_tokens", self.completion_tokens)
        reasoning = self.overrides.get("reasoning_tokens", self.reasoning_tokens)
        usage: Json = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
        if cached:
            usage["cached_tokens"] = cached
        if self.thinking or self.shows_reasoning:
            usage["completion_tokens_details"] = {"reasoning_tokens": reasoning}
        details = {"cached_tokens": cached} if cached else {}
        if written is not None:
            details["cache_write_tokens"] = written
        return {**usage, "prompt_tokens_details": details} if details else usage


def continuation(steps: Sequence[Step], prefix: str) -> list[Step]:
    """The steps that are left once `prefix` has been said; all of them if the answer does not begin with it.

    What stands before the prefix's end has already happened, so a cut there does not happen twice.

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


def _prepared(body: Json, steps: Sequence[Step], behaviour: Behaviour) -> list[Step]:
    """The steps as partial mode leaves them."""
    partial = partial_of(body)
    if partial is None:
        return list(steps)
    prefix = str(partial.get("content") or "")
    rest = continuation(steps, prefix) if behaviour.whole_scripts else list(steps)
    if prefix and (partial.get("reasoning_content") or not behaviour.rethink_partial):
        rest = [step for step in rest if not isinstance(step, Think)]
    opening: list[Step] = [Say(prefix)] if behaviour.repeat_prefix and prefix else []
    return opening + rest


def _speech_limit(steps: Sequence[Step], stop: object) -> float:
    """How many characters of the answer come before the first stop text."""
    whole = "".join(step.text for step in steps if isinstance(step, Say))
    stops = [stop] if isinstance(stop, str) else [s for s in stop if isinstance(s, str)] if is_array(stop) else []
    return min((at for at in (whole.find(text) for text in stops if text) if at >= 0), default=inf)


def draft(
    body: Json, steps: Sequence[Step], *, prompt: int, behaviour: Behaviour, chunking: Chunking = "token"
) -> Reply:
    """The reply that `steps` make for `body`, whose prompt has `prompt` tokens."""
    thinking = thinks(body, behaviour)
    steps = _prepared(body, steps, behaviour)
    writer = _Writer(
        Reply(thinking, shows_reasoning=not thinking and _keeps_key(body)),
        left=budget_of(body, prompt),
        speech=_speech_limit(steps, body.get("stop")),
        chunking=chunking,
    )
    for step in steps:
        if not writer.take(step):
            break
    return writer.done()


def _keeps_key(body: Json) -> bool:
    """K2.6 without thinking shows `reasoning_content: ""` and one reasoning token; K3 shows neither (measured)."""
    return facts_of(body).control == "thinking"


class _Writer:
    def __init__(self, reply: Reply, *, left: int, speech: float, chunking: Chunking) -> None:
        self.reply, self.left, self.speech = reply, left, speech
        self.chunking: Chunking = chunking
        self.in_reasoning = reply.thinking
        if reply.shows_reasoning:
            reply.reasoning_tokens = reply.completion_tokens = 1

    def take(self, step: Step) -> bool:
        """Do one step; False when the reply ends with it."""
        match step:
            case Think(text):
                return not self.reply.thinking or self._think(text)
            case Say(text):
                return self._say(text)
            case Call():
                return self._call(step)
            case UsageIs(numbers):
                self.reply.overrides.update(numbers)
            case Finish(reason):
                self.reply.finish_reason = reason
            case _:
                self.reply.happenings.append(step)
                return isinstance(step, Pause)
        return True

    def done(self) -> Reply:
        if (
            not any(isinstance(h, Cut | Problem) for h in self.reply.happenings[-1:])
            and self.reply.finish_reason != "length"
        ):
            self._close_reasoning()
        return self.reply

    def _close_reasoning(self) -> None:
        if self.in_reasoning:
            self.in_reasoning = False
            self.reply.happenings.append(REASONING_CLOSED)

    def _pay(self, text: str) -> tuple[str, int, bool]:
        kept, cost = cut_text(text, self.left)
        self.left -= cost
        self.reply.completion_tokens += cost
        if len(kept) < len(text):
            self.reply.finish_reason = "length"
        return kept, cost, len(kept) == len(text)

    def _think(self, text: str) -> bool:
        kept, cost, whole = self._pay(text)
        self.reply.reasoning += kept
        self.reply.reasoning_tokens += cost
        self.reply.happenings += [f'{{"reasoning_content":{encode(piece)}}}' for piece in pieces(kept, self.chunking)]
        return whole

    def _say(self, text: str) -> bool:
        room = self.speech - len(self.reply.content)
        stopped = len(text) > room
        kept, _, whole = self._pay(text[: int(room)] if stopped else text)
        if kept or not text:
            self._close_reasoning()
        self.reply.content += kept
        self.reply.happenings += [f'{{"content":{encode(piece)}}}' for piece in pieces(kept, self.chunking)]
        return whole and not stopped

    def _call(self, step: Call) -> bool:
        if not self.left:
            self.reply.finish_reason = "length"
            return False
        self._close_reasoning()
        index = len(self.reply.calls)
        kept, _, whole = self._pay(step.arguments)
        head: Json = {"index": index, "id": step.id or f"{step.name}_{index}"}
        head["type"] = "builtin_function" if step.name.startswith("$") else "function"
        self.reply.calls.append({**head, "function": {"name": step.name, "arguments": kept}})
        opening = {"tool_calls": [{**head, "function": {"name": step.name, "arguments": ""}}]}
        before, after = f'{{"tool_calls":[{{"index":{index},"function":{{"arguments":', "}}]}"
        self.reply.happenings.append(encode(opening))
        self.reply.happenings += [f"{before}{encode(piece)}{after}" for piece in pieces(kept, self.chunking)]
        if whole and self.reply.finish_reason == "stop":
            self.reply.finish_reason = "tool_calls"
        return whole


def frames(reply: Reply, envelope: Envelope, usage: Json, *, include_usage: bool) -> list[Frame]:
    """The stream: role chunk, reasoning, the empty reasoning delta, answer and calls, finish chunk, usage, `[DONE]`."""
    frames: list[Frame] = [*envelope.chunks([OPENING])]
    deltas: list[str] = []
    for happening in reply.happenings:
        if isinstance(happening, str):
            deltas.append(happening)
            continue
        frames += envelope.chunks(deltas)
        deltas.clear()
        if isinstance(happening, Problem):
            return [*frames, event(happening.body.decode()), Cut("end")]
        frames.append(happening)
        if isinstance(happening, Cut):
            return frames
    frames += envelope.chunks(deltas)
    frames.append(envelope.finish(reply.finish_reason, usage))
    return [*frames, *([envelope.usage(usage)] if include_usage else []), DONE]
