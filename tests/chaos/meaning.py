"""What a body means as JSON or as server-sent events, and whether damage to it can be noticed.

No client can notice damage such as another letter inside a text, so the proxy does not do such damage.
"""

from __future__ import annotations

import json
import re
from typing import Any

from .wire import Answer

__all__ = ["events_of", "is_fair", "json_spans"]

BROKEN = object()
"""An event or a body that is not JSON."""

DONE = "[DONE]"


def _value(text: bytes) -> Any:
    if text.startswith(DONE.encode()):
        return DONE
    try:
        return json.loads(text.decode())
    except ValueError:
        return BROKEN


def events_of(body: bytes) -> list[Any]:
    """The values of all events, `BROKEN` for one that is not JSON; the last one also without its blank line."""
    events: list[Any] = []
    data: list[bytes] = []
    for line in [*re.split(rb"\r\n|\n|\r", body), b""]:
        if not line and data:
            events.append(_value(b"\n".join(data)))
            data = []
        name, _, value = line.partition(b":")
        if name == b"data":
            data.append(value.removeprefix(b" "))
    return events


def is_fair(answer: Answer, body: bytes) -> bool:
    """Whether a reader of `body`, instead of the answer's own, can notice that it is broken before it is misled.

    Of a stream this must hold at every event, since a reader delivers each before the next one comes.
    """
    if answer.is_verbatim:
        return body == answer.body
    if not answer.is_stream:
        value = _value(body)
        return value is BROKEN or value == _value(answer.body)
    told, meant = events_of(body), events_of(answer.body)
    whole = next((at for at, event in enumerate(told) if event is BROKEN or event == DONE), len(told))
    return told[:whole] == meant[:whole]


def json_spans(answer: Answer) -> list[tuple[int, int]]:
    """Where in the body JSON objects stand: the whole body, or the data of each event."""
    if not answer.is_stream:
        return [(0, len(answer.body))]
    return [found.span(1) for found in re.finditer(rb"^data: ?(\{.*?)\r?$", answer.body, re.MULTILINE)]
