"""Estimates of prompts: near the truth for text of any script, high for media, and corrected by answers."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.limits.prompt_size import IMAGE, VIDEO, Estimator, prompt_estimate, reservation_of


def size(content: Any) -> float:
    """The estimate of one user message, without what every prompt has."""
    empty = prompt_estimate({"messages": [{"role": "user", "content": ""}]})
    return prompt_estimate({"messages": [{"role": "user", "content": content}]}) - empty


def test_texts() -> None:
    """A token is three to four Latin letters, or about one Chinese character."""
    assert 250 < size("word " * 200) < 300
    assert 150 < size("你好世界" * 50) < 200


def test_media() -> None:
    """The data of an image is not text."""
    part = {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "A" * 100_000}}
    assert IMAGE <= size([part]) < IMAGE + 20
    assert VIDEO <= size([{"type": "video_url", "video_url": {"url": "ms://x"}}]) < VIDEO + 20


def test_tools_and_schemas_count() -> None:
    """Whatever the model reads."""
    tool = {"type": "function", "function": {"name": "f", "description": "d " * 100, "parameters": {"type": "object"}}}
    assert prompt_estimate({"tools": [tool]}) - prompt_estimate({}) > 50
    assert prompt_estimate({"response_format": {"schema": "s " * 100}}) - prompt_estimate({}) > 50


@pytest.mark.parametrize(
    ("path", "body", "output", "is_capped"),
    [
        ("/chat/completions", {"model": "kimi-k3", "max_tokens": 5}, 5, True),
        ("/chat/completions", {"model": "kimi-k2.6", "max_tokens": 5, "max_completion_tokens": 6}, 6, True),
        ("/chat/completions", {"model": "kimi-k2.6"}, 32_768, False),
        ("https://x/v1/responses?y", {"model": "kimi-k3", "max_output_tokens": 7}, 7, True),
        ("/chat/completions", {"model": "someone-elses"}, 0, False),
        ("/models", {}, 0, True),
        ("/chat/completions", "text", 0, True),
    ],
)
def test_the_output_of_a_request(path: str, body: Any, output: int, is_capped: bool) -> None:
    """Its own limit, or the default of the model."""
    found = reservation_of(path, body, Estimator())
    assert (found.output, found.is_capped) == (output, is_capped)


def test_the_factor_follows_the_answers() -> None:
    """It rises fast and falls slowly: too small an estimate costs refusals, too large a one only time."""
    estimator = Estimator()
    estimator.learn(200, 100)
    high = estimator.factor
    assert high == 1.5
    estimator.learn(50, 100)
    assert 1.4 < estimator.factor < high
    for wrong in ((0, 5), (5, 0), (10**9, 1)):
        estimator.learn(*wrong)
    assert estimator.factor <= 4
