"""Splits the requests of a bulk run into files of batches: one model each, at most 100 MB, within the budget.

The lines are checked and adapted here as they are at the upload, so that nothing is sent if one cannot be.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

from kimi_openai.bulk.errors import InputError
from kimi_openai.bulk.estimate import sent_model
from kimi_openai.bulk.index import fingerprint
from kimi_openai.bulk.requests import URL, Request
from kimi_openai.bulk.spending import Spending
from kimi_openai.compat.adapt import line_shape, report
from kimi_openai.compat.batch_lines import BatchLines
from kimi_openai.compat.batch_upload import MAX_FILE_BYTES

from .parts import Part, PartWriter

__all__ = ["Splitter"]


@dataclass(slots=True)
class Splitter:
    """Writes parts into a folder, which is made if need be. `window` is that of the batches."""

    client: Any
    folder: Path
    spending: Spending
    window: str
    _open: dict[str, tuple[PartWriter, BatchLines]] = field(default_factory=dict[str, tuple[PartWriter, BatchLines]])
    _parts: list[Part] = field(default_factory=list[Part])

    def split(self, requests: Iterable[Request], is_stopped: Callable[[], object]) -> tuple[list[Part], bool]:
        """The new parts, and whether they have all requests: if not, the budget does not cover more.

        What they cost at most is reserved. Raises `CompatError` and `InputError` for lines that cannot be sent; then
        there are no parts.
        """
        self._parts, is_whole, held = [], True, self.spending.held
        try:
            for request in requests:
                most = None if is_stopped() else self.spending.hold(request)
                if most is None:
                    is_whole = False
                    break
                self._add(request, most)
            for model in list(self._open):
                self._finish(model)
        except BaseException:
            self._give_up()
            self.spending.held = held
            raise
        return self._parts, is_whole

    def _add(self, request: Request, most: Decimal) -> None:
        model = sent_model(str(request.body.get("model")), self.spending.aliases)
        line = json.dumps({"custom_id": request.custom_id, "method": "POST", "url": URL, "body": request.body})
        sent = self._lines(model).shaped(line.encode(), request.number)
        if len(sent) >= MAX_FILE_BYTES:
            raise InputError([f"line {request.number} ({request.custom_id}): {len(sent):,} bytes; a file has 100 MB"])
        if self._open[model][0].size + len(sent) >= MAX_FILE_BYTES:
            self._finish(model)
            self._lines(model)
        self._open[model][0].add(sent, request, fingerprint(request.body), most)

    def _lines(self, model: str) -> BatchLines:
        """The checks of the file for a model, which is begun if there is none."""
        if model not in self._open:
            self._open[model] = PartWriter(self.folder, self.window), BatchLines(line_shape(self.client))
        return self._open[model][1]

    def _finish(self, model: str) -> None:
        writer, lines = self._open[model]
        report(lines.notes() if writer.size else (), getattr(self.client, "kimi_options", None))
        del self._open[model]
        self._parts.append(writer.finish()) if writer.size else writer.discard()

    def _give_up(self) -> None:
        for writer, _ in self._open.values():
            writer.discard()
        self._open.clear()
        for part in self._parts:
            part.remove()
        self._parts.clear()
