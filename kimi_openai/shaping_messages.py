"""The rules for messages: roles, replayed and empty messages, parts, and tool calls with their answers.

Pure. `messages` walks the list once; a message that needs nothing is passed on as the same object, most of them after
one look. The table at the end holds the rules, in the order in which a message meets them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import is_
from typing import Any

from pydantic import BaseModel

from .changes import Body, Changes, Row, Rule, as_dict, as_list, fatal, thinks
from .errors import Note
from .messages import replay_message
from .models import ModelFacts
from .shaping_tools import shaped_tools

__all__ = ["MESSAGE_RULES"]

Message = Any
"""A dict in all but broken requests, which pass as they are."""

NOT_KEPT = "(not kept)"
"""For lost reasoning: reports conflict on whether an empty text is enough, and none says that a short one is not."""


@dataclass(slots=True)
class Scene:
    """The walk along the messages: the model, whether it thinks, where we are, and the calls that were made last."""

    known: ModelFacts
    thinking: bool
    notes: list[Note] = field(default_factory=list[Note])
    place: int = 0
    open_calls: list[tuple[Any, Any]] = field(default_factory=list[tuple[Any, Any]])
    tools_used: bool = False

    def note(self, kind: str, path: str, change: str, why: str, fix: str) -> None:
        """Write down a change of the current message."""
        self.notes.append(Note(kind, f"messages.{self.place}{path}", change, why, fix))

    def refuse(self, kind: str, path: str, why: str, fix: str) -> None:
        """Write down what cannot be sent."""
        self.notes.append(fatal(kind, f"messages.{self.place}{path}", why, fix))


def messages(body: Body, known: ModelFacts) -> Changes | None:
    """The messages as Kimi takes them."""
    given = body.get("messages")
    if not isinstance(given, list):
        return None
    scene = Scene(known, thinks(body, known))
    shaped: list[Message] = []
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
        scene.notes += _unpaired(shaped, places)
    same = len(shaped) == len(given) and all(map(is_, shaped, given))
    if same and not scene.notes:
        return None
    return Changes({} if same else {"messages": shaped}, tuple(scene.notes))


def _is_plain(message: Message) -> bool:
    """A role and a text, as most messages are: nothing to do."""
    return (
        type(message) is dict
        and len(message) == 2
        and type(text := message.get("content")) is str
        and text != ""
        and message.get("role") in ("user", "assistant", "system")
    )


def _shaped(message: Message, scene: Scene) -> Message | None:
    message = _replayed(message)
    if not isinstance(message, dict):
        return message
    for rule in STEPS:
        message = rule(message, scene)
        if message is None:
            return None
    return message


# The steps: each gives the message back, a new one in its place, or none


def _replayed(message: Message) -> Message:
    """SDK objects as dicts, and dicts without nulls and what only the SDK knows: no note, as nothing is lost."""
    if isinstance(message, dict) and not _has_leftovers(message):
        return message
    if not all(isinstance(call, Mapping | BaseModel) for call in as_list(as_dict(message).get("tool_calls"))):
        return message
    try:
        return replay_message(message)
    except TypeError:  # nothing that stands for a message; Kimi will say so
        return message


def _has_leftovers(message: Message) -> bool:
    calls = message.get("tool_calls")
    return (
        None in message.values()
        or "parsed" in message
        or (calls is not None and (not calls or any(map(_call_has_leftovers, as_list(calls)))))
    )


def _call_has_leftovers(call: Any) -> bool:
    if not isinstance(call, dict):
        return True
    function = as_dict(call.get("function"))
    return "index" in call or "parsed_arguments" in function or None in call.values() or None in function.values()


def _role(message: Message, scene: Scene) -> Message:
    if message.get("role") != "developer":
        return message
    scene.note(
        "developer",
        ".role",
        "sent as 'system'",
        "Kimi does not know it: 400 'ROLE_UNSPECIFIED' or 'tokenization failed'",
        "write role 'system'",
    )
    return {**message, "role": "system"}


def _openai_answer(message: Message, scene: Scene) -> Message:
    """What an answer of OpenAI's may hold and one of Kimi's does not."""
    if message.get("role") != "assistant":
        return message
    if "audio" in message:
        scene.note("audio", ".audio", "left out", "Kimi has no audio", "send the transcript as content")
        message = {key: value for key, value in message.items() if key != "audio"}
    if "refusal" in message and not message.get("content"):
        scene.note("refusal", ".refusal", "sent as content", "Kimi has no refusal", "send it as content")
        message = {key: value for key, value in message.items() if key != "refusal"} | {"content": message["refusal"]}
    return message


def _legacy_call(message: Message, scene: Scene) -> Message:
    """`function_call` becomes a tool call, whose id says where it stands; beside tool calls it is one of them again."""
    call = message.get("function_call")
    if message.get("role") != "assistant" or not isinstance(call, Mapping):
        return message
    kept = {key: value for key, value in message.items() if key != "function_call"}
    if not kept.get("tool_calls"):
        kept["tool_calls"] = [{"id": f"call_{scene.place}", "type": "function", "function": dict(call)}]
    scene.note(
        "function_call", ".function_call", "sent as tool_calls", "Kimi does not support it", "replay message.tool_calls"
    )
    return kept


def _legacy_answer(message: Message, scene: Scene) -> Message:
    """A `function` message answers the last call of its name."""
    if message.get("role") != "function":
        return message
    name = message.get("name")
    found = next((call for call in scene.open_calls if call[1] == name), None)
    if found:
        scene.open_calls.remove(found)
    scene.note(
        "function_role",
        ".role",
        "sent as 'tool', with the id of the call",
        "Kimi does not know it",
        "answer a tool call with role 'tool' and its tool_call_id",
    )
    return {**message, "role": "tool", "tool_call_id": found[0] if found else ""}


def _calls(message: Message, scene: Scene) -> Message:
    """Remember what was called; what Kimi cannot call is refused."""
    if message.get("role") == "tool":
        scene.tools_used = True
        return message
    calls = as_list(message.get("tool_calls"))
    if calls:
        scene.tools_used = True
        scene.open_calls = [
            (as_dict(call).get("id"), as_dict(as_dict(call).get("function")).get("name")) for call in calls
        ]
        for number, call in enumerate(calls):
            if as_dict(call).get("type") == "custom":
                why = "Kimi knows calls of type 'function' and 'builtin_function'"
                scene.refuse(
                    "tool_type", f".tool_calls.{number}", why, "write it as a function with one string argument"
                )
    return message


def _reasoning(message: Message, scene: Scene) -> Message:
    if not (scene.thinking and scene.known.needs_reasoning_in_tool_calls and message.get("tool_calls")):
        return message
    if message.get("role") != "assistant" or message.get("reasoning_content") is not None:
        return message
    scene.note(
        "reasoning_content",
        ".reasoning_content",
        f"sent as {NOT_KEPT!r}",
        "Kimi answers 400 'thinking is enabled but reasoning_content is missing in assistant tool call message at "
        "index ...'",
        "append the answer's message itself, or kimi_openai.replay_message(answer), to the messages",
    )
    return {**message, "reasoning_content": NOT_KEPT}


def _dynamic_tools(message: Message, scene: Scene) -> Message:
    if not isinstance(message.get("tools"), list):
        return message
    tools, notes = shaped_tools(message["tools"], f"messages.{scene.place}.tools")
    scene.notes += notes
    return message if tools is message["tools"] else {**message, "tools": tools}


def _parts(message: Message, scene: Scene) -> Message:
    content = message.get("content")
    if not isinstance(content, list):
        return message
    kept = [_part(part, f".content.{number}", scene) for number, part in enumerate(content)]
    if message.get("role") == "assistant" and any(_is_empty_text(part) for part in kept):
        fix = "leave out parts without text"
        scene.note(
            "empty_text", ".content", "sent without empty parts", "Kimi answers 400 'text content is empty'", fix
        )
        kept = [part for part in kept if not _is_empty_text(part)]
    if len(kept) == len(content) and all(map(is_, kept, content)):
        return message
    return {**message, "content": kept}


def _is_empty_text(part: Any) -> bool:
    return as_dict(part).get("type") == "text" and as_dict(part).get("text") == ""


def _part(part: Any, path: str, scene: Scene) -> Any:
    if not isinstance(part, Mapping):
        return part
    match part.get("type"):
        case "image_url" | "video_url" as kind:
            _refuse_remote(part.get(kind), kind.removesuffix("_url"), path, scene)
        case "file":
            fix = "send its text: kimi_openai.file_message(kimi_openai.extract_text(client, path))"
            scene.refuse("file_part", path, "Kimi takes no file parts and no file ids in messages", fix)
        case "input_audio":
            scene.refuse("input_audio", path, "Kimi does not hear", "send a transcript as text")
        case "refusal":
            scene.note("refusal", path, "sent as text", "Kimi has no refusal", "send it as a text part")
            return {"type": "text", "text": part.get("refusal")}
        case _:
            pass
    return part


def _refuse_remote(given: Any, kind: str, path: str, scene: Scene) -> None:
    url = as_dict(given).get("url") if isinstance(given, Mapping) else given
    if isinstance(url, str) and url[:8].lower().startswith(("http://", "https://")):
        scene.refuse(
            f"remote_{kind}",
            path,
            f"Kimi fetches nothing: 400 'unsupported {kind} url: {url.partition('?')[0][:100]}'",
            f"send kimi_openai.{kind}_part(path or bytes), or upload_media(client, ...)"
            + (", or make the client with fetch_images=True" if kind == "image" else ""),
        )


def _empty(message: Message, scene: Scene) -> Message | None:
    """Kimi refuses an assistant message that says nothing, unless it calls a tool or begins a continuation."""
    if message.get("role") == "tool" and message.get("content") is None:
        scene.note("empty_result", ".content", "sent as ''", "a message needs content", "write '' or what the tool did")
        return {**message, "content": ""}
    if message.get("role") != "assistant" or message.get("content") or message.get("partial"):
        return message
    if not message.get("tool_calls"):
        why = "Kimi answers 400 'the message at position ... with role 'assistant' must not be empty'"
        scene.note("empty_message", "", "left out", why, "do not append an answer without content and tool calls")
        return None
    return (
        {key: value for key, value in message.items() if key != "content"} if message.get("content") == [] else message
    )


STEPS: tuple[Callable[[Message, Scene], Message | None], ...] = (
    _role, _openai_answer, _legacy_call, _legacy_answer, _calls, _reasoning, _dynamic_tools, _parts, _empty
)  # fmt: skip


# Calls and their answers


def _unpaired(shaped: list[Message], places: list[int]) -> Iterator[Note]:
    """Tool messages that answer no call of the message before them, and calls that none of those after them answers."""
    calls: Counter[str] = Counter()
    caller = -1
    for place, message in zip(places, map(as_dict, shaped), strict=True):
        if message.get("role") != "tool":
            yield from _unanswered(calls, caller)
            calls, caller = Counter(_ids(message)), place
            continue
        name = message.get("tool_call_id")
        if calls[str(name)] > 0:
            calls[str(name)] -= 1
            continue
        why = f"no call of the message before it has that id: Kimi answers 400 'tool_call_id {name or ''} is not found'"
        fix = "append the assistant message with its tool_calls first, then one tool message for each call"
        yield fatal("tool_call_id", f"messages.{place}.tool_call_id", why, fix)
    yield from _unanswered(calls, caller)


def _ids(message: Body) -> Iterator[str]:
    if message.get("role") == "assistant":
        yield from (str(as_dict(call).get("id")) for call in as_list(message.get("tool_calls")))


def _unanswered(calls: Counter[str], caller: int) -> Iterator[Note]:
    missing = ", ".join(repr(name) for name in calls.elements())
    if missing:
        why = f"Kimi answers 400 if a call has no tool message right after it, and {missing} has none"
        fix = "append one tool message for each call before anything else"
        yield fatal("tool_calls", f"messages.{caller}.tool_calls", why, fix)


MESSAGE_RULES = (
    Rule(
        messages,
        (
            Row("`role: developer`", "400 `ROLE_UNSPECIFIED` or `tokenization failed`", "sent as `system`"),
            Row(
                "`role: function`, `function_call` in a message", "not supported", "sent as tool call and tool message"
            ),
            Row(
                "an assistant message without content",
                "400 `the message at position N with role 'assistant' must not be empty`",
                "left out; an empty text part too",
            ),
            Row(
                "`messages.append(answer.message)`, after `parse()` too",
                "wants it back",
                "sent without nulls and `parsed`",
            ),
            Row(
                "a tool call replayed without `reasoning_content`",
                "K2: 400 `thinking is enabled but reasoning_content is missing ...`",
                f"K2: sent with `{NOT_KEPT}`",
            ),
            Row(
                "a tool message without its call, a call without its tool message",
                "400 `tool_call_id ... is not found`",
                "`CompatError` that names the place",
            ),
            Row(
                "`image_url` with an http(s) URL",
                "400 `unsupported image url: https://...`",
                "`CompatError`, or fetched with `fetch_images=True`",
            ),
            Row("`input_audio`, `file` parts", "400 `contains an invalid part type`", "`CompatError`"),
        ),
        every_model=True,
    ),
)
