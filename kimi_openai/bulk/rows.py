"""The rows of files: JSONL, CSV, and temporary copies of what can be read only once. `requests.py` reads the rows."""

from __future__ import annotations

import csv
import json
import tempfile
import weakref
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kimi_openai._internal.surrogates import has_surrogates

__all__ = ["BadRow", "Rows", "Source", "csv_rows", "is_missing", "json_rows", "readable", "spooled"]

Rows = Iterator[tuple[int, Any]]
"""Rows with their numbers, from 1."""

LONGEST_CELL = 100_000_000
"""Characters: a request has 100 MB at most. Source: platform docs, chat page."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """In place of a row that cannot be read."""

    why: str


def json_rows(path: Path) -> Rows:
    """The values in a JSONL file. Blank lines are left out."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                yield number, json.loads(text)
            except (ValueError, RecursionError) as error:
                yield number, BadRow(f"it is not JSON: {error}")


def csv_rows(path: Path) -> Rows:
    """The rows of a CSV table, by the names of its columns."""
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as lines:
        reader = csv.reader(lines)
        columns = _next(reader)
        number = 0
        while isinstance(columns, list) and (row := _next(reader)) is not None:
            if row:
                number += 1
                yield number, _named(columns, row)
        if isinstance(columns, BadRow):
            yield 1, columns


def _next(reader: Iterator[list[str]]) -> list[str] | BadRow | None:
    """The next row, an empty list for a blank line. The module's limit for a cell is too small for documents."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        return next(reader, None)
    except csv.Error as error:
        return BadRow(f"it is not CSV: {error}")
    finally:
        csv.field_size_limit(before)


def _named(columns: list[str], row: list[str] | BadRow) -> dict[str, str] | BadRow:
    if isinstance(row, BadRow):
        return row
    if any(map(has_surrogates, row)):
        return BadRow("it is not UTF-8; save the table in this encoding")
    if len(row) != len(columns):
        return BadRow(f"it has {len(row)} cells, and the table has {len(columns)} columns")
    return dict(zip(columns, row, strict=True))


@dataclass(frozen=True, eq=False)
class Source:
    """A file that can be read several times. A temporary one is deleted with the object."""

    path: Path


def readable(path: Path) -> Source:
    """The file, or a copy of what is no file, such as a pipe."""
    if path.is_file() or path.is_dir():
        return Source(path)
    with path.open("rb") as lines:
        return _temporary(lines)


def spooled(rows: Iterable[Any]) -> Source:
    """The rows of an iterator as a temporary file of JSON lines."""
    texts = (json.dumps(row, ensure_ascii=False, default=_plain) for row in rows)
    return _temporary(f"{text}\n".encode("utf-8", "backslashreplace") for text in texts)


def _temporary(lines: Iterable[bytes]) -> Source:
    file = tempfile.NamedTemporaryFile("wb")  # noqa: SIM115 - lives as the source does
    source = Source(Path(file.name))
    weakref.finalize(source, file.close)
    file.writelines(lines)
    file.flush()
    return source


def _plain(value: Any) -> Any:
    """A value of numpy's as Python has it, any other as text."""
    return value.tolist() if hasattr(value, "tolist") else str(value)


def is_missing(value: Any) -> bool:
    """Whether a cell is empty: `None`, and what tables have for it: NaN, NaT, pandas' NA.

    >>> is_missing(None), is_missing(float("nan")), is_missing(0), is_missing("")
    (True, True, False, False)
    """
    if value is None or type(value).__name__ == "NAType":
        return True
    is_scalar = isinstance(value, float) or type(value).__name__ == "NaTType"
    return is_scalar and bool(value != value)
