"""The files of a bulk run: the output, the errors, and the batches that have not ended; what they say is done."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from .batches.parts import Part, parts_in
from .errors import OutputError
from .index import Index, hash_of
from .output import OutputFile
from .records import cost_in
from .spending import Spending

__all__ = ["Files", "opened"]


@dataclass(slots=True)
class Files:
    """The open files of one run. `folder` has the batches, `parts` are those that have not ended.

    `failed`: the requests that have failed and are not asked again, after `read`.
    """

    output: OutputFile
    errors: OutputFile
    folder: Path
    parts: list[Part]
    failed: Index = field(default_factory=Index)
    _has_old: bool = False

    def read(self, spending: Spending, *, retries_failed: bool) -> Index:
        """The requests that are answered or failed, with their fingerprints; what they cost is counted.

        Failed ones that are to be asked again are not among them; their lines stay in the file until they have others.
        """
        done = Index()
        for _, record in self.output.records():
            done.add(hash_of(record["custom_id"]), _mark(record))
            spending.count(record)
        done.sort()
        for _, record in self._failures(done):
            key = hash_of(record["custom_id"])
            spending.count(record)
            if retries_failed:
                spending.earlier[key] = cost_in(record, spending.prices)
            else:
                self.failed.add(key, _mark(record))
        done.update(self.failed)
        done.sort()
        self.failed.sort()
        if retries_failed:
            self.errors.begin = self.errors.end
        spending.held = sum((part.most for part in self.parts), spending.held)
        return done

    def tidy(self) -> None:
        """Leave out of the error file, at the end of a run, what was answered since, or has failed again."""
        if not (self.errors.begin or self._has_old):
            return
        answered = Index()
        for _, record in self.output.records():
            answered.add(hash_of(record["custom_id"]))
        answered.sort()
        with self.errors.path.open("rb") as lines:
            self.errors.rewrite(_line_at(lines, offset) for offset, _ in self._failures(answered))

    def _failures(self, answered: Index) -> Iterator[tuple[int, dict[str, Any]]]:
        """The lines of the error file, the last of each request, without those that were answered since."""
        last = Index()
        for offset, record in self.errors.records(0):
            last.add(hash_of(record["custom_id"]), offset)
        last.sort()
        for offset, record in self.errors.records(0):
            key = hash_of(record["custom_id"])
            if answered.get(key) is None and last.get(key) == offset:
                yield offset, record
            else:
                self._has_old = True

    def done(self) -> Index:
        """The requests that are answered or failed now."""
        found = Index()
        for file in (self.errors, self.output):
            for _, record in file.records():
                found.add(hash_of(record["custom_id"]))
        found.sort()
        return found

    def in_batches(self) -> Index:
        """The requests that are in batches which have not ended, with their fingerprints."""
        found = Index()
        for part in self.parts:
            for custom_id, mark in part.entries():
                found.add(hash_of(custom_id), mark)
        found.sort()
        return found


def _mark(record: dict[str, Any]) -> int:
    return int(record.get("fingerprint") or "0", 16)


def _line_at(lines: BinaryIO, offset: int) -> bytes:
    lines.seek(offset)
    return lines.readline()


@contextmanager
def opened(output: Path, errors: Path, *, engine: str) -> Generator[Files, None, None]:
    """The files of a run, for a `with` block. Raises `OutputError` if another run has them, and for the live engine if
    there are batches that have not ended."""
    with ExitStack() as stack:
        answers = OutputFile(output)
        stack.callback(answers.close)
        failures = OutputFile(errors)
        stack.callback(failures.close)
        folder = output.with_suffix(".batches")
        parts = parts_in(folder)
        if parts and engine != "batch":
            raise OutputError(
                f"{sum(part.lines for part in parts):,} lines of this output are in batches that were not fetched yet, "
                f'and would be paid twice; go on with engine="batch" (--engine batch), or delete {folder} to give '
                "their answers up"
            )
        yield Files(answers, failures, folder, parts)
