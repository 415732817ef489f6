"""The rules for content parts of a Responses request, and the images behind URLs in them."""

from __future__ import annotations

from collections.abc import Iterator
from operator import is_
from typing import Any

from kimi_openai._internal.json_values import as_dict, as_list, is_object
from kimi_openai._internal.secrets import shown_url
from kimi_openai.compat.content import BREAKPOINT
from kimi_openai.compat.rule import Body

from .context import ItemContext

__all__ = ["accepted_parts", "remote_images", "with_images"]

LISTS = ("content", "output")
"""Where an item has parts."""


def accepted_parts(parts: list[Any], where: str, context: ItemContext) -> list[Any]:
    """The parts in the form that Kimi accepts and without empty texts, the same list if none needs a change."""
    accepted = [_accepted_part(part, f"{where}.{number}", context) for number, part in enumerate(parts)]
    if any(map(_is_empty_text, accepted)):
        why = "Kimi's chat answers 400 'text content is empty'"
        context.note("empty_text", where, "sent without empty parts", why, "leave out parts without text")
        return [part for part in accepted if not _is_empty_text(part)]
    return parts if all(map(is_, accepted, parts)) else accepted


def _is_empty_text(part: Any) -> bool:
    return as_dict(part).get("type") in ("input_text", "output_text") and not as_dict(part).get("text")


def _accepted_part(part: Any, where: str, context: ItemContext) -> Any:
    if not is_object(part):
        return part
    kept = {name: value for name, value in part.items() if value is not None and name != "parsed"}
    if kept.pop(BREAKPOINT, None) is not None:
        why = "Kimi's chat answers 400 to it; its cache finds equal beginnings itself"
        context.note(BREAKPOINT, f"{where}.{BREAKPOINT}", "left out", why, "leave it out")
    kind = kept.get("type")
    if kind == "input_image":
        _check_image(kept, where, context)
    elif kind == "input_file":
        fix = "send its text as input_text: kimi_openai.extract_text(client, path)"
        context.refuse("input_file", where, "Kimi answers 400 'unknown content part type'", fix)
    elif kind == "input_audio":
        context.refuse("input_audio", where, "Kimi takes no audio", "send a transcript as text")
    elif kind == "refusal":
        context.note("refusal", where, "sent as output_text", "Kimi has no refusal", "send it as an output_text part")
        kept = {"type": "output_text", "text": kept.get("refusal") or ""}
    return part if kept == part else kept


def _check_image(part: Body, where: str, context: ItemContext) -> None:
    """Refuses an image that is not in the request itself. What may be secret in its URL is not shown."""
    url = part.get("image_url")
    if isinstance(url, str) and _is_remote(url):
        why = f"Kimi fetches nothing: {shown_url(url, 100)}"
        fix = "send a data URL, or make the client with fetch_images=True (https only)"
        context.refuse("remote_image", where, why, fix)
    elif url is None and part.get("file_id") is not None:
        fix = "send a data URL in image_url"
        context.refuse("remote_image", where, "Kimi's images have no file_id", fix)


def _is_remote(url: str) -> bool:
    return url[:8].lower().startswith(("http://", "https://"))


def _remote_url(part: Any) -> str:
    """The http(s) URL of an image part, "" for any other part."""
    url = as_dict(part).get("image_url") if as_dict(part).get("type") == "input_image" else None
    return url if isinstance(url, str) and _is_remote(url) else ""


def remote_images(items: object) -> Iterator[tuple[str, str]]:
    """The place and the URL of each image behind an http(s) URL."""
    for index, item in enumerate(as_list(items)):
        for name in LISTS:
            for number, part in enumerate(as_list(as_dict(item).get(name))):
                if url := _remote_url(part):
                    yield f"input.{index}.{name}.{number}", url


def with_images(items: list[Any], images: Body) -> list[Any]:
    """The items with the images for their URLs."""
    return [_with_images(item, images) for item in items]


def _with_images(item: Any, images: Body) -> Any:
    changed: dict[str, Any] = {}
    for name in LISTS:
        parts = as_list(as_dict(item).get(name))
        if any(map(_remote_url, parts)):
            changed[name] = [
                {**part, "image_url": images[url]} if (url := _remote_url(part)) else part for part in parts
            ]
    return {**item, **changed} if changed else item
