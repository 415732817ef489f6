"""One Responses request and its answer: what is put before the input, and what becomes of the answer.

`adapt` makes an `Exchange` for each request. The client gives it the parts of the answer as they come; it repairs ids
and remembers the whole. Pure, except for the memory.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from pydantic_core import from_json

from kimi_openai._internal.json_values import Json, as_dict, as_list, is_dict
from kimi_openai.errors.exceptions import SettingsError
from kimi_openai.messages.tool_calls import CallIds

from .call_ids import CALLS
from .memory import ForgottenError, ResponseMemory
from .texts import AnswerTexts

__all__ = ["Exchange"]

log = logging.getLogger("kimi_openai")


@dataclass(slots=True)
class Exchange:
    """A Responses request and its answer. `own_input` is the JSON of the caller's items, without those from before.
    `used` are the ids of the calls in the input that was sent, `texts` changes what the answer says. `keeps`: the
    response is remembered."""

    memory: ResponseMemory
    own_input: bytes = b"[]"
    previous: str | None = None
    conversation: str | None = None
    keeps: bool = True
    used: Iterable[str] = ()
    texts: AnswerTexts = field(default_factory=AnswerTexts)
    id: str = ""
    _claimed: dict[int, tuple[str, str]] = field(default_factory=dict[int, tuple[str, str]])
    _ids: CallIds | None = None

    def head(self, response: Json) -> dict[str, Any]:
        """The response with its id and with what it continues. Kimi repeats neither; an id is used once."""
        if not self.id:
            given = response.get("id")
            is_free = isinstance(given, str) and given != "" and not self._is_known(given)
            self.id = str(given) if is_free else f"resp_{uuid4().hex}"
        named = {"id": self.id}
        if self.previous is not None:
            named["previous_response_id"] = self.previous
        new: dict[str, Any] = {**response, **named}
        if self.conversation is not None:
            new["conversation"] = {"id": self.conversation}
        return new

    def _is_known(self, id: str) -> bool:
        try:
            return self.keeps and self.memory.response(id) is not None
        except SettingsError:  # `remember` says so
            return False

    def item(self, item: Any, position: int) -> Any:
        """The item at a position of the output, with the caller's names. A call whose id the input or an earlier call
        has gets another one."""
        item = self.texts.item(item, position) if is_dict(item) else item
        given = as_dict(item).get("call_id")
        if not is_dict(item) or item.get("type") not in CALLS:
            return item
        if position not in self._claimed or self._claimed[position][0] != given:
            self._ids = self._ids or CallIds(self.used)
            claimed = self._ids.claim(given, str(item.get("name") or "call"))
            self._claimed[position] = str(given), claimed
        sent = self._claimed[position][1]
        return item if sent == given else {**item, "call_id": sent}

    def whole(self, response: Json) -> dict[str, Any]:
        """The whole response with its id, what it continues, and calls with unique ids."""
        output = [self.item(item, position) for position, item in enumerate(as_list(response.get("output")))]
        return {**self.head(response), "output": output}

    def remember(self, response: Json) -> None:
        """Keep the whole response. An error of the memory is logged: it must not cost the answer."""
        try:
            if self.keeps:
                previous, conversation = self.previous, self.conversation or ""
                self.memory.remember(response, self.own_input, previous=previous, conversation=conversation)
            elif self.conversation is not None:
                items = [*from_json(self.own_input), *as_list(response.get("output"))]
                self.memory.change_conversation(self.conversation, add=items)
        except (SettingsError, ForgottenError):
            log.exception("the response %s could not be remembered", response.get("id"))
