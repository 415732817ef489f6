"""The lines of the files of a batch as values. Pure; `batch_files` downloads them.

The docs show the line of a good answer only. An error may be in `response.body.error` or in `error`, in the error file
or in the output file too, and no order is promised: everything is matched by `custom_id`.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from openai.types import Batch
from openai.types.chat import ChatCompletion

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import Json, as_dict, is_object
from kimi_openai._internal.wire import WireError, checked_completion
from kimi_openai.client.validation import validated_completion
from kimi_openai.errors.explanations import fault_of, refusal_of
from kimi_openai.errors.faults import NO_ANSWER, Fault, Refusal
from kimi_openai.usage.costs import Tokens, tokens_of
from kimi_openai.usage.normalize import BatchUse, copy_cached_tokens

__all__ = ["BatchError", "BatchResult", "LineSplitter", "ResultReader", "result_of"]

log = logging.getLogger("kimi_openai")

Status = Literal["completed", "failed", "expired", "cancelled", "missing"]
"""What became of one request. "missing": the batch is completed, and no file has a line for it."""


@dataclass(frozen=True, slots=True)
class BatchError:
    """Why one request of a batch failed. `fault` says what that means, and whether to ask again can help (`retry`).

    `status_code` is that of the answer that the request would have got, `None` if the line has none.
    """

    status_code: int | None
    type: str | None
    message: str
    fault: Fault = field(repr=False, compare=False)

    def __str__(self) -> str:
        return " ".join(str(part) for part in (self.status_code, self.type, self.message) if part)


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchResult:
    """What became of the request with a `custom_id`: `completion` if it is completed, `error` if it failed.

    `status` is "completed", "failed", "expired" or "cancelled" (of a batch that ended before it ran), or "missing".
    `line` is the object of the line in Kimi's file, `None` if there is no line.
    """

    custom_id: str
    status: Status
    completion: ChatCompletion | None = None
    error: BatchError | None = None
    line: Json | None = field(default=None, repr=False)


def result_of(line: object) -> BatchResult | None:
    """The result in the object of a line; `None` for what is no such line.

    >>> line = {"custom_id": "a", "response": None, "error": {"code": "invalid_request_error", "message": "no"}}
    >>> print(result_of(line).error)
    invalid_request_error no
    """
    if not is_object(line):
        return None
    custom_id = line.get("custom_id") or line.get("id")  # they are equal in the docs
    if not isinstance(custom_id, str):
        return None
    response, error = as_dict(line.get("response")), line.get("error")
    status, body = response.get("status_code"), response.get("body")
    status = status if type(status) is int else None
    if error or (status is not None and status >= 400) or as_dict(body).get("error"):
        return _failed(custom_id, line, status, {"error": error} if error else body)
    try:
        checked = checked_completion(body)
    except WireError as problem:
        why = BatchError(status, None, f"the line has no answer: {problem}", NO_ANSWER)
        return BatchResult(custom_id=custom_id, status="failed", error=why, line=line)
    completion = validated_completion(checked) or ChatCompletion.construct(None, **checked)
    return BatchResult(custom_id=custom_id, status="completed", completion=copy_cached_tokens(completion), line=line)


def _failed(custom_id: str, line: Json, status: int | None, body: Any) -> BatchResult:
    refusal = refusal_of(status, body)
    code: Any = as_dict(as_dict(body).get("error")).get("code")
    if refusal.type is None and isinstance(code, str):
        refusal = Refusal(status, code, refusal.message)
    error = BatchError(status, refusal.type, refusal.message, fault_of(refusal))
    return BatchResult(
        custom_id=custom_id, status=_unanswered_by(refusal.type or "") or "failed", error=error, line=line
    )


def _unanswered_by(word: str) -> Literal["expired", "cancelled"] | None:
    """What became of a request that did not run, by the status of its batch or a code in its line."""
    return "expired" if "expired" in word else "cancelled" if "cancelled" in word else None


@dataclass(slots=True)
class LineSplitter:
    """Splits the bytes of a file into lines; `held` is the last line as far as it has come."""

    held: bytearray = field(default_factory=bytearray)

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """The lines that the piece ends."""
        self.held += piece
        if b"\n" in piece:
            *whole, rest = self.held.split(b"\n")
            self.held = bytearray(rest)
            yield from (bytes(line) for line in whole if line.strip())

    def flush(self) -> Iterator[bytes]:
        """The last line, if it does not end with a newline."""
        line, self.held = bytes(self.held), bytearray()
        if line.strip():
            yield line


class ResultReader:
    """Reads the results of one batch, each `custom_id` once, and adds up what they used."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self._seen: set[str] = set()
        self._uses: dict[str, BatchUse] = {}

    @property
    def files(self) -> list[str]:
        """The ids of the files that there are. Both are there for a batch that ended early, too, or none."""
        return [id for id in (self.batch.output_file_id, self.batch.error_file_id) if id]

    @property
    def uses(self) -> dict[str, BatchUse]:
        """What the answers that were read used, by model."""
        return self._uses

    def read(self, line: bytes, *, is_last: bool = False) -> BatchResult | None:
        """The result in a line, `None` if it was read before. Raises `ValueError` for a last line that is not whole."""
        try:
            result = result_of(decode_json(line))
        except ValueError:
            if is_last:
                raise
            result = None
        if result is None:
            log.warning("a line of batch %s is not in the form of a result, it is passed over", self.batch.id)
            return None
        if result.custom_id in self._seen:
            return None
        self._seen.add(result.custom_id)
        if result.completion is not None:
            self._count(result.completion)
        return result

    def _count(self, completion: ChatCompletion) -> None:
        usage, before = completion.usage, self._uses.get(str(completion.model), BatchUse(self.batch.id))
        self._uses[str(completion.model)] = BatchUse(
            self.batch.id,
            before.calls + 1,
            before.uncounted + (usage is None),
            before.tokens + (tokens_of(usage) if usage is not None else Tokens()),
        )

    @property
    def missing(self) -> int | None:
        """How many requests have no result yet, by what the batch says; `None` if it does not say how many it has."""
        total: Any = getattr(self.batch.request_counts, "total", None)
        if not isinstance(total, int) or (not total and self.batch.status != "completed"):
            return None
        return max(0, total - len(self._seen))

    def without_result(self, ids: Iterable[str]) -> Iterator[BatchResult]:
        """A result for each of the ids that no line had, each once."""
        status = _unanswered_by(str(self.batch.status)) or "missing"
        for custom_id in ids:
            if custom_id not in self._seen:
                self._seen.add(custom_id)
                yield BatchResult(custom_id=custom_id, status=status)
