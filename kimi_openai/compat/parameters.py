"""The rules for the other parameters of a request: the token budget, what only OpenAI has, limits on values.

Each rule quotes what Kimi answers, where that is known.
"""

from __future__ import annotations

from kimi_openai._internal.json_values import as_dict, as_list
from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts

from .rule import REMOVE, Body, Changes, changed

__all__ = [
    "max_completion_tokens",
    "max_tokens",
    "openai_only",
    "prediction",
    "prompt_cache_options",
    "stop",
    "stream_options",
    "user",
]

# The token budget ----------------------------------------------------------------------------------------------------


def max_tokens(body: Body, _: ModelFacts) -> Changes | None:
    """`max_tokens` is a deprecated alias; if both are given, Kimi obeys `max_completion_tokens`."""
    asked = body.get("max_tokens")
    if asked is None:
        return None
    fix = "write max_completion_tokens (it pays for the reasoning and the answer; 16000 or more is recommended)"
    if body.get("max_completion_tokens") is not None:
        why = "Kimi obeys max_completion_tokens when both are given"
        return changed("max_tokens", {"max_tokens": REMOVE}, "left out", why, fix)
    fields = {"max_tokens": REMOVE, "max_completion_tokens": asked}
    why = "it is deprecated, with the same meaning"
    return changed("max_tokens", fields, "sent as max_completion_tokens", why, fix)


def max_completion_tokens(body: Body, model: ModelFacts) -> Changes | None:
    """A budget as large as the context leaves nothing for a prompt.

    A smaller one may be too large as well, but only the server can count the prompt.
    """
    asked, limit = body.get("max_completion_tokens"), model.context_length
    if limit is None or not isinstance(asked, int | float) or asked < limit:
        return None
    change = f"left out, so {model.default_output} holds"
    why = f"with any prompt it exceeds the context: 400 'Your request exceeded model token limit: {limit}'"
    fix = f"write less than {limit} minus the prompt (kimi_openai.estimate_tokens counts that)"
    return changed("max_completion_tokens", {"max_completion_tokens": REMOVE}, change, why, fix)


# What only OpenAI has ------------------------------------------------------------------------------------------------

UNDOCUMENTED = "it is not in Kimi's schema and its effect is not documented"

OPENAI_ONLY = {
    "seed": (UNDOCUMENTED, "leave it out; answers cannot be made to repeat"),
    "logit_bias": (UNDOCUMENTED, "leave it out; ask for the words in the prompt"),
    "store": ("Kimi stores no completions, and clients that send it report trouble", "leave it out"),
    "metadata": (UNDOCUMENTED, "keep your own record, by the id of the answer"),
    "service_tier": ("Kimi has no tiers of service; " + UNDOCUMENTED, "leave it out"),
    "parallel_tool_calls": (
        "it is not documented and one user reports timeouts with it",
        "leave it out, and answer every call of a turn",
    ),
    "modalities": ("Kimi answers with text", "leave it out"),
    "audio": ("Kimi answers with text", "leave it out"),
    "verbosity": (UNDOCUMENTED, "ask for brevity in the prompt"),
    "web_search_options": ("Kimi's web search is a tool", "use the web_search tool of the platform"),
    "prompt_cache_retention": (
        "Kimi answers 400 to it on its Responses API",
        "use prompt_cache_options, or leave it out",
    ),
    "moderation": (UNDOCUMENTED, "leave it out"),
}
"""Why each parameter is left out, and what to write. A parameter that neither API has is sent: Kimi ignores it."""


def openai_only(body: Body, _: ModelFacts) -> Changes | None:
    """Leaves out what only OpenAI has. That is safe if Kimi refuses the parameter, and if Kimi ignores it."""
    sent = [name for name in body if name in OPENAI_ONLY and body[name] is not None]
    if not sent:
        return None
    notes = tuple(Note(name, name, "left out", *OPENAI_ONLY[name]) for name in sent)
    return Changes(dict.fromkeys(sent, REMOVE), notes)


def user(body: Body, _: ModelFacts) -> Changes | None:
    """`user` has no effect on Kimi (measured); the documented parameter for it is `safety_identifier`."""
    asked = body.get("user")
    if asked is None:
        return None
    why, fix = "Kimi accepts it without effect", "write safety_identifier, a hashed id of the end user"
    if body.get("safety_identifier") is not None:
        return changed("user", {"user": REMOVE}, "left out", why, fix)
    return changed("user", {"user": REMOVE, "safety_identifier": asked}, "sent as safety_identifier", why, fix)


# Limits on values ----------------------------------------------------------------------------------------------------

MAX_STOPS = 5
MAX_STOP_BYTES = 32


def stop(body: Body, _: ModelFacts) -> Changes | None:
    """At most five stop texts of at most 32 bytes each."""
    asked = body.get("stop")
    texts = [asked] if isinstance(asked, str) else as_list(asked)
    kept = [text for text in texts if not isinstance(text, str) or len(text.encode(errors="replace")) <= MAX_STOP_BYTES]
    kept = kept[:MAX_STOPS]
    if len(kept) == len(texts):
        return None
    change = f"{len(texts) - len(kept)} of {len(texts)} left out"
    why = "Kimi takes 5 stop texts of 32 bytes: 400 'stop array too long. Expected an array with maximum length 5'"
    return changed("stop", {"stop": kept or REMOVE}, change, why, "write fewer and shorter ones")


def stream_options(body: Body, _: ModelFacts) -> Changes | None:
    """Kimi documents `include_usage` only."""
    asked = as_dict(body.get("stream_options"))
    others = [name for name in asked if name != "include_usage"]
    if not others:
        return None
    kept = {name: value for name, value in asked.items() if name == "include_usage"}
    notes = tuple(
        Note("stream_options", f"stream_options.{name}", "left out", UNDOCUMENTED, "leave it out") for name in others
    )
    return Changes({"stream_options": kept or REMOVE}, notes)


def prediction(body: Body, _: ModelFacts) -> Changes | None:
    """Kimi has one type of prediction, "content"."""
    if as_dict(body.get("prediction")).get("type", "content") == "content":
        return None
    why, fix = "Kimi knows the type 'content' only", "write type 'content'"
    return changed("prediction", {"prediction": REMOVE}, "left out", why, fix)


def prompt_cache_options(body: Body, _: ModelFacts) -> Changes | None:
    """Values for the prompt cache that Kimi does not have. The cache itself needs no option."""
    asked = as_dict(body.get("prompt_cache_options"))
    if asked.get("mode", "implicit") == "implicit" and asked.get("ttl", "5m") in ("5m", "1h"):
        return None
    change = "left out; '5m' holds"
    why = "Kimi knows mode 'implicit' and ttl '5m' or '1h' (which costs more to write)"
    return changed("prompt_cache_options", {"prompt_cache_options": REMOVE}, change, why, "write one of these")
