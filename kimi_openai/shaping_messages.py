"""The rules for messages: roles, replayed and empty messages, parts.

Pure. `messages` walks the list once; a message that needs nothing is passed on as the same object, most of them after
one look. `STEPS` says what a message of each role goes through; tool calls are in `shaping_calls`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import is_
from typing import Any

from pydantic import BaseModel

from .changes import Body, Changes, Row, Rule, as_dict, as_list, is_array, is_dict, is_object, thinks
from .messages import replay_message
from .models import ModelFacts
from .shaping_calls import CALL_ROWS, Scene, calls, legacy_answer, legacy_call, reasoning, result, unpaired
from .shaping_tools import brings_tools, shaped_tools

__all__ = ["MESSAGE_RULES"]

Message = dict[str, Any]


def messages(body: Body, known: ModelFacts) -> Changes | None:
    """The messages as Kimi takes them."""
    given = body.get("messages")
    if not is_array(given):
        return None
    scene = Scene(known, thinks(body, known))
    shaped: list[Any] = []
    places: list[int] = []
    for place, message in enumerate(given):
        clean = message
        if not _is_plain(message):
            scene.place = place
            clean = _shaped(message, scene)
        if clean is not None:
            shaped.append(clean)
            places.append(place)
    if scene.tools_used:
        scene.notes += unpaired(shaped, places)
    same = len(shaped) == len(given) and all(map(is_, shaped, given))
    if same and not scene.notes:
        return None
    return Changes({} if same else {"messages": shaped}, tuple(scene.notes))


def _is_plain(message: Any) -> bool:
    """A role and a text, as most messages are: nothing to do."""
    return (
        is_dict(message)
        and len(message) == 2
        and type(text := message.get("content")) is str
        and text != ""
        and message.get("role") in ("user", "assistant", "system")
    )


def _shaped(message: Any, scene: Scene) -> Any:
    """The message after its steps, `None` if it is left out; what is no message passes, and Kimi says so."""
    message = _replayed(message)
    role = message.get("role") if is_dict(message) else None
    for step in STEPS.get(role, ()) if isinstance(role, str) else ():
        message = step(message, scene)
        if message is None:
            return None
    return message


def _replayed(message: Any) -> Any:
    """SDK objects as dicts, and dicts without nulls and what only the SDK knows: no note, as nothing is lost."""
    if is_dict(message) and not _has_leftovers(message):
        return message
    made: Any = as_dict(message).get("tool_calls") or []
    if not is_array(made) or not all(isinstance(call, Mapping | BaseModel) for call in made):
        return message
    try:
        return replay_message(message)
    except TypeError:
        return message


def _has_leftovers(message: Message) -> bool:
    if None in message.values() or "parsed" in message:
        return True
    made = message.get("tool_calls")
    return made is not None and (not made or any(map(_call_has_leftovers, as_list(made))))


def _call_has_leftovers(call: Any) -> bool:
    if not is_dict(call):
        return True
    function = as_dict(call.get("function"))
    return "index" in call or "parsed_arguments" in function or None in call.values() or None in function.values()


def developer(message: Message, scene: Scene) -> Message:
    """OpenAI's newer word for system."""
    why = "Kimi does not know it: 400 'ROLE_UNSPECIFIED' or 'tokenization failed'"
    scene.note("developer", ".role", "sent as 'system'", why, "write role 'system'")
    return {**message, "role": "system"}


OPENAI_ANSWER = {
    "refusal": "send it as content",
    "audio": "send the transcript as content",
    "annotations": "say in the content what is to be kept of them",
}
"""What a message of OpenAI's answers may hold and one of Kimi's does not, and what to do about it."""


def openai_answer(message: Message, scene: Scene) -> Message:
    """Without what only OpenAI's answers hold; a refusal is content if there is no other."""
    if OPENAI_ANSWER.keys().isdisjoint(message):
        return message
    kept = {key: value for key, value in message.items() if key not in OPENAI_ANSWER}
    for key, fix in OPENAI_ANSWER.items():
        if not message.get(key):
            continue
        is_content = key == "refusal" and not message.get("content")
        change = "sent as content" if is_content else "left out"
        scene.note(key, f".{key}", change, f"Kimi has no {key}", fix)
        if is_content:
            kept["content"] = message[key]
    return kept


