"""The files of a bulk run on Ray: one actor writes them, beside the program that started the run.

An answer is in the file before its worker takes the next row, so a worker that dies loses only what it was asking.
The lines are those of the local engine, and so is the checkpoint.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from kimi_openai.usage.costs import PriceList, Tokens

from .index import hash_of
from .output import OutputFile
from .records import cost_in
from .runner import SAME_FAILURES
from .spending import Spending

__all__ = ["Counts", "Journal", "Line"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line to write: an answer, or a failure of this `kind`; its tokens and its cost."""

    custom_id: str
    text: str
    kind: str
    tokens: Tokens
    cost: Decimal


@dataclass(frozen=True, slots=True)
class Counts:
    """The lines in both files, and what all of them cost; why the run was stopped."""

    answers: int
    failures: int
    tokens: Tokens
    cost: Decimal
    refused: int = 0
    retries: int = 0
    stopped: str = ""


class Journal:
    """Writes the answers and the failures of a run, none twice. Its methods are called by the workers, one at a time.

    The lines of `errors` before the offset `begin` are of rows that are asked again. `stopped` is why the run has to
    end: a reason that concerns all rows, which one worker has found.
    """

    def __init__(self, output: Path, errors: Path, prices: PriceList, begin: int = 0) -> None:
        self._files = (OutputFile(output), OutputFile(errors))
        self._spending = Spending(prices)
        self._done: set[int] = set()
        self._lines = [0, 0]
        self._row = ("", 0)
        self._refused = self._retries = 0
        self._stopped = ""
        self._files[1].begin = begin
        for place, file in enumerate(self._files):
            for _, record in file.records():
                self._done.add(hash_of(record["custom_id"]))
                self._lines[place] += 1
                self._spending.count(record)
        self._earlier: dict[int, Decimal] = {}
        for offset, record in self._files[1].records(0) if begin else ():
            key = hash_of(record["custom_id"])
            if offset < begin and key not in self._done:
                self._earlier[key] = cost_in(record, prices)
        self._spending.cost += sum(self._earlier.values())

    def done(self, ids: Sequence[str]) -> tuple[str, list[bool]]:
        """Why the run was stopped, and which of the rows have a line: a worker that died may have written it."""
        return self._stopped, [hash_of(each) in self._done for each in ids]

    def write(self, lines: Sequence[Line], refused: int = 0, retries: int = 0) -> str:
        """Write lines, and count 429s and retries. Returns why the run was stopped."""
        self._refused += refused
        self._retries += retries
        for line in lines:
            if hash_of(line.custom_id) not in self._done:
                self._write(line)
        return self._stopped

    def stop(self, reason: str) -> None:
        """End the run for this reason; the first one counts."""
        self._stopped = self._stopped or reason

    def counts(self) -> Counts:
        """The numbers now. What is in the files is on the disk then."""
        for file in self._files:
            file.sync()
        spent = self._spending
        answers, failures = self._lines
        return Counts(answers, failures, spent.tokens, spent.cost, self._refused, self._retries, self._stopped)

    def close(self) -> Counts:
        """Unlock and close the files. Returns the numbers at the end."""
        found = self.counts()
        for file in self._files:
            file.close()
        return found

    def pid(self) -> int:
        """The process of the actor."""
        return os.getpid()

    def _write(self, line: Line) -> None:
        place = 1 if line.kind else 0
        try:
            self._files[place].append(line.text)
        except OSError as error:
            self.stop(f"{self._files[place].path} cannot be written ({error.strerror})")
            return
        self._done.add(hash_of(line.custom_id))
        self._lines[place] += 1
        self._spending.tokens += line.tokens
        self._spending.cost += line.cost - self._earlier.pop(hash_of(line.custom_id), Decimal(0))
        self._row = (line.kind, self._row[1] + 1 if line.kind == self._row[0] else 1)
        if line.kind and self._row[1] >= SAME_FAILURES:
            self.stop(f"{SAME_FAILURES} rows in a row failed for the same reason ({line.kind}): {line.text}")
