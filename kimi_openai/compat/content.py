"""The rule for `content` that is a list of parts: the kinds of part that Kimi accepts, none of them empty."""

from __future__ import annotations

from operator import is_
from typing import Any

from kimi_openai._internal.json_values import as_dict, is_array
from kimi_openai._internal.secrets import shown_url

from .images import remote_url
from .rule import Message, MessageContext

__all__ = ["BREAKPOINT", "content_parts"]

BREAKPOINT = "prompt_cache_breakpoint"
"""OpenAI's mark of a part up to which the prompt is cached; a 400 in chat (docs, read in late September 2026)."""


def content_parts(message: Message, context: MessageContext) -> Message:
    """Each part in a form that Kimi accepts, and no empty text parts."""
    content = message.get("content")
    if not is_array(content):
        return message
    kept = [_accepted_part(part, f".content.{number}", context) for number, part in enumerate(content)]
    if any(map(_is_empty_text, kept)):
        why = "Kimi answers 400 'text content is empty'"
        context.note("empty_text", ".content", "sent without empty parts", why, "leave out parts without text")
        kept = [part for part in kept if not _is_empty_text(part)]
    if len(kept) == len(content) and all(map(is_, kept, content)):
        return message
    return {**message, "content": kept}


def _is_empty_text(part: Any) -> bool:
    return as_dict(part).get("type") == "text" and as_dict(part).get("text") in ("", None)


def _accepted_part(part: Any, path: str, context: MessageContext) -> Any:
    if BREAKPOINT in as_dict(part):
        if part[BREAKPOINT] is not None:
            why = "Kimi answers 400 to it; its cache finds equal beginnings itself"
            context.note(BREAKPOINT, f"{path}.{BREAKPOINT}", "left out", why, "leave it out")
        part = {name: value for name, value in part.items() if name != BREAKPOINT}
    kind = as_dict(part).get("type")
    if kind in ("image_url", "video_url"):
        _refuse_remote(part, kind.removesuffix("_url"), path, context)
    elif kind == "file":
        fix = "send its text: kimi_openai.file_message(kimi_openai.extract_text(client, path))"
        context.refuse("file_part", path, "Kimi takes no file parts and no file ids in messages", fix)
    elif kind == "input_audio":
        context.refuse("input_audio", path, "Kimi takes no audio", "send a transcript as text")
    elif kind == "refusal":
        context.note("refusal", path, "sent as text", "Kimi has no refusal", "send it as a text part")
        return {"type": "text", "text": part.get("refusal") or ""}
    return part


def _refuse_remote(part: Any, kind: str, path: str, context: MessageContext) -> None:
    """Refuses a part whose image or video is at an http(s) URL. What may be secret in the URL is not shown."""
    url = remote_url(part, f"{kind}_url")
    if url is None:
        return
    why = f"Kimi fetches nothing: 400 'unsupported {kind} url: {shown_url(url, 100)}'"
    fix = f"send kimi_openai.{kind}_part(path or bytes), or its ms:// reference from kimi_openai.upload_media"
    if kind == "image":
        fix += ", or make the client with fetch_images=True (https only)"
    context.refuse(f"remote_{kind}", path, why, fix)
