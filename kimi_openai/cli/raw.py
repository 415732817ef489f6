"""`chat --raw`: prints the data of each event of a stream as it came, one per line."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import openai

from kimi_openai._internal.decode import is_json
from kimi_openai._internal.sanitize import escape_json
from kimi_openai.client.chunk_reader import chunk_in
from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.client.sse import DONE, Splitter
from kimi_openai.errors.exceptions import StreamCutError
from kimi_openai.messages.accumulator import ReplyAccumulator
from kimi_openai.messages.half_joiner import HalfJoiner

from .console import Console
from .printer import exit_code

__all__ = ["INTERRUPTED", "print_raw"]

INTERRUPTED = 130


def print_raw(client: KimiOpenAI, request: Mapping[str, Any], console: Console) -> int:
    """Print the data of each event as it came, one per line. Raises `StreamCutError` if the answer is not whole."""
    sdk_options: Any = {"cast_to": object, "stream": True, "stream_cls": openai.Stream[object]}
    response: Any = client.post("/chat/completions", body={**request, "stream": True}, **sdk_options).response
    splitter, fold, half_joiner = Splitter(), ReplyAccumulator(), HalfJoiner()
    cause: Exception | None = None

    def show(data: bytes) -> None:
        if not data.startswith(DONE):
            console.line(escape_json(data.decode(errors="replace")))
            with suppress(openai.OpenAIError):  # it may not be a chunk
                fold.add(chunk_in(data, response, half_joiner))

    try:
        for piece in response.iter_bytes():
            for data in splitter.feed(piece):
                show(data)
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError:  # stdout is closed or full
        raise
    except Exception as error:  # the HTTP library's, httpx or httpx2
        cause = error
    finally:
        response.close()
    if is_json(unclosed := splitter.flush()):
        show(unclosed)
    reply = fold.reply()
    if reply.finish_reason is None:
        raise StreamCutError(request=response.request, text=reply.content, reasoning=reply.reasoning or "", cause=cause)
    return exit_code(reply, console)
