"""The requests of a bulk run, streamed from a file or from rows, as often as they are needed.

A file has lines in the form of OpenAI's batches (JSONL), or it is a CSV table. Rows are mappings. Tables and rows need
a template for the messages. What Kimi refuses in a request is said by `plan.py`.
"""

from __future__ import annotations

import csv
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from kimi_openai._internal.json_values import as_dict, is_array, is_dict
from kimi_openai._internal.secrets import shown

__all__ = ["Request", "Requests", "Template", "requests_of"]

URL = "/v1/chat/completions"
PLACE = re.compile(r"\{(\w[^{}]*)\}")

Template = str | list[dict[str, Any]] | Callable[[Mapping[str, Any]], Any]
"""The messages for a row: the text of a user message or a list of messages, with the names of columns in braces, or a
function from the row to either."""


@dataclass(frozen=True, slots=True)
class Request:
    """One line: its number from 1, its id and body, and what is wrong with the line itself."""

    number: int
    custom_id: str
    body: dict[str, Any]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Requests:
    """Where the requests come from. Each iteration reads them again. `place` is what a line is called: "line 3"."""

    rows: Callable[[], Iterator[tuple[int, Any]]]
    template: Template | None = None
    overrides: Mapping[str, Any] | None = None
    limit: int | None = None
    place: str = "line"

    def __iter__(self) -> Iterator[Request]:
        for number, row in islice(self.rows(), self.limit):
            yield self._request(number, row)

    def _request(self, number: int, row: Any) -> Request:
        if isinstance(row, str):
            return Request(number, "", {}, row)
        if not is_dict(row):
            return Request(number, "", {}, "it is not an object")
        if self.template is not None:
            return self._from_template(number, row)
        body = row.get("body")
        problem = ""
        if not is_dict(body):
            problem = f'it has no body; write {{"custom_id": "...", "method": "POST", "url": "{URL}", "body": {{...}}}}'
        elif row.get("method", "POST") != "POST" or row.get("url", URL) != URL:
            problem = f"method and url are {row.get('method')!r} and {row.get('url')!r}; only POST {URL} is sent"
        custom_id = row.get("custom_id")
        if not problem and (not isinstance(custom_id, str) or not custom_id):
            problem = "custom_id is missing; answers are found by it"
        return Request(number, str(custom_id or ""), {**as_dict(body), **(self.overrides or {})}, problem)

    def _from_template(self, number: int, row: dict[str, Any]) -> Request:
        custom_id = str(row.get("custom_id") or f"row-{number}")
        try:
            messages = filled(self.template, row)
        except KeyError as error:
            known = ", ".join(map(str, row))
            return Request(number, custom_id, {}, f"the template names {error}, and the columns are {known}")
        return Request(number, custom_id, {**(self.overrides or {}), "messages": messages})


def filled(template: Template | None, row: Mapping[str, Any]) -> list[Any]:
    """The messages for a row. Raises `KeyError` for a name that is no column.

    >>> filled("Is {word} a noun?", {"word": "run"})
    [{'role': 'user', 'content': 'Is run a noun?'}]
    """
    made: Any = template(row) if callable(template) else _filled(template, row)
    return made if is_array(made) else [{"role": "user", "content": made}]


def _filled(value: Any, row: Mapping[str, Any]) -> Any:
    if isinstance(value, str):
        return PLACE.sub(lambda found: str(row[found[1]]), value)
    if is_array(value):
        return [_filled(each, row) for each in value]
    return {name: _filled(each, row) for name, each in value.items()} if is_dict(value) else value


def requests_of(source: Any, *, template: Template | None, overrides: Mapping[str, Any], limit: int | None) -> Requests:
    """The requests in a file (`.jsonl`, `.csv`), a DataFrame, or an iterable of rows or batch lines.

    An iterator is copied to a temporary file first, because the requests are checked before the first one is sent.
    Raises `ValueError` for a table without a template, `FileNotFoundError` for a missing file.
    """
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.exists():
            raise FileNotFoundError(f"the input file {shown(str(source))} does not exist")
        if path.suffix.lower() == ".csv":
            if template is None:
                raise ValueError("a CSV table needs messages=..., a template with the names of columns in braces")
            return Requests(lambda: _csv_rows(path), template, overrides, limit, "row")
        return Requests(lambda: _json_rows(path), template, overrides, limit)
    if hasattr(source, "iter_rows"):  # polars
        return Requests(lambda: _numbered(source.iter_rows(named=True)), template, overrides, limit, "row")
    if hasattr(source, "itertuples"):  # pandas
        columns = list(map(str, source.columns))
        return Requests(lambda: enumerate(_frame_rows(source, columns), 1), template, overrides, limit, "row")
    if iter(source) is source:
        file = _spooled(source)
        return Requests(lambda: _json_rows(Path(file.name)), template, overrides, limit, "row")
    return Requests(lambda: _numbered(source), template, overrides, limit, "row")


def _json_rows(path: Path) -> Iterator[tuple[int, Any]]:
    """The objects of a JSONL file, or why a line is none. Blank lines are left out."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if not text:
                continue
            try:
                yield number, json.loads(text)
            except (ValueError, RecursionError) as error:
                yield number, f"it is not JSON: {error}"


def _csv_rows(path: Path) -> Iterator[tuple[int, Any]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        yield from enumerate(csv.DictReader(lines), 1)


def _numbered(rows: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    return enumerate(rows, 1)


def _frame_rows(frame: Any, columns: list[str]) -> Iterator[dict[str, Any]]:
    for row in frame.itertuples(index=False, name=None):
        yield dict(zip(columns, row, strict=True))


def _spooled(rows: Iterable[Any]) -> Any:
    """The rows of an iterator in a temporary file, which is deleted with the object."""
    file = tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8")  # noqa: SIM115 - open as long as they are read
    for row in rows:
        file.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
    file.flush()
    return file
