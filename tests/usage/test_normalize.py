"""Cached tokens where OpenAI code looks for them."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.usage.normalize import with_cached_details

COUNTS = {"prompt_tokens": 9, "total_tokens": 10}


@pytest.mark.parametrize(
    ("usage", "details"),
    [
        ({"cached_tokens": 8}, {"cached_tokens": 8}),
        ({"cached_tokens": 0}, {"cached_tokens": 0}),
        ({"cached_tokens": 8, "prompt_tokens_details": None}, {"cached_tokens": 8}),
        (
            {"cached_tokens": 8, "prompt_tokens_details": {"cache_write_tokens": 1}},
            {"cache_write_tokens": 1, "cached_tokens": 8},
        ),
        ({"cached_tokens": 8, "prompt_tokens_details": {"cached_tokens": 7}}, {"cached_tokens": 7}),
        ({"cached_tokens": "8"}, None),
        ({"cached_tokens": 8, "prompt_tokens_details": [1]}, [1]),
        ({}, None),
    ],
)
def test_cached_tokens_are_in_the_details_too(usage: dict[str, Any], details: Any) -> None:
    """Unless they are there already, or are no number; nothing is changed in place."""
    before = {**COUNTS, **usage}
    given = {**before}
    assert with_cached_details(given).get("prompt_tokens_details") == details
    assert given == before
