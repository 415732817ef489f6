"""Messages to send, and the reply that comes back.

`builders` makes message dicts, `media` reads images and videos for them, `reply` is an answer as a value,
`accumulator` joins the chunks of a streamed answer, and `reasoning` reads the reasoning of the SDK's objects.
"""

from .builders import file_message, image_part, join_partial, partial_message, replay_message, video_part
from .reasoning import reasoning_of
from .reply import Reply

__all__ = [
    "Reply",
    "file_message",
    "image_part",
    "join_partial",
    "partial_message",
    "reasoning_of",
    "replay_message",
    "video_part",
]
