"""The file of a batch, made of what the caller has: a file of lines, or requests.

Nothing is sent from here. What Kimi refuses in the lines is found when the file is uploaded, by `compat.batch_lines`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any, cast

from kimi_openai._internal.json_values import is_object
from kimi_openai.compat.adapt import report
from kimi_openai.compat.batch_upload import LineFile
from kimi_openai.compat.batches import ENDPOINT
from kimi_openai.compat.messages import frozen_messages
from kimi_openai.compat.rule import fatal
from kimi_openai.compat.valid_json import valid_json
from kimi_openai.errors.exceptions import CompatError, Note
from kimi_openai.messages.plain import frozen

__all__ = ["BatchRequests", "batch_lines", "opened"]

Parameters = Mapping[str, Any]

BatchRequests = (
    str
    | os.PathLike[str]
    | bytes
    | IO[bytes]
    | Mapping[str, Parameters]
    | Iterable[tuple[str, Parameters]]
    | Iterable[Parameters]
)
"""A file of lines (a path, its bytes, or an object open for binary reading), or requests: the parameters of `create` by
`custom_id`, in a mapping or in pairs, or the objects of the lines."""

NAME = "batch.jsonl"


@contextmanager
def opened(requests: BatchRequests) -> Generator[Any, None, None]:
    """The file to upload. It is read when it is sent; requests are written to a file first, one after the other."""
    if isinstance(requests, str | os.PathLike):
        with open(requests, "rb") as file:
            yield (os.path.basename(requests), file)
    elif isinstance(requests, bytes | bytearray):
        yield (NAME, bytes(requests))
    elif hasattr(requests, "read"):
        name: object = getattr(requests, "name", None)  # a number if the file was opened by descriptor
        yield (os.path.basename(name) if isinstance(name, str) else NAME, requests)
    else:
        with LineFile() as file:
            for line in batch_lines(cast(Any, requests)):
                file.add(line)
            file.seek(0)
            yield (NAME, file)


def batch_lines(
    requests: Mapping[str, Parameters] | Iterable[tuple[str, Parameters]] | Iterable[Parameters],
) -> Iterator[bytes]:
    """The lines of a batch file for requests. Raises `CompatError` for what JSON cannot say.

    >>> print(*batch_lines({"a": {"model": "kimi-k2.6", "messages": []}}))
    b'{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"kimi-k2.6","messages":[]}}'
    """
    items: Iterable[Any] = requests.items() if is_object(requests) else requests
    for number, item in enumerate(items, 1):
        request = _request(item, number)
        try:
            valid, notes = valid_json(_frozen(request))
        except CompatError as error:
            raise CompatError(_placed(error.notes, number)) from None
        report(_placed(notes, number))
        yield json.dumps(valid, ensure_ascii=False, separators=(",", ":")).encode()


def _request(item: Any, number: int) -> dict[str, Any]:
    """The object of a line."""
    match item:
        case (custom_id, body):
            return {"custom_id": custom_id, "method": "POST", "url": ENDPOINT, "body": body}
        case _:
            pass
    if is_object(item):
        return {"method": "POST", "url": ENDPOINT, **item}
    why = "it is neither a pair of a custom_id and the parameters of create, nor the object of a line"
    fix = 'write ("request-1", {"model": ..., "messages": [...]})'
    raise CompatError((fatal("batch_line", f"line {number}", why, fix),))


def _frozen(request: dict[str, Any]) -> dict[str, Any]:
    copied: dict[str, Any] = frozen(request)
    body: Any = copied.get("body")
    if is_object(body) and "messages" in body:
        copied["body"] = {**body, "messages": frozen_messages(body["messages"])}
    return copied


def _placed(notes: tuple[Note, ...], number: int) -> tuple[Note, ...]:
    return tuple(replace(note, where=f"line {number}, {note.where}") for note in notes)
