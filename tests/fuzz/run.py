"""Runs damaged answers through the entrances and counts the outcomes."""

from __future__ import annotations

import logging
import traceback
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

import openai
import pydantic

from kimi_openai import instant, track
from kimi_openai.emulator import Emulator, call, say, think
from kimi_openai.usage.ledger import Ledger
from tests.conftest import Mode
from tests.emulator import http

from .answers import events_in, good_answers
from .entrances import BARE, ENTRANCES, WITH_MODEL, Desk, look_at
from .wire import Exchange, Server, Transport

__all__ = ["Outcomes", "fuzz"]

OPTIONS: Any = {"api_key": "sk-1", "base_url": "http://127.0.0.1/v1", "timeout": 5.0}
CALLERS_MODEL = "the caller's model refuses it"


@dataclass
class Outcomes:
    """What came of the runs: by entrance, and for the bare SDK. `foreign` has the runs that ended in a foreign
    exception by the place where it left our package, `traces` a traceback of each place."""

    counts: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    bare: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    foreign: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    traces: dict[str, str] = field(default_factory=dict)

    def add(self, name: str, number: int, found: str, error: Exception | None) -> None:
        """Count one run."""
        self.counts[name][found] += 1
        if error is not None:
            place = place_of(error)
            self.foreign[place].append(number)
            self.traces.setdefault(place, "".join(traceback.format_exception(error)[-7:]))

    def report(self) -> str:
        """Where foreign exceptions came from, most frequent first."""
        found = sorted(self.foreign.items(), key=lambda item: -len(item[1]))
        return "\n".join(f"{len(runs)} {place}  --only {' '.join(map(str, runs[:5]))}" for place, runs in found)

    def table(self) -> str:
        """One line for each entrance."""
        lines = [("entrance", "runs", "delivered", "foreign", "bare SDK's foreign", "openai.OpenAIError")]
        for name, found in (*self.counts.items(), ("all", sum(self.counts.values(), Counter()))):
            bare = self.bare.get(name)
            kinds = ", ".join(f"{kind} {count}" for kind, count in found.most_common() if kind[0].isupper())
            more = [str(found[CALLERS_MODEL]) + " " + CALLERS_MODEL] if found[CALLERS_MODEL] else []
            lines.append(
                (
                    name,
                    str(sum(found.values())),
                    str(found["delivered"]),
                    str(foreign_in(found)),
                    f"{foreign_in(bare)} of {sum(bare.values())}" if bare else "",
                    ", ".join([kinds, *more]),
                )
            )
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
        )


def place_of(error: Exception) -> str:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "kimi_openai" in frame.filename]
    last = frames[-1] if frames else traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename.rpartition('kimi_openai')[2]}:{last.lineno} {last.name}"


def foreign_in(counts: Counter[str]) -> int:
    return sum(count for kind, count in counts.items() if kind.startswith("foreign"))


def fuzz(bodies: int, seed: int, *, only: Sequence[int] = (), on_sockets: bool = False) -> Outcomes:
    """Runs so many damaged answers, or `only` those with these numbers."""
    outcomes = Outcomes()
    with desks(on_sockets) as (exchange, made), quiet():
        names = list(ENTRANCES)
        for number in only or range(bodies):
            name = names[number % len(names)]
            kind = made["async" if number // len(names) % 2 else "sync"]
            kind.one(outcomes, exchange, name, f"{seed} {number}", number)
    return outcomes


@contextmanager
def quiet() -> Iterator[None]:
    """No waits, no output, and no warnings: those of pydantic about odd values, and ours."""
    with instant(), redirect_stdout(StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable()
        try:
            yield
        finally:
            logging.disable(logging.NOTSET)


class Side:
    """The clients of one kind, synchronous or asynchronous."""

    def __init__(self, name: str, options: Mapping[str, Any], transport: Transport | None) -> None:
        self.mode = Mode(name)
        http = {"http_client": transport.client(self.mode.is_async)} if transport else {}
        self.client = self.mode.client(**options, **http, env_file=None)
        self.ledger: Ledger = track(self.client)
        self.desk = Desk(self.mode, self.client)
        self.impatient = Desk(self.mode, self.client.with_options(max_retries=0))
        bare: Any = openai.AsyncOpenAI if self.mode.is_async else openai.OpenAI
        self.bare = Desk(self.mode, bare(**options, **http, max_retries=0))

    def one(self, outcomes: Outcomes, exchange: Exchange, name: str, seed: str, number: int) -> None:
        """One run, and one of the bare SDK with the same answers."""
        exchange.begin(seed)
        desk = self.impatient if number % 3 else self.desk
        outcomes.add(name, number, *outcome(name, desk, self.ledger))
        if name in BARE:
            exchange.begin(seed)
            outcomes.bare[name][outcome(name, self.bare, None)[0]] += 1

    def close(self) -> None:
        self.mode.run(self.bare.client.close())
        self.mode.close()


def outcome(name: str, desk: Desk, ledger: Ledger | None) -> tuple[str, Exception | None]:
    """How a run ends, and the exception if it is a foreign one. An error is shown too."""
    try:
        try:
            ENTRANCES[name](desk)
        except openai.OpenAIError as error:
            look_at(error)
            if hasattr(error, "reply"):
                look_at(error.reply)
            return type(error).__name__, None
        except pydantic.ValidationError:
            if name not in WITH_MODEL:
                raise
            return CALLERS_MODEL, None
        finally:
            if ledger is not None:
                look_at(ledger)
                ledger._entries.clear()
    except Exception as error:
        return f"foreign {type(error).__name__}", error
    return "delivered", None


@contextmanager
def desks(on_sockets: bool) -> Iterator[tuple[Exchange, dict[str, Side]]]:
    """The exchange, and the clients of both kinds that get their answers from it."""
    with ExitStack() as stack:
        exchange = Exchange(good_answers(recorded()))
        options, transport = OPTIONS, None
        if on_sockets:
            server = Server(exchange.answer)
            stack.callback(server.close)
            options = {**OPTIONS, "base_url": server.base_url}
        else:
            transport = Transport(exchange)
        sides = {name: Side(name, options, transport) for name in ("sync", "async")}
        for side in sides.values():
            stack.callback(side.close)
        yield exchange, sides


def recorded() -> dict[str, list[list[Any]]]:
    """Answers of the emulator."""
    tool: Any = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    found: dict[str, list[list[Any]]] = {"completion": [], "stream": [], "response": [], "response_stream": []}
    flat: Any = {"type": "function", **tool["function"]}
    ask: Any = {"model": "kimi-k3", "input": "How is the weather in Paris?", "tools": [flat]}
    with Emulator() as kimi:
        for steps in (
            (think("hm"), say("It is sunny in Paris, I think.")),
            (think("hm"), call("get_weather", '{"city": "Paris"}'), call("get_weather", '{"city": "Rome"}')),
            (say('{"a": 1}'),),
        ):
            for kind, is_stream in (("completion", False), ("stream", True)):
                kimi.script(*steps)
                got = http.chat(kimi, tools=[tool], stream=is_stream)
                found[kind].append(events_in(got.body) if is_stream else [got.json])
                kimi.script(*steps)
                got = http.send(kimi, "POST", "/v1/responses", {**ask, "stream": is_stream})
                found[f"response{'_stream' if is_stream else ''}"].append(
                    events_in(got.body) if is_stream else [got.json]
                )
        found["models"] = [[http.send(kimi, "GET", "/v1/models").json]]
    return found
