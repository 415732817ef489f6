"""Valid answers in shapes that the emulator does not make, as bytes.

Chunks that end anywhere, CRLF in events, comments, fields other than `data`, lengths and plain ends instead of chunks,
blanks before JSON, usage in either place, gzip.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from random import Random
from typing import Any

from .plans import TOOL_RESULTS, UNIT, Meant, Plan
from .wire import Request

__all__ = ["answer_to", "meant_now"]

HEAD: dict[str, Any] = {"id": "chatcmpl-1", "created": 1, "model": "kimi-k3"}


def meant_now(plan: Plan, body: Any) -> Meant:
    """What the server means to answer to a chat request: first calls, if the plan has any, then the text."""
    messages = body["messages"]
    results = tuple(message["content"] for message in messages if message["role"] == "tool")
    if not plan.meant.calls or (results and results == TOOL_RESULTS[: len(plan.meant.calls)]):
        return Meant(plan.meant.text, plan.meant.reasoning)
    return Meant(f"wrong tool results: {results}", "") if results else Meant("", plan.meant.reasoning, plan.meant.calls)


def answer_to(plan: Plan, request: Request) -> tuple[bytes, bool]:
    """All bytes of an answer, and whether the connection is closed after it."""
    random = Random(f"{plan.seed} {request.path} {len(request.body)}")
    if request.path == "/v1/chat/completions":
        body = request.json
        meant = meant_now(plan, body)
        if body.get("stream"):
            return _framed(_events(meant, _prefix(body), random), "text/event-stream; charset=utf-8", random)
        return _json(_completion(meant), random)
    if request.path.endswith("/content"):
        return _framed([plan.document], "text/plain; charset=utf-8", random, can_end_by_close=False)
    return _json(_other(request), random)


def _other(request: Request) -> Any:
    if request.path == "/v1/users/me/balance":
        return {"code": 0, "data": {"available_balance": 49.58, "voucher_balance": 46.58, "cash_balance": 3.0}}
    if request.path == "/v1/models":
        names = ("kimi-k3", "kimi-k2.6")
        return {"object": "list", "data": [{"id": name, "object": "model", "context_length": 262144} for name in names]}
    if request.path == "/v1/tokenizers/estimate-token-count":
        return {"data": {"total_tokens": 1234}}
    if request.method == "DELETE":
        return {"id": "file_1", "object": "file", "deleted": True}
    facts = {"id": "file_1", "object": "file", "bytes": 9, "created_at": 1, "filename": "a.txt"}
    return {**facts, "purpose": "file-extract", "status": "ok", "status_details": ""}


def _completion(meant: Meant) -> Any:
    message: dict[str, Any] = {"role": "assistant", "content": meant.text, "reasoning_content": meant.reasoning}
    if meant.calls:
        message["tool_calls"] = _calls(meant)
    choice = {"index": 0, "message": message, "finish_reason": _finish_reason(meant)}
    return {**HEAD, "object": "chat.completion", "choices": [choice], "usage": UNIT}


def _calls(meant: Meant) -> list[dict[str, Any]]:
    return [
        {"index": at, "id": f"{name}_{at}", "type": "function", "function": {"name": name, "arguments": arguments}}
        for at, (name, arguments) in enumerate(meant.calls)
    ]


def _finish_reason(meant: Meant) -> str:
    return "tool_calls" if meant.calls else "stop"


def _prefix(body: Any) -> str:
    last = body["messages"][-1]
    return (last.get("content") or "") if last.get("partial") else ""


# Events --------------------------------------------------------------------------------------------------------------


def _deltas(meant: Meant, prefix: str, random: Random) -> Iterator[dict[str, Any]]:
    yield {"role": "assistant", "content": random.choice(("", None))}
    if not prefix:
        yield from ({"reasoning_content": piece} for piece in _cut(meant.reasoning, random))
    if not meant.text.startswith(prefix):
        yield {"content": f"wrong prefix: {prefix}"}
        return
    yield from ({"content": piece} for piece in _cut(meant.text[len(prefix) :], random))
    for call in _calls(meant):
        first, *others = _cut(call["function"]["arguments"], random)
        yield {"tool_calls": [{**call, "function": {"name": call["function"]["name"], "arguments": first}}]}
        for piece in others:
            yield {"tool_calls": [{"index": call["index"], "function": {"arguments": piece}}]}


def _cut(text: str, random: Random) -> list[str]:
    size = random.choice((1, 3, 8, 50))
    return [text[at : at + size] for at in range(0, len(text), size)]


def _events(meant: Meant, prefix: str, random: Random) -> list[bytes]:
    end = random.choice(("\n", "\n", "\r\n"))
    space, before = random.choice((" ", " ", "")), random.choice(("", "", ": comment\n", "event: message\n", "id: 7\n"))
    is_in_choice, has_done = random.random() < 0.5, random.random() < 0.85
    ascii_only = random.random() < 0.3

    def event(choices: list[Any], **more: Any) -> bytes:
        text = json.dumps(
            {**HEAD, "object": "chat.completion.chunk", "choices": choices, **more}, ensure_ascii=ascii_only
        )
        return f"{before}data:{space}{text}\n\n".replace("\n", end).encode()

    events = [event([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in _deltas(meant, prefix, random)]
    last: dict[str, Any] = {"index": 0, "delta": {}, "finish_reason": _finish_reason(meant)}
    events.append(event([{**last, "usage": UNIT}] if is_in_choice else [last]))
    if not is_in_choice or random.random() < 0.5:
        events.append(event([], usage=UNIT))
    return [*events, f"data:{space}[DONE]{end}{end}".encode()] if has_done else events


# Framing -------------------------------------------------------------------------------------------------------------


def _json(value: Any, random: Random) -> tuple[bytes, bool]:
    text = json.dumps(value, ensure_ascii=random.random() < 0.5, indent=random.choice((None, None, 2)))
    body = (random.choice(("", "", " ", "\n\n")) + text + random.choice(("", "\n"))).encode()
    if random.random() < 0.1:
        return _framed([gzip.compress(body, mtime=0)], "application/json", random, "Content-Encoding: gzip\r\n")
    return _framed([body], "application/json; charset=utf-8", random)


def _framed(
    parts: list[bytes], kind: str, random: Random, more: str = "", *, can_end_by_close: bool = True
) -> tuple[bytes, bool]:
    head = f"HTTP/1.1 200 OK\r\nServer: shapes\r\nContent-Type: {kind}\r\nx-request-id: req-1\r\n{more}"
    framing = random.choice(("chunks", "chunks", "length", "close") if can_end_by_close else ("chunks", "length"))
    body = b"".join(parts)
    if framing == "chunks":
        return f"{head}Transfer-Encoding: chunked\r\n\r\n".encode() + _chunked(parts, random), False
    if framing == "length":
        return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body, False
    return f"{head}Connection: close\r\n\r\n".encode() + body, True


def _chunked(parts: list[bytes], random: Random) -> bytes:
    """The parts in chunks: one for each, chunks of some size, or chunks that end anywhere."""
    body = b"".join(parts)
    kind, extension = random.choice(("parts", "size", "anywhere")), random.choice((b"", b"", b";name=value"))
    if kind != "parts":
        size = random.choice((40, 300, 5000)) if len(body) < 100_000 else 50_000
        ends = list(range(size, len(body), size)) if kind == "size" else _places(body, size, random)
        parts = [body[start:end] for start, end in zip([0, *ends], [*ends, len(body)], strict=True) if start < end]
    trailers = random.choice((b"", b"", b"X-Trailer: 1\r\n"))
    chunks = [b"%x%s\r\n%s\r\n" % (len(part), extension, part) for part in parts]
    return b"".join(chunks) + b"0\r\n" + trailers + b"\r\n"


def _places(body: bytes, size: int, random: Random) -> list[int]:
    return sorted(random.sample(range(1, len(body)), min(len(body) // size, len(body) - 1)))
