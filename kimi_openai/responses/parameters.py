"""The rules for the parameters of a Responses request: what only OpenAI has, effort, sampling, format, limits.

Each rule quotes what Kimi answers, where that is known. Source of the accepted fields and of the texts: platform docs,
Responses page, and live requests, both 2026-09-03.
"""

from __future__ import annotations

from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_object
from kimi_openai.compat.rule import REMOVE, Body, Changes, Renamed, changed, fatal
from kimi_openai.compat.schemas import convert_schema
from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts
from kimi_openai.models.reasoning import nearest_effort

__all__ = [
    "face",
    "include",
    "max_output_tokens",
    "nulls",
    "openai_only",
    "prompt_template",
    "reasoning",
    "text_format",
    "user",
]


def nulls(body: Body, _: ModelFacts) -> Changes | None:
    """A null is what the SDK's objects have where nothing was set."""
    found = [name for name, value in body.items() if value is None]
    return Changes(dict.fromkeys(found, REMOVE)) if found else None


def face(_: Body, model: ModelFacts) -> Changes | None:
    """A model that the platform does not offer here."""
    if model.responses is not False:
        return None
    why = "the platform documents its Responses API for the K3 family only"
    fix = "use client.chat.completions with this model, or write model='kimi-k3'"
    return Changes(notes=(fatal("responses", "model", why, fix),))


STATELESS = "Kimi's Responses API is stateless"
UNDOCUMENTED = "it is not in Kimi's schema and its effect is not documented"

OPENAI_ONLY: dict[str, tuple[tuple[object, ...], str, str]] = {
    "access_programs": ((), UNDOCUMENTED, "leave it out"),
    "background": (
        (False,),
        f"{STATELESS}: the call returns the finished response",
        "leave it out, or use stream=True",
    ),
    "background_options": ((), f"{STATELESS}: the call returns the finished response", "leave it out"),
    "context_management": (([],), UNDOCUMENTED, "shorten the input yourself"),
    "image": ((), "Kimi answers with text", "leave it out"),
    "max_tool_calls": ((), UNDOCUMENTED, "count the calls in your own loop"),
    "metadata": (({},), UNDOCUMENTED, "keep your own record, by the id of the response"),
    "moderation": ((), UNDOCUMENTED, "leave it out"),
    "parallel_tool_calls": ((True,), "Kimi always answers with true", "answer every call of a turn"),
    "prompt_cache_retention": (
        (),
        "Kimi answers 400 'prompt_cache_retention is not supported'",
        "leave it out; the cache needs no option",
    ),
    "service_tier": (("auto", "default"), "Kimi has no tiers of service", "leave it out"),
    "store": (
        (False,),
        f"{STATELESS}: this client remembers the response itself",
        "leave it out; create_client(response_memory=...) keeps responses in a file",
    ),
    "stream_options": (({},), UNDOCUMENTED, "leave it out; the usage comes with response.completed"),
    "top_logprobs": ((0,), "Kimi has no log probabilities here", "leave it out"),
    "truncation": (("disabled",), "Kimi always answers with 'disabled'", "shorten the input yourself"),
    "verbosity": ((), UNDOCUMENTED, "ask for brevity in the prompt"),
}
"""What each parameter may say without a loss, why it is left out, and what to write instead."""


def openai_only(body: Body, _: ModelFacts) -> Changes | None:
    """Leaves out what only OpenAI has. That is safe if Kimi refuses the parameter, and if Kimi ignores it."""
    sent = [name for name in body if name in OPENAI_ONLY]
    if not sent:
        return None
    lost = [name for name in sent if body[name] not in OPENAI_ONLY[name][0]]
    notes = tuple(Note(name, name, "left out", *OPENAI_ONLY[name][1:]) for name in lost)
    return Changes(dict.fromkeys(sent, REMOVE), notes)


def prompt_template(body: Body, _: ModelFacts) -> Changes | None:
    """`prompt` names a template that is stored at OpenAI."""
    if "prompt" not in body:
        return None
    why, fix = "Kimi stores no prompt templates", "write the text into instructions and input"
    return Changes(notes=(fatal("prompt", "prompt", why, fix),))


def user(body: Body, _: ModelFacts) -> Changes | None:
    """The documented parameter for the end user is `safety_identifier`."""
    asked = body.get("user")
    if asked is None:
        return None
    why, fix = "it is not in Kimi's schema", "write safety_identifier, a hashed id of the end user"
    if "safety_identifier" in body:
        return changed("user", {"user": REMOVE}, "left out", why, fix)
    return changed("user", {"user": REMOVE, "safety_identifier": asked}, "sent as safety_identifier", why, fix)


INCLUDABLE = ("web_search_call.action.sources", "web_search_call.results")


