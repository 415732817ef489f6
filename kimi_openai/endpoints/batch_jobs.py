"""Batches from the upload to their end: `submit_batch` and `wait_for_batch`. `batch_results` reads the answers.

Source: platform docs, batch pages and batch guide, 2026-09-03.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from inspect import isawaitable
from random import random
from typing import Any, overload
from uuid import uuid4

import openai
from openai.types import Batch

from kimi_openai._internal.clock import pause
from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai.client.batches import CompletionWindow
from kimi_openai.compat.adapt import batch_file, report
from kimi_openai.compat.batches import ENDPOINT
from kimi_openai.compat.pipeline import shape_batch
from kimi_openai.errors.exceptions import BatchUnfinishedError, CompatError, UnexpectedAnswerError
from kimi_openai.errors.faults import Backoff
from kimi_openai.retry.backoff import can_be_retried, wait_for
from kimi_openai.retry.deadline import Deadline
from kimi_openai.retry.events import announce
from kimi_openai.retry.failure import failure_of

from .any_client import guarded
from .batch_input import BatchRequests, opened
from .files import delete_quietly

__all__ = ["FINAL", "TAG", "submit_batch", "wait_for_batch"]

log = logging.getLogger("kimi_openai")

TAG = "kimi_openai_tag"
"""The key in the metadata of a batch by which `submit_batch` finds it again."""

MOST_PAIRS = 16
"""Source: docs, batch create page: metadata has up to 16 pairs."""

PAGE = 100
"""The size of pages that is asked for. The docs name no maximum; it is OpenAI's."""

FINAL = ("completed", "failed", "expired", "cancelled")
"""The statuses of a batch that has ended."""

POLLS = Backoff(10, 60)
"""The docs advise to ask every 10 to 60 seconds."""

MOST_FAILURES = 10
"""How many times in a row a batch may not be found out about before the error is raised."""

Progress = Callable[[Batch], object]


@overload
def submit_batch(
    client: openai.OpenAI,
    requests: BatchRequests,
    *,
    completion_window: CompletionWindow = ...,
    metadata: Mapping[str, str] | None = ...,
    tag: str | None = ...,
) -> Batch: ...
@overload
def submit_batch(
    client: openai.AsyncOpenAI,
    requests: BatchRequests,
    *,
    completion_window: CompletionWindow = ...,
    metadata: Mapping[str, str] | None = ...,
    tag: str | None = ...,
) -> Coroutine[Any, Any, Batch]: ...
def submit_batch(
    client: AnyClient,
    requests: BatchRequests,
    *,
    completion_window: CompletionWindow = "24h",
    metadata: Mapping[str, str] | None = None,
    tag: str | None = None,
) -> Batch | Coroutine[Any, Any, Batch]:
    """The new `Batch`: uploads the file (POST /v1/files, purpose `batch`), and creates the batch (POST /v1/batches).

    `requests`: a file of lines (a path, its bytes, or an object open for binary reading), or the parameters of `create`
    by `custom_id`: `{"request-1": {"model": ..., "messages": ...}}`, or pairs, or the objects of the lines. Each line
    is checked and adapted before the upload, as a chat request is. A batch costs 60 % of the price; the docs list
    `kimi-k2.6` and `kimi-k2.7-code` for it, one model in a file. `completion_window` is from 12 hours to 7 days.

    A batch that is created twice is paid twice, and the API has no idempotency key. So a tag is put into the metadata,
    and when the answer to the creation is lost, the list of batches is searched for the tag before anything is sent
    again (up to the client's `max_retries`). With your own `tag` the list is searched first: a program that is started
    again gets its earlier batch, whatever its status.

    Raises `CompatError`, before the upload, with the number and the reason of each line that Kimi refuses, or for a
    window or metadata (up to 15 pairs) that it does not take; `FileNotFoundError`; later the SDK's errors. The file of
    a batch that Kimi refused to create is deleted. Source: platform docs, batch pages, 2026-09-03.
    """
    pairs = {**(metadata or {}), TAG: tag or uuid4().hex}
    if len(pairs) > MOST_PAIRS:
        raise ValueError(f"metadata has {len(pairs) - 1} pairs; Kimi takes {MOST_PAIRS}, and one of them is the tag")
    body = {"endpoint": ENDPOINT, "completion_window": completion_window, "metadata": pairs}
    report(shape_batch(body).notes)
    return run(client, guarded("a batch", _submission(client, requests, body, is_tag_known=tag is not None)))


def _submission(client: AnyClient, requests: BatchRequests, body: dict[str, Any], *, is_tag_known: bool) -> Flow[Batch]:
    if is_tag_known:
        found = yield from _find(client, body["metadata"][TAG])
        if found is not None:
            return found
    with opened(requests) as content:
        file = yield from batch_file(client, content)
        uploaded = yield client.files.create(file=file, purpose="batch")
    if not _has_id(uploaded):
        raise UnexpectedAnswerError("the id of the uploaded file", uploaded)
    try:
        return (yield from _creation(client, {**body, "input_file_id": uploaded.id}))
    except openai.APIStatusError as error:
        if not _may_have_worked(error):
            yield from delete_quietly(client, uploaded.id)
        raise


