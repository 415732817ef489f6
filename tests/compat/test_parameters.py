"""The token budget, parameters that only OpenAI has, and limits on values."""

from __future__ import annotations

from typing import Any

import pytest

from .bodies import K3, K26, K31, check_parameters

OPENAI_ONLY: dict[str, Any] = {
    "seed": 1,
    "logit_bias": {"1": 1},
    "store": False,
    "metadata": {"a": "b"},
    "service_tier": "auto",
    "parallel_tool_calls": False,
    "modalities": ["text"],
    "audio": {"voice": "alloy", "format": "wav"},
    "verbosity": "low",
    "web_search_options": {},
    "prompt_cache_retention": "24h",
    "moderation": {},
}

CHANGED = [
    pytest.param(K3, {"max_tokens": 9}, {"max_completion_tokens": 9}, ["max_tokens"], id="max_tokens"),
    pytest.param(
        K3,
        {"max_tokens": 9, "max_completion_tokens": 8},
        {"max_completion_tokens": 8},
        ["max_tokens"],
        id="both budgets",
    ),
    pytest.param(
        K26, {"max_tokens": 262_144}, {}, ["max_tokens", "max_completion_tokens"], id="a budget of the whole context"
    ),
    pytest.param(
        K31, {"max_completion_tokens": 2_000_000}, {}, ["max_completion_tokens"], id="a budget beyond the context"
    ),
    pytest.param(K3, {"user": "u"}, {"safety_identifier": "u"}, ["user"], id="user"),
    pytest.param(
        K3, {"user": "u", "safety_identifier": "s"}, {"safety_identifier": "s"}, ["user"], id="user and its new name"
    ),
    *(pytest.param(K3, {name: value}, {}, [name], id=name) for name, value in OPENAI_ONLY.items()),
    pytest.param(K3, {"stop": list("abcdef")}, {"stop": list("abcde")}, ["stop"], id="six stop texts"),
    pytest.param(K3, {"stop": "x" * 33}, {}, ["stop"], id="a long stop text"),
    pytest.param(
        K3,
        {"stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"stream_options": {"include_usage": True}},
        ["stream_options"],
        id="obfuscation",
    ),
    pytest.param(K3, {"prediction": {"type": "other"}}, {}, ["prediction"], id="another prediction"),
    pytest.param(K3, {"prompt_cache_options": {"ttl": "30m"}}, {}, ["prompt_cache_options"], id="cache for 30 minutes"),
]

UNCHANGED = [
    pytest.param(K3, {"max_completion_tokens": 300_000}, id="a budget beyond K2's context"),
    pytest.param(K3, {"my_field": 1}, id="fields that neither API has"),
    pytest.param(K3, {"prompt_cache_key": "k", "safety_identifier": "s"}, id="Kimi's own"),
    pytest.param(K3, {"stop": ["a", "b"]}, id="two stop texts"),
    pytest.param(K3, {"stop": "x" * 32}, id="a stop text of 32 bytes"),
    pytest.param(K3, {"stream_options": {"include_usage": True}}, id="usage in streams"),
    pytest.param(K3, {"logprobs": True, "top_logprobs": 2}, id="logprobs"),
    pytest.param(K3, {"prediction": {"type": "content", "content": "x"}}, id="prediction"),
    pytest.param(K3, {"prompt_cache_options": {"mode": "implicit", "ttl": "1h"}}, id="cache for an hour"),
    pytest.param(K3, {"response_format": {"type": "json_object"}}, id="JSON mode"),
]


@pytest.mark.parametrize(("model", "sent", "expected", "kinds"), CHANGED)
def test_a_parameter_is_changed(model: str, sent: dict[str, Any], expected: dict[str, Any], kinds: list[str]) -> None:
    """Each change has a note."""
    check_parameters(model, sent, expected, kinds)


@pytest.mark.parametrize(("model", "sent"), UNCHANGED)
def test_a_parameter_that_kimi_accepts_stays(model: str, sent: dict[str, Any]) -> None:
    """Without a note."""
    check_parameters(model, sent, sent, [])
