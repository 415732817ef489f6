"""The creation of a batch."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai import CompatError
from kimi_openai.compat.pipeline import shape_batch
from kimi_openai.emulator import Emulator
from kimi_openai.emulator.validation.batches import batch_problem
from tests.conftest import Mode

CREATED: dict[str, Any] = {
    "input_file_id": "file_1",
    "endpoint": "/v1/chat/completions",
    "completion_window": "24h",
    "metadata": {"k" * 64: "v" * 512},
}


@pytest.mark.parametrize("window", ["12h", "24h", "168h", "1d", "3d", "7d"])
def test_what_kimi_accepts_stays(window: str) -> None:
    """Without a note."""
    body = {**CREATED, "completion_window": window}
    shaped = shape_batch(body)
    assert (shaped.body, shaped.notes) == (body, ())
    assert batch_problem(shaped.body, known_file=True) is None


REFUSED: dict[str, tuple[str, Any]] = {
    "endpoint": ("endpoint", "/v1/embeddings"),
    "short": ("completion_window", "11h"),
    "long": ("completion_window", "8d"),
    "longer": ("completion_window", "169h"),
    "minutes": ("completion_window", "900m"),
    "a number": ("completion_window", 24),
    "many pairs": ("metadata", {str(number): "" for number in range(17)}),
    "a long key": ("metadata", {"k" * 65: ""}),
    "a long value": ("metadata", {"k": "v" * 513}),
    "a value that is no text": ("metadata", {"k": 1}),
    "no object": ("metadata", ["k"]),
}


@pytest.mark.parametrize(("field", "value"), REFUSED.values(), ids=REFUSED)
def test_what_kimi_refuses_is_refused(field: str, value: Any) -> None:
    """The note names the field."""
    body = {**CREATED, field: value}
    (note,) = shape_batch(body).notes
    assert (note.where, note.fatal) == (field, True)
    assert batch_problem(body, known_file=True) is not None


def test_output_that_expires_is_only_openais() -> None:
    """Left out, with a note."""
    shaped = shape_batch({**CREATED, "output_expires_after": {"anchor": "created_at", "seconds": 3600}})
    assert shaped.body == CREATED
    assert [(note.where, note.fatal) for note in shaped.notes] == [("output_expires_after", False)]


def test_a_batch_that_kimi_refuses_is_not_created(mode: Mode, kimi: Emulator) -> None:
    """The error names the field, and nothing is sent."""
    client = mode.client(kimi)
    window: Any = "1h"
    with pytest.raises(CompatError, match="completion_window: cannot be sent, because Kimi takes 12 hours to 7 days"):
        mode.run(client.batches.create(**{**CREATED, "completion_window": window}))
    assert kimi.requests == []
