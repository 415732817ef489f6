"""The purpose of a file."""

from __future__ import annotations

import pytest

from kimi_openai.compat.pipeline import shape_upload


@pytest.mark.parametrize(
    ("purpose", "sent"),
    [("assistants", "file-extract"), ("user_data", "file-extract"), ("fine-tune", "file-extract"), ("vision", "image")],
)
def test_a_purpose_of_openai_becomes_one_of_kimi(purpose: str, sent: str) -> None:
    """With a note."""
    shaped = shape_upload({"purpose": purpose, "file": "x"})
    assert shaped.body == {"purpose": sent, "file": "x"}
    assert [note.kind for note in shaped.notes] == ["purpose"]


@pytest.mark.parametrize("purpose", ["file-extract", "image", "video", "batch"])
def test_a_purpose_of_kimi_stays(purpose: str) -> None:
    """Without a note."""
    shaped = shape_upload({"purpose": purpose})
    assert (shaped.body, shaped.notes) == ({"purpose": purpose}, ())
