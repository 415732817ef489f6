"""The rule for `model`: aliases of the caller, and successors of retired models."""

from __future__ import annotations

from collections.abc import Mapping

from kimi_openai.models.catalog import successor

from .rule import Body, Changes, changed

__all__ = ["model_name"]


def model_name(body: Body, aliases: Mapping[str, str]) -> Changes | None:
    """The id that an alias stands for, and the successor of a retired id. Only the second is noted.

    An alias may lead to another alias or to a retired id. Aliases in a circle change nothing.
    """
    asked = body.get("model")
    if not isinstance(asked, str):
        return None
    model, retired, seen = asked, "", {asked}
    while following := aliases.get(model) or successor(model):
        if following in seen:
            return None
        retired = retired if model in aliases else model
        model = following
        seen.add(model)
    if not retired:
        return None if model == asked else Changes({"model": model})
    why = f"{retired} is retired: Kimi answers 404 'Not found the model {retired} or Permission denied'"
    fix = f"write model={model!r}, or another current id"
    return changed("model", {"model": model}, f"sent as {model!r}", why, fix)
