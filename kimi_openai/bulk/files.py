"""The files of a bulk run: the output, the errors, and the batches that have not ended; what they say is done."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from .batches.parts import Part, parts_in
from .errors import OutputError
from .index import Index, hash_of
from .output import OutputFile
from .records import cost_in
from .spending import Spending

__all__ = ["Files", "opened"]


@dataclass(slots=True)
class Files:
    """The open files of one run. `folder` has the batches, `parts` are those that have not ended."""

    output: OutputFile
    errors: OutputFile
    folder: Path
    parts: list[Part]

    def read(self, spending: Spending, *, retries_failed: bool) -> Index:
        """The requests that are answered or failed, with their fingerprints; what they cost is counted.

        Failed ones that are to be asked again are removed.
        """
        if retries_failed:
            for _, record in self.errors.records():
                spending.earlier[hash_of(record["custom_id"])] = cost_in(record, spending.prices)
                spending.count(record)
            self.errors.clear()
        done = Index()
        for file in (self.errors, self.output):
            for _, record in file.records():
                done.add(hash_of(record["custom_id"]), int(record.get("fingerprint") or "0", 16))
                spending.count(record)
        done.sort()
        spending.held = sum((part.most for part in self.parts), spending.held)
        return done

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
