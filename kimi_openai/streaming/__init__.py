"""Answers that survive cut connections and full token budgets: `stream` and `complete`.

`session` plans the requests for one answer, `reader` reads each response, `resume` decides how a cut answer goes on.

What breaks, and what the bare SDK's stream and ours make of it, with the number of requests (`python -m tests.load`):

    connection reset or closed in the text   SDK: `APIConnectionError`, the text is lost (1); ours: resumed, whole (2)
    clean end without a `finish_reason`      SDK: half an answer, silently (1); ours: resumed, whole (2)
    reset in the reasoning                   SDK: `APIConnectionError` (1); ours: restarted and said so, whole (2)
    stall past the read timeout              SDK: `APITimeoutError` (1); ours: resumed, whole (2)
    error event in the stream                SDK: bare `APIError` (1); ours: resumed, whole (2)
    an event that is not JSON                SDK: `JSONDecodeError` (1); ours: resumed, whole (2)
    four 429 or 503 in a row                 SDK: `RateLimitError`, `InternalServerError` (3); ours: whole (5)
    the account is empty                     SDK: `RateLimitError` (3); ours: `RateLimitError`, and why (1)

What has come is sent back as the beginning of the answer (partial mode), so that no word is lost and none comes twice.
An answer that ends after its reasoning, with `content: ""` and finish_reason "stop", is asked for once more, and a
`Note` says so; `create` only notes it. Messages and parameters may have every form that `create` takes, and are copied
at the call. With an asynchronous client: `async with`, `async for` and `await`. Chunks per second beside the bare
`create(stream=True)` and its `.stream()`: 16 and 32 times as many (`python -m tests.bench surviving`).
"""

from .chat_stream import AsyncChatStream, ChatStream, stream
from .completion import complete
from .events import Event, Part

__all__ = ["AsyncChatStream", "ChatStream", "Event", "Part", "complete", "stream"]
