"""The rules for top-level parameters that do not depend on thinking: the budget, what only OpenAI has, limits.

Pure. Each rule stands below its reason, and quotes what Kimi answers where that is known; `shaping` applies them.
"""

from __future__ import annotations

from .changes import GONE, Body, Changes, Row, Rule, as_dict, as_list
from .errors import Note
from .models import ModelFacts

__all__ = ["PARAMETER_RULES"]

# Budget --------------------------------------------------------------------------------------------------------------


def budget(body: Body, _: ModelFacts) -> Changes | None:
    """`max_tokens` is a deprecated alias; if both are given, `max_completion_tokens` is the one that Kimi obeys."""
    if body.get("max_tokens") is None:
        return None
    fix = "write max_completion_tokens (it pays for the reasoning and the answer; 16000 or more is recommended)"
    if body.get("max_completion_tokens") is not None:
        why = "Kimi obeys max_completion_tokens when both are given"
        return Changes({"max_tokens": GONE}, (Note("max_tokens", "max_tokens", "left out", why, fix),))
    note = Note(
        "max_tokens", "max_tokens", "sent as max_completion_tokens", "it is deprecated, with the same meaning", fix
    )
    return Changes({"max_tokens": GONE, "max_completion_tokens": body["max_tokens"]}, (note,))


def beyond_context(body: Body, known: ModelFacts) -> Changes | None:
    """A budget as large as the context leaves no room for any prompt; how much there is, only the server can count."""
    asked, most = body.get("max_completion_tokens"), known.context_length
    if most is None or not isinstance(asked, int | float) or asked < most:
        return None
    why = f"with any prompt it exceeds the context: 400 'Your request exceeded model token limit: {most}'"
    fix = f"write less than {most} minus the prompt (kimi_openai.estimate_tokens counts that)"
    change = f"left out, so {known.default_output} holds"
    note = Note("max_completion_tokens", "max_completion_tokens", change, why, fix)
    return Changes({"max_completion_tokens": GONE}, (note,))


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
"""Why each is left out, and what to write. Fields that neither API knows go through: Kimi ignores them."""


def openai_only(body: Body, _: ModelFacts) -> Changes | None:
    """Safe under both readings: if Kimi refuses the field the request is saved, if it ignores it nothing is lost."""
    sent = [name for name in body if name in OPENAI_ONLY and body[name] is not None]
    if not sent:
        return None
    return Changes(dict.fromkeys(sent, GONE), tuple(Note(name, name, "left out", *OPENAI_ONLY[name]) for name in sent))


def user(body: Body, _: ModelFacts) -> Changes | None:
    """`user` has no effect on Kimi (measured); the documented field for the same is `safety_identifier`."""
    if body.get("user") is None:
        return None
    why, fix = "Kimi accepts it without effect", "write safety_identifier, a hashed id of the end user"
    if body.get("safety_identifier") is not None:
        return Changes({"user": GONE}, (Note("user", "user", "left out", why, fix),))
    note = Note("user", "user", "sent as safety_identifier", why, fix)
    return Changes({"user": GONE, "safety_identifier": body["user"]}, (note,))


# Values that go beyond what is taken ---------------------------------------------------------------------------------

MAX_STOPS = 5
MAX_STOP_BYTES = 32


def stop(body: Body, _: ModelFacts) -> Changes | None:
    """At most five stop texts of at most 32 bytes."""
    asked = body.get("stop")
    texts = [asked] if isinstance(asked, str) else as_list(asked)
    kept = [text for text in texts if not isinstance(text, str) or len(text.encode(errors="replace")) <= MAX_STOP_BYTES]
    kept = kept[:MAX_STOPS]
    if len(kept) == len(texts):
        return None
    why = "Kimi takes 5 stop texts of 32 bytes: 400 'stop array too long. Expected an array with maximum length 5'"
    note = Note(
        "stop", "stop", f"{len(texts) - len(kept)} of {len(texts)} left out", why, "write fewer and shorter ones"
    )
    return Changes({"stop": kept or GONE}, (note,))


def stream_options(body: Body, _: ModelFacts) -> Changes | None:
    """`include_usage` is all that Kimi documents."""
    asked = as_dict(body.get("stream_options"))
    strange = [name for name in asked if name != "include_usage"]
    if not strange:
        return None
    kept = {name: value for name, value in asked.items() if name == "include_usage"}
    notes = tuple(
        Note("stream_options", f"stream_options.{name}", "left out", UNDOCUMENTED, "leave it out") for name in strange
    )
    return Changes({"stream_options": kept or GONE}, notes)


def prediction(body: Body, _: ModelFacts) -> Changes | None:
    """Of the types of prediction Kimi has "content"."""
    if as_dict(body.get("prediction")).get("type", "content") == "content":
        return None
    note = Note("prediction", "prediction", "left out", "Kimi knows the type 'content' only", "write type 'content'")
    return Changes({"prediction": GONE}, (note,))


def cache_options(body: Body, _: ModelFacts) -> Changes | None:
    """OpenAI's words for the prompt cache that Kimi does not have; caching itself needs no option."""
    asked = as_dict(body.get("prompt_cache_options"))
    if asked.get("mode", "implicit") == "implicit" and asked.get("ttl", "5m") in ("5m", "1h"):
        return None
    why = "Kimi knows mode 'implicit' and ttl '5m' or '1h' (which costs more to write)"
    note = Note("prompt_cache_options", "prompt_cache_options", "left out; '5m' holds", why, "write one of these")
    return Changes({"prompt_cache_options": GONE}, (note,))


def _left_out(fix: str) -> str:
    advice = fix.removeprefix("leave it out").lstrip(",; ").removeprefix("and ")
    return f"left out ({advice})" if advice else "left out"


PARAMETER_RULES = (
    Rule(
        budget,
        (
            Row(
                "`max_tokens=500`",
                "works, deprecated; it pays for the reasoning too",
                "sent as `max_completion_tokens`; given both, that one is kept",
            ),
        ),
    ),
    Rule(
        beyond_context,
        (
            Row(
                "`max_completion_tokens=300000` to K2 (context 262144)",
                "400 `Your request exceeded model token limit: 262144 ...`",
                "left out, so the model's default holds",
            ),
        ),
    ),
    Rule(user, (Row('`user="..."`', "accepted, without effect", "sent as `safety_identifier`"),)),
    Rule(
        openai_only,
        tuple(Row(f"`{name}=...`", why, _left_out(fix)) for name, (why, fix) in OPENAI_ONLY.items()),
    ),
    Rule(
        stop,
        (
            Row(
                "`stop` with more than 5 texts, or one over 32 bytes",
                "400 `stop array too long ...`",
                "the rest is sent",
            ),
        ),
    ),
    Rule(
        stream_options,
        (Row("`stream_options` beside `include_usage`", "not in the schema", "only `include_usage` is sent"),),
    ),
    Rule(prediction, (Row("`prediction` of another type", "knows `content`", "left out"),)),
    Rule(
        cache_options,
        (Row('`prompt_cache_options={"ttl": "30m"}`', "knows `5m` and `1h`, mode `implicit`", "left out"),),
    ),
)
