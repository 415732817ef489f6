"""The output items of a response, and the events that announce them: one writer for plain answers and for streams.

Shapes and the order of keys are those of streams measured on 2026-09-03.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from kimi_openai.emulator.json_values import Json, is_object

from .body import APPLY_PATCH, WEB_SEARCH

__all__ = ["OutputWriter"]


class OutputWriter:
    """Turns the deltas of a chat reply into output items and events (without their sequence numbers).

    `new_id` makes the id of the nth item from its prefix. `hosted` and `namespaces` say which calls become
    `web_search_call` and `custom_tool_call` items, and which namespace a function has. `include` is the request's.
    """

    def __init__(
        self,
        new_id: Callable[[str, int], str],
        *,
        hosted: frozenset[str],
        namespaces: Mapping[str, str],
        include: Iterable[str],
    ) -> None:
        self.output: list[Json] = []
        self._new_id, self._hosted, self._namespaces, self._include = new_id, hosted, namespaces, frozenset(include)
        self._open: Json | None = None
        self._text = ""
        self._call: Json | None = None

    def write(self, delta: Json) -> list[Json]:
        """The events of one delta."""
        if delta.get("reasoning_content"):
            return self._piece("reasoning", delta["reasoning_content"])
        if delta.get("content"):
            return self._piece("message", delta["content"])
        return [event for call in delta.get("tool_calls") or () for event in self._call_piece(call)]

    def finish(self) -> list[Json]:
        """The events that end the open item."""
        events = self._close_call() if self._call else self._close()
        self._open = self._call = None
        return events

    @property
    def _place(self) -> Json:
        item = self.output[-1]
        return {"item_id": item["id"], "output_index": len(self.output) - 1}

    def _start(self, prefix: str, kind: str, **fields: Any) -> list[Json]:
        events = self.finish()
        item: Json = {"type": kind, "id": self._new_id(prefix, len(self.output)), "status": "in_progress", **fields}
        self.output.append(item)
        self._text = ""
        events.append({"type": "response.output_item.added", "output_index": len(self.output) - 1, "item": dict(item)})
        return events

    def _end(self) -> Json:
        item = self.output[-1]
        item["status"] = "completed"
        return {"type": "response.output_item.done", "output_index": len(self.output) - 1, "item": dict(item)}

    def _piece(self, kind: str, text: str) -> list[Json]:
        """A piece of reasoning or of the answer."""
        events: list[Json] = []
        if self._open is None or self._open["type"] != kind:
            is_message = kind == "message"
            fields: Json = {"role": "assistant", "content": []} if is_message else {"summary": []}
            events += self._start("msg" if is_message else "rs", kind, **fields)
            self._open = self.output[-1]
            part = _output_text("") if is_message else {"text": "", "type": "summary_text"}
            events.append({"type": f"response.{self._part_name}.added", **self._place, **self._index, "part": part})
        self._text += text
        logprobs: Json = {"logprobs": []} if kind == "message" else {}
        events.append(
            {"type": f"response.{self._text_name}.delta", **self._place, **self._index, "delta": text, **logprobs}
        )
        return events

    @property
    def _is_message(self) -> bool:
        return self._open is not None and self._open["type"] == "message"

    @property
    def _index(self) -> Json:
        return {"content_index" if self._is_message else "summary_index": 0}

    @property
    def _part_name(self) -> str:
        return "content_part" if self._is_message else "reasoning_summary_part"

    @property
    def _text_name(self) -> str:
        return "output_text" if self._is_message else "reasoning_summary_text"

    def _close(self) -> list[Json]:
        if self._open is None:
            return []
        part: Json = {"text": self._text, "type": "summary_text"}
        logprobs: Json = {}
        if self._is_message:
            part, logprobs = _output_text(self._text), {"logprobs": []}
            self._open["content"] = [part]
        else:
            self._open["summary"] = [{"type": "summary_text", "text": self._text}]
        place = {**self._place, **self._index}
        return [
            {"type": f"response.{self._text_name}.done", **place, "text": self._text, **logprobs},
            {"type": f"response.{self._part_name}.done", **place, "part": part},
            self._end(),
        ]

    def _call_piece(self, call: Json) -> list[Json]:
        """The head of a call, or a piece of its arguments."""
        function = call["function"]
        if "id" in call:
            return self._call_head(call["id"], function["name"])
        self._text += function["arguments"]
        if self._call is None or self._call["type"] != "function_call":
            return []
        return [{"type": "response.function_call_arguments.delta", **self._place, "delta": function["arguments"]}]

    def _call_head(self, call_id: str, name: str) -> list[Json]:
        if name == WEB_SEARCH and name in self._hosted:
            events = self._start("ws", "web_search_call")
            events += [{"type": f"response.web_search_call.{at}", **self._place} for at in ("in_progress", "searching")]
        elif name == APPLY_PATCH and name in self._hosted:
            events = self._start("ctc", "custom_tool_call", call_id=call_id, name=name, input="")
        else:
            namespace = {"namespace": self._namespaces[name]} if name in self._namespaces else {}
            events = self._start("fc", "function_call", call_id=call_id, name=name, arguments="", **namespace)
        self._call = self.output[-1]
        return events

    def _close_call(self) -> list[Json]:
        call: Any = self._call
        if call["type"] == "function_call":
            call["arguments"] = self._text
            done = {"arguments": self._text, "name": call["name"]}
            return [{"type": "response.function_call_arguments.done", **self._place, **done}, self._end()]
        arguments = _arguments(self._text)
        if call["type"] == "custom_tool_call":
            call["input"] = str(arguments.get("input", ""))
            name = "response.custom_tool_call_input"
            delta = {"type": f"{name}.delta", **self._place, "delta": call["input"]}
            return [delta, {"type": f"{name}.done", **self._place, "input": call["input"]}, self._end()]
        call["action"] = {"type": "search", "query": str(arguments.get("query", ""))}
        source = {"type": "url", "url": "https://example.com/emulated-result"}
        if "web_search_call.action.sources" in self._include:
            call["action"]["sources"] = [source]
        if "web_search_call.results" in self._include:
            call["results"] = [{**source, "title": "Emulated result", "text": "This is the Kimi emulator."}]
        return [{"type": "response.web_search_call.completed", **self._place}, self._end()]


def _output_text(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": []}


def _arguments(text: str) -> Json:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if is_object(found) else {"query": text, "input": text}
