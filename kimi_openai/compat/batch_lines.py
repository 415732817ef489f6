"""The lines of a batch file: each one's request as Kimi accepts it, and what Kimi refuses in the file.

Pure; `batch_upload` reads the file and writes the new one. Source: platform docs, batch pages, 2026-09-03.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from kimi_openai._internal.json_values import is_object
from kimi_openai.errors.exceptions import CompatError, Note
from kimi_openai.models.catalog import MODELS, facts

from .batches import ENDPOINT
from .body_checks import body_refusals
from .pipeline import Shaped
from .rule import Body, fatal, is_thinking

__all__ = ["MOST_PROBLEMS", "BatchLines", "batch_models", "takes_batches"]

KIND = "batch_line"
SAMPLING = ("temperature", "top_p", "n", "presence_penalty", "frequency_penalty")
EXCLUDED: Mapping[str, str] = {
    **dict.fromkeys(SAMPLING, "the docs exclude it from batches"),
    **dict.fromkeys(("stream", "stream_options"), "a batch has no streams"),
}
"""Fields that the body of a line must not have, and why. What Kimi does with `stream` there is not documented."""

EXAMPLE = f'{{"custom_id": "request-1", "method": "POST", "url": "{ENDPOINT}", "body": {{...}}}}'

MOST_PROBLEMS = 20
"""How many problems are reported. After that the rest of the file is not read."""


@dataclass(slots=True)
class Repeated:
    """A note on the first line that has it, and how many lines have it."""

    note: Note
    lines: int = 1
    last_line: int = 0


class BatchLines:
    """Goes through the lines of one file. `shape` makes the body of a chat request one that Kimi accepts."""

    def __init__(self, shape: Callable[[Body], Shaped]) -> None:
        self._shape = shape
        self._lines_by_id: dict[str, int] = {}
        self._model: tuple[str, int] | None = None
        self._changes: dict[tuple[str, str], Repeated] = {}
        self._problems: list[Note] = []

    @property
    def is_hopeless(self) -> bool:
        """Whether there are so many problems that the next lines need not be read."""
        return len(self._problems) >= MOST_PROBLEMS

    def shaped(self, line: bytes, number: int) -> bytes:
        """The line as it is sent, without its end; empty for a blank line. `number` counts from 1."""
        line = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
        if not line:
            return b""
        place = f"line {number}"
        try:
            request: Any = json.loads(line)
        except (ValueError, RecursionError) as error:
            return self._refuse(place, f"it is not JSON: {error}", f"write {EXAMPLE}")
        if not is_object(request) or not is_object(request.get("body")):
            return self._refuse(place, "it is not an object with a body", f"write {EXAMPLE}")
        self._check(request, number)
        body = self._shaped_body(request["body"], number)
        self._check_model(body.get("model"), number)
        if body == request["body"]:
            return line
        return json.dumps({**request, "body": body}, ensure_ascii=False, separators=(",", ":")).encode()

    def notes(self) -> tuple[Note, ...]:
        """What was changed, a note for each kind of change, and what Kimi refuses, when all lines have been read."""
        if not self._lines_by_id and not self._problems:
            why = "it has no requests: 400 'File size is zero, please confirm and re-upload the file'"
            return (fatal(KIND, "file", why, f"write lines of the form {EXAMPLE}"),)
        changes = (
            found.note
            if found.lines == 1
            else replace(found.note, change=f"{found.note.change} (in {found.lines} lines)")
            for found in self._changes.values()
        )
        return (*changes, *self._problems)

    def _refuse(self, where: str, why: str, fix: str) -> bytes:
        self._problems.append(fatal(KIND, where, why, fix))
        return b""

    def _check(self, request: Body, number: int) -> None:
        """The keys of a line other than its body."""
        custom_id = request.get("custom_id")
        if not isinstance(custom_id, str) or not custom_id:
            why = "each line needs a custom_id, a text, and its answer has the same"
            self._refuse(f"line {number}, custom_id", why, f"write {EXAMPLE}")
        elif (first := self._lines_by_id.setdefault(custom_id, number)) != number:
            why = f"{custom_id[:80]!r} is the custom_id of line {first} too"
            self._refuse(f"line {number}, custom_id", why, "give each line its own: answers are found by it")
        for name, only in (("method", "POST"), ("url", ENDPOINT)):
            if request.get(name) != only:
                why = f"Kimi takes {only!r} only, not {str(request.get(name))[:80]!r}"
                self._refuse(f"line {number}, {name}", why, f"write {only!r}")

    def _check_model(self, model: object, number: int) -> None:
        """Every line has the same model, and one that takes batches. A model of no known family may."""
        where = f"line {number}, body.model"
        if not isinstance(model, str):
            self._refuse(where, "the model is missing", f"write one of {batch_models()}")
            return
        if self._model is None:
            self._model = (model, number)
            if not takes_batches(model):
                why = f"{model} is not listed for batches"
                self._refuse(where, why, f"write one of {batch_models()}, or send the requests one by one")
        elif model != self._model[0]:
            why = f"a file has one model, and line {self._model[1]} has {self._model[0]}"
            self._refuse(where, why, "write a file for each model")

    def _shaped_body(self, given: Body, number: int) -> dict[str, Any]:
        try:
            shaped = self._shape(given)
        except CompatError as error:  # an image that could not be fetched
            shaped = Shaped(dict(given), error.notes)
        refusals = () if any(note.fatal for note in shaped.notes) else body_refusals(shaped.body)
        for note in (*shaped.notes, *refusals):
            self._keep(note, number)
        known = facts(str(shaped.body.get("model")))
        pinned = known.sampling if is_thinking(shaped.body, known) else known.sampling_off
        for name, why in EXCLUDED.items():
            value = shaped.body.get(name)
            if value not in (None, False) and value != pinned.get(name):  # else nothing is lost
                self._keep(Note(name, name, "left out", why, f"leave {name} out"), number)
        return {name: value for name, value in shaped.body.items() if name not in EXCLUDED}

    def _keep(self, note: Note, number: int) -> None:
        """A problem with its line number; a change with the first line that has it."""
        note = replace(note, where=f"line {number}, body.{note.where}")
        if note.fatal:
            self._problems.append(note)
            return
        found = self._changes.setdefault((note.kind, note.change), Repeated(note, last_line=number))
        if found.last_line != number:
            found.lines, found.last_line = found.lines + 1, number


def takes_batches(model: str) -> bool:
    """Whether the docs list a model for batches; one of no known family may be.

    >>> takes_batches("kimi-k3"), takes_batches("another")
    (False, True)
    """
    known = facts(model)
    return not known.is_known or bool(known.batch and known.family == model)


def batch_models() -> str:
    """The models that the docs list for batches."""
    return ", ".join(family for family, known in MODELS.items() if known.batch) or "the models that the docs list"
