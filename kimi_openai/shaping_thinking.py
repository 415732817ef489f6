"""The rules for what hangs together with thinking: thinking itself, effort, forced tool choice, pinned sampling.

Pure. They apply in the order of the table below: a forced tool choice may switch thinking off on a model that can, and
that moves the pinned temperature.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from typing import Any

from .changes import GONE, Body, Changes, Row, Rule, as_dict, as_list, is_object, thinks
from .errors import Note
from .models import ModelFacts, ToolChoice
from .steering import nearest_effort

__all__ = ["THINKING_RULES"]

# Effort and thinking -------------------------------------------------------------------------------------------------

OFF_WORDS = ("none", "off", "disabled")


def effort(body: Body, known: ModelFacts) -> Changes | None:
    """OpenAI's words become the model's; a model without levels gets none, one that can be switched off is."""
    asked = body.get("reasoning_effort")
    word = asked.get("effort") if is_object(asked) else asked
    if asked is None or (not isinstance(word, str) and word is asked):
        return None
    if not known.efforts:
        return _effort_without_levels(body, known, word)
    level = nearest_effort(known, word) if isinstance(word, str) else None
    if level == asked:
        return None
    levels = ", ".join(known.efforts)
    why = f"the model knows {levels}, and what it does with another value is not documented"
    change = f"sent as {level!r}" if level else f"left out, so {known.default_effort!r} holds"
    if word in OFF_WORDS:
        why = f"the model is documented as always thinking; it knows {levels}"
    note = Note("reasoning_effort", "reasoning_effort", change, why, f"write one of {levels}")
    return Changes({"reasoning_effort": level or GONE}, (note,))


def _effort_without_levels(body: Body, known: ModelFacts, word: object) -> Changes:
    fields: dict[str, Any] = {"reasoning_effort": GONE}
    change, why = "left out", "the model has no effort levels: any word is without effect, and 'none' is a 400"
    fix = "leave reasoning_effort out"
    if word in OFF_WORDS and known.thinking == "switchable" and body.get("thinking") is None:
        fields["thinking"] = {"type": "disabled"}
        change, fix = "sent as thinking disabled", 'write extra_body={"thinking": {"type": "disabled"}}'
    return Changes(fields, (Note("reasoning_effort", "reasoning_effort", change, why, fix),))


def thinking(body: Body, known: ModelFacts) -> Changes | None:
    """`thinking` on models that have it, in the form that they take; elsewhere it becomes an effort or goes."""
    wish = body.get("thinking")
    if isinstance(wish, bool):
        wish = {"type": "enabled" if wish else "disabled"}
    if not is_object(wish):
        return None
    if known.control == "reasoning_effort":
        return _thinking_as_effort(body, wish, known)
    if wish.get("type") == "disabled" and known.thinking == "always":
        why = "the model always thinks: 400 'invalid thinking: only type=enabled is allowed for this model'"
        fix = "leave thinking out, or take a model that can be switched off"
        return Changes({"thinking": GONE}, (Note("thinking", "thinking", "left out; it thinks", why, fix),))
    clean = dict(_accepted_thinking(wish, known))
    if clean == body["thinking"]:
        return None
    change = f"sent as {clean}" if clean else "left out"
    why = "Kimi takes an object of type (enabled, disabled) and keep ('all' or null), and nothing else"
    note = Note("thinking", "thinking", change, why, "use kimi_openai.thinking(...) for extra_body")
    return Changes({"thinking": clean or GONE}, (note,))


def _accepted_thinking(wish: Body, known: ModelFacts) -> Iterator[tuple[str, Any]]:
    if wish.get("type") in ("enabled", "disabled"):
        yield "type", wish["type"]
        if "keep" in wish and wish["keep"] in known.keeps:
            yield "keep", wish["keep"]


def _thinking_as_effort(body: Body, wish: Body, known: ModelFacts) -> Changes:
    fields: dict[str, Any] = {"thinking": GONE}
    change, why = "left out", "the model always thinks and is steered by reasoning_effort only"
    if body.get("reasoning_effort") is None:
        word = wish.get("effort")
        level = nearest_effort(known, word) if isinstance(word, str) else None
        if wish.get("type") == "disabled":
            level, why = known.efforts[0], "the model is documented as always thinking"
        if level:
            fields["reasoning_effort"] = level
            change = f"sent as reasoning_effort={level!r}"
    fix = f"write reasoning_effort, one of {', '.join(known.efforts)}"
    return Changes(fields, (Note("thinking", "thinking", change, why, fix),))


# Tool choice ----------------------------------------------------------------------------------------------------------

INCOMPATIBLE = "Kimi answers 400 \"tool_choice '{}' is incompatible with thinking enabled\""


def allowed_tools(body: Body, _: ModelFacts) -> Changes | None:
    """OpenAI's list of allowed tools: only those are offered, and its mode is the choice."""
    asked = as_dict(body.get("tool_choice"))
    allowed = as_dict(asked.get("allowed_tools"))
    if asked.get("type") != "allowed_tools" or not allowed:
        return None
    names = [_name(tool) for tool in as_list(allowed.get("tools"))]
    mode = "required" if allowed.get("mode") == "required" else "auto"
    why = "Kimi has no list of allowed tools in tool_choice"
    fix = f"offer only those in tools, with tool_choice={mode!r}"
    note = Note("tool_choice", "tool_choice", f"only the allowed tools are offered, with {mode!r}", why, fix)
    return Changes({"tools": _named(body, names) or GONE, "tool_choice": mode}, (note,))