def include(body: Body, _: ModelFacts) -> Changes | None:
    """Kimi can include two things of a web search, and nothing else."""
    asked = body.get("include")
    kept = [name for name in as_list(asked) if name in INCLUDABLE]
    if "include" not in body or (kept and kept == asked):
        return None
    fix = f"write some of {', '.join(INCLUDABLE)}, or leave it out"
    lost = [name for name in as_list(asked) if name not in INCLUDABLE]
    notes = tuple(Note("include", "include", f"{name} left out", "Kimi does not have it", fix) for name in lost)
    return Changes({"include": kept or REMOVE}, notes)


def reasoning(body: Body, model: ModelFacts) -> Changes | None:
    """OpenAI's effort words become the nearest of the model's. `reasoning_effort` and `thinking`, which are of chat
    completions, count where `reasoning` says nothing."""
    asked = as_dict(body.get("reasoning"))
    kept = {name: value for name, value in asked.items() if value is not None}
    notes: list[Note] = []
    fields: dict[str, Any] = {}
    where = "reasoning.effort"
    for name in ("reasoning_effort", "thinking"):
        if name in body:
            fields[name] = REMOVE
            word = _word_of_chat(body[name], model)
            if word and "effort" not in kept:
                kept["effort"], where = word, name
            why, fix = "the Responses API does not have it", 'write reasoning={"effort": ...}'
            notes.append(Note(name, name, f"sent as reasoning.effort={kept.get('effort')!r}", why, fix))
    word = kept.get("effort")
    level = nearest_effort(model, word) if isinstance(word, str) else None
    if "effort" in kept and level != word:
        kept.pop("effort")
        notes.append(_effort_note(model, where, str(word), level))
        if level:
            kept["effort"] = level
    if kept != body.get("reasoning", {}) or fields:
        fields["reasoning"] = kept or REMOVE
    return Changes(fields, tuple(notes)) if fields or notes else None


def _word_of_chat(value: Any, model: ModelFacts) -> Any:
    wish = as_dict(value)
    return wish.get("effort") or (model.efforts[0] if wish.get("type") == "disabled" else None) if wish else value


def _effort_note(model: ModelFacts, where: str, word: str, level: str | None) -> Note:
    levels = ", ".join(model.efforts)
    change = f"sent as {level!r}" if level else f"left out, so {model.default_effort!r} holds"
    why = f"Kimi answers 400 'reasoning.effort value \"{word}\" is not supported' or does not document the word"
    return Note("reasoning_effort", where, change, why, f"write one of {levels}")


def text_format(body: Body, _: ModelFacts) -> Changes | None:
    """`text.format`: schemas in Kimi's dialect; JSON mode, which Kimi does not have; nothing beside a forced call."""
    text = body.get("text")
    asked = as_dict(as_dict(text).get("format"))
    if not is_object(text) or "format" not in text:
        return None
    rest = {name: value for name, value in text.items() if name != "format" and value is not None}
    kind = asked.get("type", "text")
    choice = as_dict(body.get("tool_choice"))
    if kind == "json_schema" and choice and choice.get("type") != "allowed_tools":
        why, fix = "the answer would be text in that format instead of the call", "ask for one of the two"
        return _without_format(rest, "left out, because a tool is chosen", why, fix)
    if kind == "json_schema":
        return _with_schema(text, asked)
    if kind == "text":
        return Changes({"text": rest or REMOVE})
    why = f"Kimi answers 400 'text.format: unsupported type \"{kind}\"'"
    fix = "write a json_schema format, or ask for JSON in the prompt"
    return _without_format(rest, "left out", why, fix)


def _without_format(rest: Body, change: str, why: str, fix: str) -> Changes:
    return Changes({"text": rest or REMOVE}, (Note("text_format", "text.format", change, why, fix),))


def _with_schema(text: Body, asked: Body) -> Changes | None:
    notes: list[Note] = []
    kept, names = {name: value for name, value in asked.items() if value is not None}, None
    if is_object(kept.get("schema")):
        kept["schema"], names = convert_schema(kept["schema"], "text.format.schema", notes)
    fields = {} if kept == asked else {"text": {**text, "format": kept}}
    renamed = () if names is None else (Renamed("text.format.schema", None, names),)
    return Changes(fields, tuple(notes), renamed)


MOST_OUTPUT = 1_048_576


def max_output_tokens(body: Body, _: ModelFacts) -> Changes | None:
    """A budget beyond the documented maximum."""
    asked = body.get("max_output_tokens")
    if not isinstance(asked, int | float) or asked <= MOST_OUTPUT:
        return None
    fields = {"max_output_tokens": REMOVE}
    why, fix = f"the documented maximum is {MOST_OUTPUT}", "write less; 131072 is the default"
    return changed("max_output_tokens", fields, "left out, so 131072 holds", why, fix)
