"""The rules for fields whose names belong to other APIs, and for names that look misspelt.

Kimi ignores fields that it does not know (measured on 2026-09-03), so a wrong name is an option without effect. Names
that OpenAI has and Kimi does not are in `parameters`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts

from .parameters import OPENAI_ONLY
from .rule import REMOVE, Body, Changes

__all__ = ["Foreign", "foreign_names", "misspelt_names"]


@dataclass(frozen=True, slots=True)
class Foreign:
    """A field of another API: `whose` it is, the field of Kimi that means the same, or else what to write instead."""

    whose: str
    field: str = ""
    fix: str = ""


BUDGET_FIX = "leave it out: Kimi has no separate budget for reasoning (kimi_openai.thinking(...) sets the effort)"
THINKING_FIX = "write extra_body=kimi_openai.thinking(...)"
SYSTEM_FIX = "write a message of role 'system'"
MESSAGES_FIX = "write messages"
SCHEMA_FIX = "write response_format"
SAMPLING_FIX = "leave it out: Kimi's sampling is fixed"

FOREIGN: Mapping[str, Foreign] = {
    "max_output_tokens": Foreign("OpenAI's Responses API", "max_completion_tokens"),
    "maxOutputTokens": Foreign("Google's Gemini API", "max_completion_tokens"),
    "max_new_tokens": Foreign("Hugging Face's transformers", "max_completion_tokens"),
    "max_tokens_to_sample": Foreign("Anthropic's older API", "max_completion_tokens"),
    "num_predict": Foreign("Ollama's API", "max_completion_tokens"),
    "max_length": Foreign(
        "Hugging Face's transformers", fix="write max_completion_tokens, which leaves out the prompt"
    ),
    "stop_sequences": Foreign("Anthropic's API", "stop"),
    "stopSequences": Foreign("Google's Gemini API", "stop"),
    "thinking_budget": Foreign("Alibaba's Model Studio API", fix=BUDGET_FIX),
    "budget_tokens": Foreign("Anthropic's API", fix=BUDGET_FIX),
    "enable_thinking": Foreign("Alibaba's Model Studio API", fix=THINKING_FIX),
    "chat_template_kwargs": Foreign("vLLM's server", fix=THINKING_FIX),
    "reasoning": Foreign("OpenAI's Responses API and of OpenRouter", fix="write reasoning_effort"),
    "system": Foreign("Anthropic's API", fix=SYSTEM_FIX),
    "instructions": Foreign("OpenAI's Responses API", fix=SYSTEM_FIX),
    "input": Foreign("OpenAI's Responses API", fix=MESSAGES_FIX),
    "prompt": Foreign("OpenAI's older Completions API", fix=MESSAGES_FIX),
    "text": Foreign("OpenAI's Responses API", fix=SCHEMA_FIX),
    "format": Foreign("Ollama's API", fix=SCHEMA_FIX),
    "response_schema": Foreign("Google's Gemini API", fix=SCHEMA_FIX),
    "guided_json": Foreign("vLLM's server", fix=SCHEMA_FIX),
    "top_k": Foreign("Anthropic's API and others", fix=SAMPLING_FIX),
    "min_p": Foreign("vLLM's server", fix=SAMPLING_FIX),
    "repetition_penalty": Foreign("Hugging Face's transformers", fix=SAMPLING_FIX),
    "cache_control": Foreign("Anthropic's API", fix="leave it out, or write prompt_cache_options"),
    "extra_body": Foreign("the OpenAI SDK, not of the body", fix="write its fields beside model and messages"),
}
"""Fields by their names. Source: the reference pages of the APIs named, read in 2026; none is in Kimi's schema of
2026-09-03 (docs, chat page)."""

KNOWN = (
    *("messages", "model", "tools", "tool_choice", "response_format", "stream", "stream_options", "stop", "logprobs"),
    *("top_logprobs", "max_completion_tokens", "max_tokens", "reasoning_effort", "thinking", "prediction", "user"),
    *("prompt_cache_key", "prompt_cache_options", "safety_identifier", "temperature", "top_p", "n"),
    *("presence_penalty", "frequency_penalty"),
    *OPENAI_ONLY,
)
"""The fields of Kimi and of OpenAI's chat API. Source: docs, chat page, 2026-09-03."""

LEAST_SIMILAR = 0.8
"""Of `difflib`, from 0 to 1: "temprature" and "temperature" have 0.95, "toolz" and "tools" 0.8."""


def foreign_names(body: Body, _: ModelFacts, *, foreign: Mapping[str, Foreign] = FOREIGN) -> Changes | None:
    """A field of another API becomes Kimi's field of the same meaning, or is left out."""
    found = [name for name in body if name in foreign and body[name] is not None]
    if not found:
        return None
    fields: dict[str, Any] = {}
    notes: list[Note] = []
    for name in found:
        known, change = foreign[name], "left out"
        fields[name] = REMOVE
        if known.field and not _is_given(known.field, body) and known.field not in fields:
            fields[known.field] = body[name]
            change = f"sent as {known.field}"
        why = f"it is a field of {known.whose}; Kimi ignores it"
        notes.append(Note("foreign_name", name, change, why, known.fix or f"write {known.field}"))
    return Changes(fields, tuple(notes))


def _is_given(field: str, body: Body) -> bool:
    """Whether the body has the field, also by its older name."""
    names = (field, "max_tokens") if field == "max_completion_tokens" else (field,)
    return any(body.get(name) is not None for name in names)


def misspelt_names(body: Body, _: ModelFacts, *, known: Collection[str] = KNOWN) -> Changes | None:
    """A note on each field whose name is close to a known one. It is sent: it may be a new field of Kimi's."""
    likely = {name: _likely_name(name, known) for name in body if name not in known and body[name] is not None}
    why = "Kimi ignores fields that it does not know"
    notes = tuple(
        Note("misspelt_name", name, "sent, without effect if it is misspelt", why, f"write {meant}")
        for name, meant in likely.items()
        if meant
    )
    return Changes({}, notes) if notes else None


def _likely_name(name: str, known: Collection[str]) -> str | None:
    """The known name that is meant, whatever its letter case and separators.

    >>> _likely_name("temprature", KNOWN), _likely_name("maxTokens", KNOWN), _likely_name("my_field", KNOWN)
    ('temperature', 'max_tokens', None)
    """
    by_letters = {each.replace("_", ""): each for each in known}
    letters = "".join(filter(str.isalnum, name.lower()))
    found = get_close_matches(letters, by_letters, n=1, cutoff=LEAST_SIMILAR)
    return by_letters[found[0]] if found else None
