"""The rules for fields of a Responses request whose names belong to other APIs, and for names that look misspelt.

As `compat.spelling` for chat completions: Kimi ignores fields that it does not know (live requests, 2026-09-03).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from kimi_openai.compat.rule import Rule
from kimi_openai.compat.spelling import Foreign, foreign_names, misspelt_names

from .parameters import OPENAI_ONLY

__all__ = ["FOREIGN_NAMES", "MISSPELT_NAMES"]

CHAT = "OpenAI's chat completions"
EFFORT_FIX = 'write reasoning={"effort": ...}'
FORMAT_FIX = 'write text={"format": ...}'

FOREIGN: Mapping[str, Foreign] = {
    "max_completion_tokens": Foreign(CHAT, "max_output_tokens"),
    "max_tokens": Foreign(CHAT, "max_output_tokens"),
    "maxOutputTokens": Foreign("Google's Gemini API", "max_output_tokens"),
    "max_new_tokens": Foreign("Hugging Face's transformers", "max_output_tokens"),
    "messages": Foreign(CHAT, fix="write input"),
    "system": Foreign("Anthropic's API", fix="write instructions"),
    "response_format": Foreign(CHAT, fix=FORMAT_FIX),
    "response_schema": Foreign("Google's Gemini API", fix=FORMAT_FIX),
    "functions": Foreign(CHAT, fix="write tools"),
    "function_call": Foreign(CHAT, fix="offer only that function"),
    "stop": Foreign(CHAT, fix="leave it out: this API has no stop texts"),
    "stop_sequences": Foreign("Anthropic's API", fix="leave it out: this API has no stop texts"),
    "seed": Foreign(CHAT, fix="leave it out; answers cannot be made to repeat"),
    "logit_bias": Foreign(CHAT, fix="leave it out; ask for the words in the input"),
    "logprobs": Foreign(CHAT, fix="leave it out: this API has no log probabilities"),
    "prediction": Foreign(CHAT, fix="leave it out, or use client.chat.completions"),
    "thinking_budget": Foreign("Alibaba's Model Studio API", fix=EFFORT_FIX),
    "budget_tokens": Foreign("Anthropic's API", fix=EFFORT_FIX),
    "enable_thinking": Foreign("Alibaba's Model Studio API", fix=EFFORT_FIX),
    "top_k": Foreign("Anthropic's API and others", fix="leave it out: Kimi's sampling is fixed"),
    "extra_body": Foreign("the OpenAI SDK, not of the body", fix="write its fields beside model and input"),
}
"""Fields by their names. Source: the reference pages of the APIs named, read in 2026; none is in Kimi's schema of
2026-09-03 (docs, Responses page)."""

KNOWN = (
    *("model", "input", "instructions", "stream", "include", "max_output_tokens", "reasoning", "text", "tools"),
    *("tool_choice", "prompt_cache_key", "prompt_cache_options", "safety_identifier", "user", "prompt"),
    *("previous_response_id", "conversation", "temperature", "top_p", "n", "presence_penalty", "frequency_penalty"),
    *OPENAI_ONLY,
)
"""The fields of Kimi and of OpenAI's Responses API."""

FOREIGN_NAMES = Rule(partial(foreign_names, foreign=FOREIGN))
MISSPELT_NAMES = Rule(partial(misspelt_names, known=KNOWN))
