"""The rule for sampling parameters (`temperature`, `top_p`, `n`, penalties): Kimi accepts one value of each."""

from __future__ import annotations

from kimi_openai.errors.exceptions import Note
from kimi_openai.models.catalog import ModelFacts

from .rule import REMOVE, Body, Changes, is_thinking

__all__ = ["sampling"]


def sampling(body: Body, model: ModelFacts) -> Changes | None:
    """Leaves out each parameter whose value is not the pinned one."""
    pinned = model.sampling if is_thinking(body, model) else model.sampling_off
    refused = [name for name in pinned if body.get(name) is not None and body[name] != pinned[name]]
    if not refused:
        return None
    return Changes(dict.fromkeys(refused, REMOVE), tuple(_note(name, pinned[name]) for name in refused))


def _note(name: str, value: float) -> Note:
    why = f"Kimi answers 400 'invalid {name}: only {value:g} is allowed for this model'"
    fix = "send one request per answer, or write n=1" if name == "n" else f"leave {name} out or write {name}={value:g}"
    return Note(name, name, "left out", why, fix)