def dynamic_tools(message: Message, scene: Scene) -> Message | None:
    """Tools that a system message brings are tools; where the model takes none in messages, they have been moved."""
    if not brings_tools(message):
        return message
    if scene.known.dynamic_tools is False:
        return {key: value for key, value in message.items() if key != "tools"} if message.get("content") else None
    tools, notes = shaped_tools(message["tools"], f"messages.{scene.place}.tools")
    scene.notes += notes
    return message if tools is message["tools"] else {**message, "tools": tools}


def parts(message: Message, scene: Scene) -> Message:
    """Parts of a kind that Kimi takes, with something in them."""
    content = message.get("content")
    if not is_array(content):
        return message
    kept = [_part(part, f".content.{number}", scene) for number, part in enumerate(content)]
    if message.get("role") == "assistant" and any(map(_is_empty_text, kept)):
        why = "Kimi answers 400 'text content is empty'"
        scene.note("empty_text", ".content", "sent without empty parts", why, "leave out parts without text")
        kept = [part for part in kept if not _is_empty_text(part)]
    if len(kept) == len(content) and all(map(is_, kept, content)):
        return message
    return {**message, "content": kept}


def _is_empty_text(part: Any) -> bool:
    return as_dict(part).get("type") == "text" and as_dict(part).get("text") == ""


def _part(part: Any, path: str, scene: Scene) -> Any:
    kind = as_dict(part).get("type")
    if kind in ("image_url", "video_url"):
        _refuse_remote(part.get(kind), kind.removesuffix("_url"), path, scene)
    elif kind == "file":
        fix = "send its text: kimi_openai.file_message(kimi_openai.extract_text(client, path))"
        scene.refuse("file_part", path, "Kimi takes no file parts and no file ids in messages", fix)
    elif kind == "input_audio":
        scene.refuse("input_audio", path, "Kimi does not hear", "send a transcript as text")
    elif kind == "refusal":
        scene.note("refusal", path, "sent as text", "Kimi has no refusal", "send it as a text part")
        return {"type": "text", "text": part.get("refusal") or ""}
    return part


def _refuse_remote(given: Any, kind: str, path: str, scene: Scene) -> None:
    url = as_dict(given).get("url") if is_object(given) else given
    if isinstance(url, str) and url[:8].lower().startswith(("http://", "https://")):
        why = f"Kimi fetches nothing: 400 'unsupported {kind} url: {url.partition('?')[0][:100]}'"
        fix = f"send kimi_openai.{kind}_part(path or bytes), or its ms:// reference from kimi_openai.upload_media"
        fetched = ", or make the client with fetch_images=True (https only)" if kind == "image" else ""
        scene.refuse(f"remote_{kind}", path, why, fix + fetched)


def empty(message: Message, scene: Scene) -> Message | None:
    """Kimi refuses an assistant message that says nothing, unless it calls a tool or begins a continuation."""
    if message.get("content") or message.get("partial"):
        return message
    if message.get("tool_calls"):
        if message.get("content") != []:
            return message
        return {key: value for key, value in message.items() if key != "content"}
    why = "Kimi answers 400 'the message at position ... with role 'assistant' must not be empty'"
    scene.note("empty_message", "", "left out", why, "do not append an answer without content and tool calls")
    return None


STEPS: Mapping[str, tuple[Callable[[Message, Scene], Message | None], ...]] = {
    "developer": (developer, dynamic_tools, parts),
    "system": (dynamic_tools, parts),
    "user": (parts,),
    "assistant": (openai_answer, legacy_call, calls, reasoning, parts, empty),
    "tool": (result, parts),
    "function": (legacy_answer, result, parts),
}


MESSAGE_RULES = (
    Rule(
        messages,
        (
            Row("`role: developer`", "400 `ROLE_UNSPECIFIED` or `tokenization failed`", "sent as `system`"),
            Row(
                "an assistant message without content, or with an empty text part",
                "400 `the message at position N with role 'assistant' must not be empty`",
                "left out",
            ),
            Row(
                "`messages.append(answer.choices[0].message)`, after `parse()` too",
                "wants its own fields back, `reasoning_content` among them",
                "sent without nulls and what the SDK added",
            ),
            *CALL_ROWS,
            Row(
                "`image_url` with an http(s) URL",
                "400 `unsupported image url: https://...`",
                "`CompatError`; with `fetch_images=True` https images are fetched",
            ),
            Row("`input_audio`, `file` parts", "400 `contains an invalid part type`", "`CompatError`"),
        ),
        every_model=True,
    ),
)