def tool_choice(body: Body, known: ModelFacts) -> Changes | None:
    """A forced call against thinking: off where thinking can be, else `required`, else `auto`; a named function is then
    the only one offered, which keeps its meaning as far as the model goes."""
    asked = body.get("tool_choice")
    kind = _kind(asked)
    if kind is None or kind in (known.tool_choices if thinks(body, known) else known.tool_choices_off):
        return None
    why = INCOMPATIBLE.format("specified" if kind == "named" else kind)
    if known.thinking == "switchable" and kind in known.tool_choices_off:
        fix = 'write extra_body={"thinking": {"type": "disabled"}} on such a request'
        note = Note("tool_choice", "thinking", "disabled for this request", why, fix)
        return Changes({"thinking": {"type": "disabled"}}, (note,))
    choice = "required" if kind == "named" and "required" in known.tool_choices else "auto"
    fields: dict[str, Any] = {"tool_choice": choice}
    change = f"sent as {choice!r}" + ("; the model may answer without a call" if choice == "auto" else "")
    fix = f"write tool_choice={choice!r}"
    if kind == "named" and (only := _named(body, [_name(asked)])):
        fields["tools"] = only
        change += ", with only that tool offered"
        fix += " and only that tool in tools"
    elif kind == "named":
        change += "; no tool of that name is in tools, so which one is called is open"
    return Changes(fields, (Note("tool_choice", "tool_choice", change, why, fix),))


def _kind(choice: object) -> ToolChoice | None:
    if isinstance(choice, str):
        return next((kind for kind in ("auto", "none", "required") if kind == choice), None)
    return "named" if isinstance(_name(choice), str) else None


def _name(tool: object) -> Any:
    return as_dict(as_dict(tool).get("function")).get("name")


def _named(body: Body, names: Container[Any]) -> list[Any]:
    """The tools of these names."""
    return [tool for tool in as_list(body.get("tools")) if _name(tool) in names]


# Sampling ------------------------------------------------------------------------------------------------------------


def sampling(body: Body, known: ModelFacts) -> Changes | None:
    """Pinned parameters with another value; the pinned value itself is accepted and stays."""
    pins = known.sampling if thinks(body, known) else known.sampling_off
    moved = [name for name in pins if body.get(name) is not None and body[name] != pins[name]]
    if not moved:
        return None
    return Changes(dict.fromkeys(moved, GONE), tuple(_pinned(name, pins[name]) for name in moved))


def _pinned(name: str, pin: float) -> Note:
    why = f"Kimi answers 400 'invalid {name}: only {pin:g} is allowed for this model'"
    fix = "ask once for each answer, or write n=1" if name == "n" else f"leave {name} out or write {name}={pin:g}"
    return Note(name, name, "left out", why, fix)


THINKING_RULES = (
    Rule(
        effort,
        (
            Row(
                '`reasoning_effort="none"`, `"minimal"`, `"medium"`, `"xhigh"`',
                "K3 knows `low`, `high`, `max`; K2 has no levels and answers 400 to `none`",
                "K3: `low`, `low`, `high`, `max`; K2: left out (K2.6, `none`: thinking disabled)",
            ),
        ),
    ),
    Rule(
        thinking,
        (
            Row(
                "`thinking` disabled (`extra_body`)",
                "K3 and K2.7 always think (K2.7: 400 `invalid thinking: only type=enabled is allowed for this model`)",
                'K3: `reasoning_effort="low"`; K2.7: left out; K2.6 can',
            ),
            Row("`thinking` and `reasoning_effort` together", "has one of them per model", "that one is sent"),
        ),
    ),
    Rule(
        allowed_tools,
        (Row('`tool_choice={"type": "allowed_tools", ...}`', "has no such choice", "only those tools are offered"),),
        every_model=True,
    ),
    Rule(
        tool_choice,
        (
            Row(
                '`tool_choice="required"`',
                "K2: 400 `tool_choice 'required' is incompatible with thinking enabled`",
                "K3: sent; K2.6: thinking disabled for the request; K2.7: `auto`",
            ),
            Row(
                '`tool_choice={"type": "function", ...}`',
                "400 `tool_choice 'specified' is incompatible with thinking enabled`",
                "only that tool is offered, K3 with `required`, K2.7 with `auto`; K2.6: thinking disabled instead",
            ),
        ),
    ),
    Rule(
        sampling,
        (
            Row(
                "`temperature=0.2`, `top_p`, `presence_penalty`, `frequency_penalty`",
                "400 `invalid temperature: only 1 is allowed for this model`",
                "left out; the pinned value itself is sent",
            ),
            Row("`n=3`", "400 `invalid n: only 1 is allowed for this model`", "left out: one answer comes back"),
        ),
    ),
)
