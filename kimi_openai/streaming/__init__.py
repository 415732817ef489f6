"""Answers that survive cut connections and full token budgets: `stream` and `complete`.

`session` plans the requests for one answer, `reader` reads each response, `resume` decides how a cut answer goes on.
"""

from .chat_stream import AsyncChatStream, ChatStream, stream
from .completion import complete
from .events import Event, Part

__all__ = ["AsyncChatStream", "ChatStream", "Event", "Part", "complete", "stream"]