def _creation(client: AnyClient, body: dict[str, Any]) -> Flow[Batch]:
    """Creates the batch once, however many requests that takes."""
    deadline, on_retry = Deadline(), getattr(getattr(client, "kimi_options", None), "on_retry", None)
    once = client.with_options(max_retries=0)
    for attempt in range(client.max_retries + 1):
        try:
            batch: Batch = yield once.batches.create(**body)
            if _has_id(batch):
                return batch
            raise UnexpectedAnswerError("the id of the batch", batch)
        except openai.OpenAIError as error:  # noqa: PERF203 - each attempt may fail
            if isinstance(error, CompatError):
                raise
            failure = failure_of(error)
            is_last = attempt == client.max_retries or not can_be_retried(failure)
            if not is_last:
                wait = wait_for(failure, attempt=attempt, jitter=random())
                announce(failure, on_retry, attempt=attempt + 1, wait=wait, elapsed=deadline.elapsed())
                yield pause(client, wait)
            if _may_have_worked(error):
                found = yield from _find(client, body["metadata"][TAG])
                if found is not None:
                    log.info("the answer to the creation of batch %s was lost; it was found by its tag", found.id)
                    return found
            if is_last:
                raise
    raise AssertionError("the last attempt returns or raises")


def _has_id(created: object) -> bool:
    id: object = getattr(created, "id", None)
    return isinstance(id, str) and bool(id)


def _may_have_worked(error: Exception) -> bool:
    """Whether the batch may exist although its creation was answered by an error."""
    return not (isinstance(error, openai.APIStatusError) and error.status_code < 500)


def _find(client: AnyClient, tag: str) -> Flow[Batch | None]:
    """The batch with the tag in its metadata, `None` if the list has none. Ends if the server has no pages, too."""
    seen: set[str] = set()
    place: dict[str, Any] = {}
    while True:
        page = yield client.batches.list(limit=PAGE, **place)
        batches: list[Batch] = page.data or []
        for batch in batches:
            if (batch.metadata or {}).get(TAG) == tag:
                return batch
        ids = [batch.id for batch in batches]
        if not ids or seen.intersection(ids) or getattr(page, "has_more", None) is False:
            return None
        seen.update(ids)
        place = {"after": ids[-1]}


@overload
def wait_for_batch(
    client: openai.OpenAI,
    batch: Batch | str,
    *,
    on_progress: Progress | None = ...,
    patience: float | None = ...,
) -> Batch: ...
@overload
def wait_for_batch(
    client: openai.AsyncOpenAI,
    batch: Batch | str,
    *,
    on_progress: Progress | None = ...,
    patience: float | None = ...,
) -> Coroutine[Any, Any, Batch]: ...
def wait_for_batch(
    client: AnyClient, batch: Batch | str, *, on_progress: Progress | None = None, patience: float | None = None
) -> Batch | Coroutine[Any, Any, Batch]:
    """The `Batch` when it has ended: "completed", "failed", "expired" or "cancelled", see its `status`.

    `batch` is the SDK's object or an id. It is asked for (GET /v1/batches/{batch_id}) after 10 seconds, then after
    longer, up to 60 and some jitter. `on_progress` is called with the object each time; what it returns is awaited for
    an asynchronous client. A failure that may pass (connection, overload, ...) is retried after a wait, up to 10 in a
    row. `patience`: seconds after which `BatchUnfinishedError` is raised, with the object as `batch`; never by default.
    A batch of which only some requests failed is "completed". Source: platform docs, batch guide, 2026-09-03.
    """
    id = batch if isinstance(batch, str) else batch.id
    return run(client, guarded("a batch", _end(client, id, on_progress, Deadline(patience))))


def _end(client: AnyClient, id: str, on_progress: Progress | None, deadline: Deadline) -> Flow[Batch]:
    failures = polls = 0
    while True:
        try:
            batch: Batch = yield client.batches.retrieve(id)
        except openai.APIError as error:
            failures += 1
            if failures >= MOST_FAILURES or deadline.is_over or not can_be_retried(failure_of(error)):
                raise
            log.info("batch %s could not be asked for (%s); once more later", id, type(error).__name__)
        else:
            failures = 0
            told = on_progress(batch) if on_progress is not None else None
            if isawaitable(told) and isinstance(client, openai.AsyncOpenAI):
                yield told
            if batch.status in FINAL:
                return batch
            if deadline.is_over:
                raise BatchUnfinishedError(batch, f"and patience={deadline.patience:g} is over")
        wait, left = POLLS.seconds(polls, random()), deadline.left()
        polls += 1
        yield pause(client, wait if left is None else min(wait, left))
