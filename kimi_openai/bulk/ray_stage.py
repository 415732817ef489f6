"""`KimiStage`: a stage of a Ray Data pipeline that answers rows, and the worker's side of `bulk_ray`.

A worker is an actor with its own client and event loop. Rows are answered by the code of the local engine.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import openai

from kimi_openai._internal.json_values import is_array, is_dict
from kimi_openai.client.clients import AsyncKimiOpenAI
from kimi_openai.client.factories import create_async_client
from kimi_openai.limits.shared_process import SharedLimits
from kimi_openai.retry.events import RetryEvent
from kimi_openai.usage.costs import Tokens, price_list

from .answering import Ask, answer_to, asker, ends_the_run, kind_of, spent_by
from .estimate import sent_model
from .index import fingerprint
from .plan import body_problems
from .ray_journal import Line
from .records import answer_line, failure_line
from .requests import Request, Template, requests_of

__all__ = ["KimiStage"]

FLUSH_SECONDS = 0.02
"""For how long the lines of a worker are collected before they are written together."""


class KimiStage:
    """Answers the rows of a `ray.data.Dataset`: `ds.map_batches(KimiStage, fn_constructor_kwargs={...}, ...)`.

    A row needs the columns of a template (`messages`, as in `bulk`), or `body`, a request body as JSON text, or `text`,
    a line of an OpenAI batch file as `ray.data.read_text` reads it. `model` and `params` replace what the body has.
    The columns `answer` (the text, "" if there is none), `error` (a short name such as "content_filter", "" if there is
    none) and `line` (the line that `bulk` would write to its output or its error file) are added.

    `limits` is what `shared_limits` returns; `client` are options of `create_async_client`. Without a key there, the
    workers find it as every client does. Use `ray.data.ActorPoolStrategy(size=...)` and a `batch_size` of 32 or so: a
    worker that dies is replaced, and the rows of the blocks that it had are asked again (`bulk_ray` asks again only
    those that had no answer). A row that fails for good has an `error` and the job goes on; what every row would meet,
    such as an empty account or a wrong key, ends it with an `openai.OpenAIError` that says what to do.
    """

    def __init__(
        self,
        *,
        messages: Template | None = None,
        model: str | None = None,
        params: Mapping[str, Any] | None = None,
        limits: SharedLimits | None = None,
        max_parts: int = 8,
        client: Mapping[str, Any] | None = None,
        journal: Any = None,
    ) -> None:
        given: Any = limits
        if given is not None and not isinstance(given, SharedLimits):
            raise ValueError(f"limits is {given!r}, which each worker would count for itself; write shared_limits(...)")
        self._messages, self._overrides = messages, {**(params or {}), **({"model": model} if model else {})}
        self._options: dict[str, Any] = {**(client or {}), "limits": limits, "on_retry": self._count_retry}
        self._max_parts, self._journal = max_parts, journal
        self._refused = self._retries = 0
        self._client: AsyncKimiOpenAI | None = None
        self._before: dict[str, Decimal] = {}
        self._lines: list[Line] = []
        self._flushing: asyncio.Future[str] | None = None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="kimi-stage", daemon=True).start()

    async def __call__(self, batch: Any) -> dict[str, Any]:
        """The batch with the new columns."""
        future = asyncio.run_coroutine_threadsafe(self._answers(batch), self._loop)
        return await asyncio.wrap_future(future)

    async def _answers(self, batch: Any) -> dict[str, Any]:
        rows = _rows_of(batch)
        lines = rows if self._messages is not None else [_as_line(row) for row in rows]
        requests = list(requests_of(lines, template=self._messages, overrides=self._overrides, limit=None))
        if self._journal is not None:
            requests = [replace(request, number=row["number"]) for request, row in zip(requests, rows, strict=True)]
            self._before.update((row["custom_id"], Decimal(row["cost"])) for row in rows if row["cost"])
            requests = await self._unwritten(requests)
        answers = await _all([self._one(request) for request in requests])
        if self._journal is not None:
            return {"custom_id": [request.custom_id for request in requests]}
        columns = {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}
        return {**columns, **{name: [each[name] for each in answers] for name in ("answer", "error", "line")}}

    async def _one(self, request: Request) -> dict[str, str]:
        mark, model = fingerprint(request.body), str(request.body.get("model"))
        try:
            answer = await answer_to(request, self._asked_for(request))
        except (openai.OpenAIError, ValueError, TypeError) as error:
            if ends_the_run(error):
                await self._stop(str(error))
            kind, text, tokens = kind_of(error), "", spent_by(error)
            cost = self._cost(request, model, tokens)
            line = failure_line(request, mark, kind, error, cost)
        else:
            kind, text, tokens = "", answer.completion["choices"][0]["message"].get("content") or "", answer.tokens
            cost = self._cost(request, model, tokens)
            line = answer_line(request, mark, answer.completion, cost)
        if self._journal is not None:
            await self._write(Line(request.custom_id, line, kind, tokens or Tokens(), cost))
        return {"answer": text, "error": kind, "line": line}

    def _cost(self, request: Request, model: str, tokens: Tokens | None) -> Decimal:
        """What a line has cost, with what it cost in earlier runs."""
        before = self._before.pop(request.custom_id, Decimal(0))
        if self._client is None or tokens is None:
            return before
        sent = sent_model(model, self._client.kimi_options.model_aliases)
        return before + (price_list(self._client).cost(sent, tokens) or 0)

    def _asked_for(self, request: Request) -> Ask:
        """What asks for the answer. Raises `ValueError` for what Kimi would refuse."""
        if self._client is None:
            self._client = create_async_client(**self._options)
        options = self._client.kimi_options
        problems = list(body_problems(request.body, options.model_aliases, is_adapted=options.compat != "off"))
        if request.problem or problems:
            raise ValueError(request.problem or "; ".join(problems))
        return asker(self._client, None, max_parts=self._max_parts)

    def _count_retry(self, event: RetryEvent) -> None:
        self._retries += 1
        self._refused += event.status == 429

    async def _unwritten(self, requests: Sequence[Request]) -> list[Request]:
        """The rows that have no line in the files: another worker that died may have written it."""
        stopped, flags = await self._journal.done.remote([request.custom_id for request in requests])
        _check(stopped)
        return [request for request, is_done in zip(requests, flags, strict=True) if not is_done]

    async def _write(self, line: Line) -> None:
        """Write a line, together with those of the same moment. Returns when it is in the file."""
        self._lines.append(line)
        if self._flushing is None:
            self._flushing = asyncio.ensure_future(self._flush())
        _check(await asyncio.shield(self._flushing))

    async def _flush(self) -> str:
        await asyncio.sleep(FLUSH_SECONDS)
        lines, self._lines, self._flushing = self._lines, [], None
        refused, self._refused = self._refused, 0
        retries, self._retries = self._retries, 0
        stopped: str = await self._journal.write.remote(lines, refused, retries)
        return stopped

    async def _stop(self, reason: str) -> None:
        if self._journal is not None:
            await self._journal.stop.remote(reason)
        _check(reason)


async def _all(answers: Sequence[Coroutine[Any, Any, dict[str, str]]]) -> list[dict[str, str]]:
    """All answers. If one raises, the others are given up."""
    tasks = [asyncio.ensure_future(each) for each in answers]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _check(stopped: str) -> None:
    """End the job. The text only: the SDK's errors cannot be sent to another process."""
    if stopped:
        raise openai.OpenAIError(f"{stopped}\nThe job was stopped, because every row would fail so.") from None


