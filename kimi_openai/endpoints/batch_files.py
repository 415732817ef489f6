"""Reads the results of a batch that has ended, one after the other: `batch_results`.

The files are read as they arrive; in memory are the ids only. What a line means is decided in `batch_output`.
Source: platform docs, batch pages and batch guide, 2026-09-03.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Generator, Iterable
from contextlib import contextmanager
from typing import Any, cast, overload

import openai
from openai.types import Batch

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai._internal.json_values import as_dict
from kimi_openai._internal.warn import warn
from kimi_openai.errors.exceptions import BatchFailedError, BatchUnfinishedError, KimiCompatWarning
from kimi_openai.usage.normalize import notify_of_batch

from .any_client import guarded
from .batch_jobs import FINAL
from .batch_output import BatchResult, ResultReader
from .files import delete_quietly
from .line_download import read_lines, read_lines_async

__all__ = ["batch_results", "delete_batch_files"]

TOO_MUCH = 500
"""Characters of an error file that are quoted."""


@overload
def batch_results(
    client: openai.OpenAI, batch: Batch | str, *, ids: Iterable[str] | None = ...
) -> Generator[BatchResult, None, None]: ...
@overload
def batch_results(
    client: openai.AsyncOpenAI, batch: Batch | str, *, ids: Iterable[str] | None = ...
) -> AsyncGenerator[BatchResult, None]: ...
def batch_results(
    client: AnyClient, batch: Batch | str, *, ids: Iterable[str] | None = None
) -> Generator[BatchResult, None, None] | AsyncGenerator[BatchResult, None]:
    """An iterator over the `BatchResult` of each request; `async for` with an asynchronous client. In no order.

        answers = {result.custom_id: result for result in batch_results(client, batch)}

    `batch` is the SDK's object or an id. The output file and the error file are read as they arrive (GET
    /v1/files/{file_id}/content), and each `custom_id` comes once. At the end come the requests without a line, with the
    status "expired" or "cancelled" if their batch is, else "missing". They are named by `ids`, the ids that were
    submitted; by default the input file is read for them, if there are any. If that was deleted, a warning says how
    many cannot be named. A file whose download breaks is asked for again.

    A ledger of `track` counts the answers at the prices of batches, those of one batch once however often it is read.
    When it is read, it raises `BatchUnfinishedError` if the batch has not ended, `BatchFailedError` if its file was
    refused, and the SDK's errors. The files stay: see `delete_batch_files`. Source: platform docs, batch pages,
    2026-09-03.
    """
    if isinstance(client, openai.AsyncOpenAI):
        return _results_async(client, batch, ids)
    return _results(client, batch, ids)


def _results(
    client: openai.OpenAI, batch: Batch | str, ids: Iterable[str] | None
) -> Generator[BatchResult, None, None]:
    reader = ResultReader(cast(Batch, run(client, guarded("a batch", _ended(client, batch)))))
    try:
        for file_id in reader.files:
            yield from read_lines(client, file_id, reader.read)
        if _needs_ids(reader, ids):
            names = read_lines(client, reader.batch.input_file_id, _custom_id)
            with _unnamed(reader):
                yield from reader.without_result(names)
        else:
            yield from reader.without_result(ids or ())
    finally:
        notify_of_batch(client, reader.uses)


async def _results_async(
    client: openai.AsyncOpenAI, batch: Batch | str, ids: Iterable[str] | None
) -> AsyncGenerator[BatchResult, None]:
    reader = ResultReader(
        await cast(Coroutine[Any, Any, Batch], run(client, guarded("a batch", _ended(client, batch))))
    )
    try:
        for file_id in reader.files:
            async for result in read_lines_async(client, file_id, reader.read):
                yield result
        if _needs_ids(reader, ids):
            with _unnamed(reader):
                async for name in read_lines_async(client, reader.batch.input_file_id, _custom_id):
                    for result in reader.without_result((name,)):
                        yield result
        else:
            for result in reader.without_result(ids or ()):
                yield result
    finally:
        notify_of_batch(client, reader.uses)


def _ended(client: AnyClient, batch: Batch | str) -> Flow[Batch]:
    """The batch as it is now. Raises for one that has no results."""
    if isinstance(batch, str) or batch.status not in FINAL:
        found: Batch = yield client.batches.retrieve(batch if isinstance(batch, str) else batch.id)
    else:
        found = batch
    if found.status not in FINAL:
        raise BatchUnfinishedError(found, "so it has no results yet")
    if found.status == "failed":
        raise BatchFailedError(found, (yield from _reason(client, found)))
    return found


def _reason(client: AnyClient, batch: Batch) -> Flow[str]:
    """Why a batch failed. The docs have no field for it; the SDK's object has, and there may be an error file."""
    errors = getattr(batch.errors, "data", None) or ()
    said = "; ".join(str(getattr(error, "message", error)) for error in errors)
    if said or not batch.error_file_id:
        return said
    try:
        content = yield client.files.content(batch.error_file_id)
    except openai.APIStatusError:
        return ""
    text: str = content.text
    return text[:TOO_MUCH]


def _needs_ids(reader: ResultReader, ids: Iterable[str] | None) -> bool:
    return ids is None and reader.missing != 0


@contextmanager
def _unnamed(reader: ResultReader) -> Generator[None, None, None]:
    """What is done if the input file cannot be read: the caller may have deleted it."""
    try:
        yield
    except openai.APIStatusError as error:
        count = reader.missing
        problem = f"{count or 'some'} requests of batch {reader.batch.id} have no result, and their ids cannot be read"
        warn(f"{problem} ({error.status_code} for the input file); pass ids=...", KimiCompatWarning)


def _custom_id(line: bytes, *, is_last: bool = False) -> str | None:  # noqa: ARG001
    """The id in a line of the input file, which is not read for anything else."""
    custom_id: Any = as_dict(decode_json(line)).get("custom_id")
    return custom_id if isinstance(custom_id, str) else None


@overload
def delete_batch_files(client: openai.OpenAI, batch: Batch) -> None: ...
@overload
def delete_batch_files(client: openai.AsyncOpenAI, batch: Batch) -> Coroutine[Any, Any, None]: ...
def delete_batch_files(client: AnyClient, batch: Batch) -> Coroutine[Any, Any, None] | None:
    """Deletes the input, output and error file of a batch (DELETE /v1/files/{file_id}), and returns nothing.

    An organization may have 1,000 batch files; whether output files count is not documented. A file that cannot be
    deleted is logged. Source: platform docs, batch guide, 2026-09-03.
    """
    return run(client, _deletion(client, batch))


def _deletion(client: AnyClient, batch: Batch) -> Flow[None]:
    for file_id in filter(None, (batch.input_file_id, batch.output_file_id, batch.error_file_id)):
        yield from delete_quietly(client, file_id)
