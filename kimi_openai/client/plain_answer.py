"""A chat completion as the dict that came, for who needs no object of the SDK's: `bulk` writes it to a file.

It is checked, counted and remembered as the SDK's object is; only the object is not made, which costs more than the
rest.
"""

from __future__ import annotations

from typing import Any

from openai.types.chat import ChatCompletion

from kimi_openai._internal.json_values import as_list
from kimi_openai.usage.normalize import notify_observers, with_cached_details

from .after_attempt import settle
from .bodies import checked_answer
from .reasoning import remember_streamed

__all__ = ["PlainCompletion", "plain_answer"]


class PlainCompletion(ChatCompletion):
    """As `cast_to` of a client's `post`: the answer is a dict with the shape of a `ChatCompletion`."""


def plain_answer(client: Any, data: object, response: Any) -> dict[str, Any]:
    """The answer in the JSON of a response. Raises `APIResponseValidationError` if it has another shape."""
    answer: dict[str, Any] = checked_answer(data, ChatCompletion, response)
    usage = answer.get("usage")
    if usage is not None:
        usage = with_cached_details(usage)
        answer = {**answer, "usage": usage}
    notify_observers(client, answer.get("model"), usage, response=response)
    settle(response, usage)
    for choice in answer["choices"]:
        message = choice["message"]
        if message.get("tool_calls"):
            remember_streamed(response, as_list(message["tool_calls"]), message.get("reasoning_content"))
    return answer