def _rows_of(batch: Any) -> list[dict[str, Any]]:
    """The rows of a batch in each of Ray's formats, with values of Python's."""
    if hasattr(batch, "to_pylist"):  # pyarrow
        rows: Any = batch.to_pylist()
    elif hasattr(batch, "to_dict"):  # pandas
        rows = batch.to_dict("records")
    else:  # columns of numpy's
        rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
    return [_plain(row) for row in rows]


def _plain(value: Any) -> Any:
    """A value with those of Python's in place of numpy's."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if is_dict(value):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if is_array(value) else value


def _as_line(row: dict[str, Any]) -> dict[str, Any]:
    """A row as a line of a batch file; the nulls of a table's structures are left out. It needs no `custom_id` here."""
    if "body" not in row and isinstance(row.get("text"), str):
        try:
            parsed: Any = json.loads(row["text"])
        except (ValueError, RecursionError):
            return row
        return parsed if is_dict(parsed) else row
    body: Any = row.get("body")
    if isinstance(body, str):
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):
            return row
    else:
        body = _without_nulls(body)
    return {"custom_id": "row", **row, "body": body} if is_dict(body) else row


def _without_nulls(value: Any) -> Any:
    if is_dict(value):
        return {name: _without_nulls(each) for name, each in value.items() if each is not None}
    return [_without_nulls(each) for each in value] if is_array(value) else value
