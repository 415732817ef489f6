"""The command line of the chaos run: `python -m tests.load chaos [--runs 1000] [--seed 1] [--only SEED]`."""

from __future__ import annotations

import argparse
import logging
import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from math import inf
from typing import Any

import openai

from .plans import plan_of
from .results import KINDS, Chaos, Result
from .run import run_all
from .steps import Drip, Pause, Repeat, Step

__all__ = ["main", "report"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 1 if anything is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.load chaos", description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others follow")
    parser.add_argument("--only", type=int, metavar="SEED", help="one run, told in full")
    asked = parser.parse_args(arguments)
    for name in list(os.environ):
        if name.startswith(("OPENAI_", "MOONSHOT", "KIMI_")) or name.lower().endswith("_proxy"):
            del os.environ[name]
    logging.basicConfig(handlers=[logging.NullHandler()])
    seeds = range(asked.seed, asked.seed + asked.runs) if asked.only is None else (asked.only,)
    chaos = run_all(map(plan_of, seeds))
    print(report(chaos) if asked.only is None else story(chaos))
    return 1 if chaos.counts else 0


def report(chaos: Chaos, examples: int = 8) -> str:
    """The table, and each kind of failure with some of its seeds."""
    rows: dict[str, Counter[str]] = defaultdict(Counter)
    ends: Counter[str] = Counter()
    for result in chaos.results:
        row = rows[_row(result)]
        row["runs"] += 1
        row["answers"] += result.ends.count("answer")
        row["errors"] += sum(end not in ("answer", "hang") for end in result.ends)
        row.update({kind for kind, _ in result.findings})
        ends.update(result.ends)
    names = ("runs", "answers", "errors", *KINDS)
    lines = [f"openai {openai.__version__}, {len(chaos.results)} runs in {chaos.seconds:.0f} s", "", _line("", names)]
    lines += [_line(name, [rows[name][each] for each in names]) for name in sorted(rows)]
    lines += [_line("all", [sum(row[each] for row in rows.values()) for each in names]), ""]
    lines.append("ended in: " + ", ".join(f"{number} {name}" for name, number in ends.most_common()))
    lines += [f"left at the end: {kind}: {text}" for kind, text in chaos.leaks[:20]]
    return "\n".join([*lines, *_failures(chaos.results, examples)])


def _row(result: Result) -> str:
    plan = result.plan
    return f"{plan.way:16} {'async' if plan.is_async else 'sync '} {plan.transport}"


def _line(name: str, cells: Sequence[object]) -> str:
    return f"{name:32}" + "".join(f"{cell or '.'!s:>9}" for cell in cells)


def _failures(results: Sequence[Result], examples: int) -> list[str]:
    kinds: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for result in results:
        for kind, text in result.findings:
            kinds[kind, _short(kind, text)].append(result)
    lines: list[str] = []
    for (kind, text), found in sorted(kinds.items(), key=lambda item: -len(item[1])):
        seeds = ", ".join(str(result.plan.seed) for result in found[:examples])
        faults = Counter(name for result in found for name in result.passage.done).most_common(3)
        rows = Counter(_row(result).strip() for result in found).most_common(3)
        lines += ["", f"{kind}, {len(found)} times: {text}"]
        lines += [f"    seeds {seeds}; {_counted(faults)}; {_counted(rows)}"]
    return lines


def _short(kind: str, text: str) -> str:
    """What is the same of two failures of one kind."""
    if kind == "hang":
        return text.rpartition(", in ")[2] if ", in " in text else "too late"
    if kind == "foreign":
        return f"{text.partition(':')[0]} at {text.rpartition(' at ')[2].partition(' > ')[0]}"
    return text.partition(" is ")[0] if kind == "untrue" else text[:50]


def _counted(counts: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f"{number} {' '.join(name.split())}" for name, number in counts)


def story(chaos: Chaos) -> str:
    """All that is known of each run."""
    lines: list[str] = []
    for result in chaos.results:
        passage = result.passage
        lines += [str(result.plan), f"ended in {', '.join(result.ends)} after {result.seconds:.2f} s"]
        lines += [f"request: {each.method} {each.path}, {len(each.body)} bytes" for each in passage.requests]
        for name, steps in zip(passage.done, passage.steps, strict=True):
            lines += [f"the proxy: {name}", *(f"    {_told(step)}" for step in steps)]
        lines += [result.trace, *(f"{kind}: {text}" for kind, text in result.findings)]
    return "\n".join([*lines, *(f"at the end: {kind}: {text}" for kind, text in chaos.leaks)])


def _told(step: Step) -> str:
    if isinstance(step, bytes):
        return _quoted(step)
    if isinstance(step, Drip):
        return f"a byte each {step.pause:.2f} s: {_quoted(step.data)}"
    if isinstance(step, Repeat):
        return f"for ever, each {step.pause:.2f} s: {_quoted(step.data)}"
    if isinstance(step, Pause):
        return "silence" if step.seconds == inf else f"a pause of {step.seconds:.2f} s"
    return step.kind


def _quoted(data: Any) -> str:
    return repr(data if len(data) < 1500 else data[:1000] + b" ... " + data[-400:])[1:]


if __name__ == "__main__":
    raise SystemExit(main())
