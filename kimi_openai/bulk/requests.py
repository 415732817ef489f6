"""The requests of a bulk run, streamed from a file or from rows, as often as they are needed.

A file has lines in the form of OpenAI's batches (JSONL), or it is a CSV table; `rows.py` reads both. Rows are mappings.
Tables and rows need a template for the messages. What Kimi refuses in a request is said by `plan.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from kimi_openai._internal.json_values import as_dict, is_array, is_dict
from kimi_openai._internal.secrets import shown
from kimi_openai.compat.valid_json import valid_json

from .options import check_number
from .rows import BadRow, Rows, csv_rows, is_missing, json_rows, readable, spooled

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

    rows: Callable[[], Rows]
    template: Template | None = None
    overrides: Mapping[str, Any] | None = None
    limit: int | None = None
    place: str = "line"

    def __iter__(self) -> Iterator[Request]:
        for number, row in islice(self.rows(), self.limit):
            yield self._request(number, row)

    def _request(self, number: int, row: Any) -> Request:
        if isinstance(row, BadRow):
            return Request(number, "", {}, row.why)
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
        if not problem and custom_id in (None, ""):
            problem = "custom_id is missing; answers are found by it"
        elif not problem and not isinstance(custom_id, str):
            problem = f"custom_id is {shown(custom_id)}; it is a text"
        return Request(number, str(custom_id or ""), {**as_dict(body), **(self.overrides or {})}, problem)

    def _from_template(self, number: int, row: dict[str, Any]) -> Request:
        custom_id = _id(row.get("custom_id")) or f"row-{number}"
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
        return PLACE.sub(lambda found: _text(row[found[1]]), value)
    if is_array(value):
        return [_filled(each, row) for each in value]
    return {name: _filled(each, row) for name, each in value.items()} if is_dict(value) else value


def _text(value: Any) -> str:
    return "" if is_missing(value) else str(value)


def _id(value: Any) -> str:
    """An id as text. An empty cell in its column makes floats of whole numbers, which are written as these."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else _text(value)


def requests_of(source: Any, *, template: Template | None, overrides: Mapping[str, Any], limit: int | None) -> Requests:
    """The requests in a file (`.jsonl`, `.csv`), a DataFrame, or an iterable of rows or batch lines.

    An iterator and a pipe are copied to a temporary file first, because the requests are checked before the first one
    is sent. Raises `ValueError` for a table without a template, `FileNotFoundError` for a missing file.
    """
    check_number("limit", limit, 0)
    sent: Mapping[str, Any] = valid_json(overrides)[0]
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.exists():
            raise FileNotFoundError(f"the input file {shown(str(source))} does not exist")
        file = readable(path)
        if path.suffix.lower() == ".csv":
            if template is None:
                raise ValueError("a CSV table needs messages=..., a template with the names of columns in braces")
            return Requests(lambda: csv_rows(file.path), template, sent, limit, "row")
        return Requests(lambda: json_rows(file.path), template, sent, limit)
    return Requests(_rows_of(source, limit, has_template=template is not None), template, sent, limit, "row")


def _rows_of(source: Any, limit: int | None, *, has_template: bool) -> Callable[[], Rows]:
    """What reads the rows of an object, as often as they are needed."""
    is_frame = hasattr(source, "iter_rows") or hasattr(source, "itertuples")
    if is_frame and not has_template and "body" not in source.columns:
        raise ValueError("a DataFrame needs messages=..., a template with the names of columns in braces")
    if hasattr(source, "iter_rows"):  # polars
        return lambda: _numbered(source.iter_rows(named=True))
    if hasattr(source, "itertuples"):  # pandas
        columns = list(map(str, source.columns))
        return lambda: _numbered(_frame_rows(source, columns))
    if iter(source) is source:
        file = spooled(islice(source, limit))
        return lambda: json_rows(file.path)
    return lambda: _numbered(source)


def _numbered(rows: Iterable[Any]) -> Rows:
    return enumerate(rows, 1)


def _frame_rows(frame: Any, columns: list[str]) -> Iterator[dict[str, Any]]:
    for row in frame.itertuples(index=False, name=None):
        yield dict(zip(columns, row, strict=True))
