"""Notes an answer that has no text, for `create` with and without `stream=True`. Called with each answer that ended."""

from __future__ import annotations

from typing import Any

from openai.types.chat import ChatCompletion

from kimi_openai._internal.decode import decode_json

__all__ = ["note_completion", "note_if_empty"]


def note_completion(client: Any, response: Any, completion: ChatCompletion) -> None:
    """Note a completion that has no text."""
    for choice in completion.choices[:1]:
        message = choice.message
        if not message.content:
            has_more = bool(message.tool_calls or message.function_call or message.refusal)
            note_if_empty(client, response, text="", has_more=has_more, finish_reason=choice.finish_reason)


def note_if_empty(client: Any, response: Any, *, text: str, has_more: bool, finish_reason: str | None) -> None:
    """Note an answer if it ended as if it were whole, without text and without more (such as tool calls). That is how
    it should be if it continues a text, and with `compat="off"` nothing is noted."""
    if has_more or finish_reason != "stop" or text.strip() or client.kimi_options.compat == "off":
        return
    from kimi_openai.compat.adapt import report_answer  # imported with the first request
    from kimi_openai.compat.empty_answer import came_empty, is_partial

    if not is_partial(_request_body(response)):
        report_answer(came_empty(), client.kimi_options)


def _request_body(response: Any) -> Any:
    try:
        return decode_json(response.request.content)
    except ValueError:
        return None
