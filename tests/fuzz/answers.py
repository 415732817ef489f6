"""Answers of the platform, damaged at random: types, bytes, framing, and what is around a body. Seeded, without I/O."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

__all__ = ["KINDS", "Answer", "damaged", "good_answers"]

WIRE = Path(__file__).parents[1] / "wire"
EVENTS, JSON = "text/event-stream", "application/json; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    """An answer: `pieces` of a body as they arrive; then the connection breaks with an error of that name, or ends."""

    status: int
    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]
    breaks: str = ""

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)


class Raw(str):
    """JSON text that stands for itself in `written`."""


def nested(opening: str, depth: int, closing: str) -> Raw:
    return Raw(opening * depth + "1" + closing * depth)


ODD_VALUES: Sequence[Any] = (
    *(None, True, False, 0, 1, -1, 1.0, 1.5, 2**31, 2**63, "", "x", "0", "null", "\ud83d", "x" * 3000),
    *("[" * 3000, '{"a":' * 3000 + "1" + "}" * 3000, '{"city": NaN}', '{"city": 1e999}', "{'city': 1}", "[DONE]"),
    *(
        "> " * 1500,
        "- " * 1500,
        "*a" * 1500,
        "![[" * 1500,
        "```\n" * 999,
        "$$" * 1500,
        "<a>" * 1500,
        "\x00\x1b[2J\u202e",
    ),
    *([], [1], [None], [[]], ["x"], [{}], {}, {"a": 1}, {"index": 0}, {"type": "text", "text": "x"}),
    *map(Raw, ("NaN", "-Infinity", "1e400", "-0", "9" * 30, "9" * 4000, "9" * 5000, '"\\ud83d\\ud83d"', "'", "1.", "")),
    *(nested("[", 150, "]"), nested("[", 300, "]"), nested("[", 3000, "]"), nested('{"a":', 120, "}")),
    *(nested('{"a":', 2000, "}"), nested('{"details_tokens_details":', 190, "}")),
)
ODD_KEYS = (
    *("_fields_set", "self", "cls", "error", "choices", "data", "usage", "id", "type", "", "__class__", "model_config"),
    *("_request_id", "_BaseModel__cls", "parsed", "message", "delta", "index", "content", "tool_calls", "\ud83d"),
)
CONTENT_TYPES = (
    *(JSON, EVENTS, "application/json", "text/html", "text/plain; charset=gbk", "application/octet-stream", "", ";;="),
    *(
        "application/json; charset=utf-16",
        "application/problem+json",
        "text/html; charset=utf-16",
        "text/x; charset=hex",
    ),
    *("application/json; charset=undefined", "text/event-stream; charset=idna", "text/plain; charset=unicode_escape"),
)
STATUSES = (
    201,
    202,
    204,
    206,
    300,
    302,
    307,
    400,
    401,
    403,
    404,
    405,
    408,
    409,
    413,
    422,
    429,
    500,
    502,
    503,
    504,
    529,
)
ODD_HEADERS = (
    *(
        ("retry-after", value)
        for value in ("nan", "-1", "1e400", "Wed, 21 Oct 2026 07:28:00 GMT", "soon", "0", "", "9" * 400)
    ),
    *(("retry-after-ms", value) for value in ("nan", "inf", "x")),
    *(("x-should-retry", value) for value in ("true", "false", "maybe")),
    *(("location", value) for value in ("http://[::1", "/v1/x", "//", "http://e.example/v1", "\\", "data:x")),
    *(("content-encoding", value) for value in ("gzip", "deflate", "br", "zstd", "x", "gzip, gzip")),
    *(("x-request-id", ""), ("msh-request-id", "\x7f"), ("set-cookie", "a"), ("content-length", "3")),
)
BREAKS = ("ReadError", "ReadTimeout", "RemoteProtocolError", "DecodingError")
ERRORS: Sequence[Any] = (
    {"error": {"message": "no", "type": "invalid_request_error", "code": None, "param": None}},
    {"error": {"message": "busy, please try again after 1 seconds", "type": "engine_overloaded_error"}},
    {"error": "url.not_found", "message": "?", "code": 5},
    {"error": [{"message": "x"}]},
    {"message": ["x"], "detail": [{"loc": ["body"], "msg": "x"}]},
    ["x"],
    "x",
    5,
    None,
)
CONTENTS: Sequence[Callable[[], bytes]] = (
    lambda: b"",
    lambda: b"<html><body>Welcome</body></html>",
    lambda: b"null",
    lambda: b"[DONE]",
    lambda: b"{}",
    lambda: b"[]",
    lambda: b'{"error"}',
    lambda: b'{"error":' + b"[" * 2000 + b"]" * 2000 + b"}",
    lambda: b"\xff\xfe{\x00}\x00",
    lambda: b"data: {",
    lambda: b"\x1f\x8b\x08\x00not gzip",
)

Values = Sequence[Any]
KINDS: Mapping[str, str] = {
    "completion": "tool_call.json length.json",
    "models": "models.json",
    "files": "files.json",
    "file": "file.json",
    "file_deleted": "file_deleted.json",
    "content": "file_document.json",
    "balance": "balance.json",
    "estimate": "estimate.json",
    "batch": "batch.json",
}


def good_answers(recorded: Mapping[str, Sequence[Any]] | None = None) -> dict[str, list[Values]]:
    """The values that an answer of each kind consists of: one, or the events of a stream. `recorded` adds some."""
    found: dict[str, list[Values]] = {
        kind: [[json.loads((WIRE / name).read_bytes())] for name in names.split()] for kind, names in KINDS.items()
    }
    found["stream"] = [events_in((WIRE / name).read_bytes()) for name in ("text.sse", "tool_call.sse")]
    found["model"] = [[found["models"][0][0]["data"][0]]]
    found["batches"] = [[{"object": "list", "data": found["batch"][0], "has_more": False}]]
    for kind, answers in (recorded or {}).items():
        found.setdefault(kind, []).extend(answers)
    return found


def events_in(stream: bytes) -> list[Any]:
    lines = [line[6:] for line in stream.decode().splitlines() if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


def damaged(random: Random, kind: str, good: Mapping[str, Sequence[Values]]) -> Answer:
    """An answer of this kind with some damage, none in one of ten."""
    values = deepcopy(list(random.choice(good[kind])))
    is_stream, status = kind.endswith("stream"), 200
    if random.random() < 0.15:
        status = random.choice(STATUSES)
        if status >= 300:
            values, is_stream = [deepcopy(random.choice(ERRORS))], False
    if random.random() < 0.75:
        for _ in range(random.choice((1, 1, 1, 2, 3))):
            place = random.randrange(len(values))
            values[place] = odd_value(random, values[place])
    if is_stream and random.random() < 0.3:
        values = odd_order(random, values)
    body = framed(random, values) if is_stream else written(values[0]).encode(errors="surrogatepass")
    if random.random() < 0.25:
        body = odd_bytes(random, body)
    answer = Answer(status, {"content-type": EVENTS if is_stream else JSON}, cut(random, body))
    return around(random, answer) if random.random() < 0.25 else answer


# Values ---------------------------------------------------------------------------------------------------------------


def places(value: Any) -> list[tuple[Any, Any]]:
    """Each part of a value, as (the object or list that it is in, its key)."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [place for key in keys for place in ((value, key), *places(value[key]))]


def odd_value(random: Random, value: Any) -> Any:
    """The value with one part changed."""
    found = places(value)
    odd = deepcopy(random.choice(ODD_VALUES))
    if not found or random.random() < 0.03:
        return odd
    inside, key = random.choice(found)
    match random.choice(("odd", "odd", "odd", "odd", "delete", "wrap", "rename", "add", "swap", "repeat")):
        case "odd":
            inside[key] = odd
        case "delete":
            del inside[key]
        case "wrap":
            inside[key] = random.choice(([inside[key]], {"a": inside[key]}, {"data": [inside[key]]}))
        case "rename" if isinstance(inside, dict):
            inside[random.choice(ODD_KEYS)] = inside.pop(key)
        case "add" if isinstance(inside, dict):
            inside[random.choice(ODD_KEYS)] = odd
        case "swap":
            other, other_key = random.choice(found)
            other[other_key] = deepcopy(inside[key])
        case _:
            inside[key] = [deepcopy(inside[key]) for _ in range(random.choice((2, 3)))]
    return value


def written(value: Any) -> str:
    """The JSON text of a value, with its `Raw` parts as they are."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{written(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(written, value)) + "]"
    return str(value) if isinstance(value, Raw) else json.dumps(value)


# Bytes ----------------------------------------------------------------------------------------------------------------


def odd_bytes(random: Random, body: bytes) -> bytes:
    at = random.randrange(len(body) + 1)
    match random.randrange(9):
        case 0:
            return body[:at]
        case 1:
            return body[:at] + random.choice((b"\xff", b"\xed\xa0\xbd", b"\x00", b"\xc3", b"\x80")) + body[at:]
        case 2:
            return b"\xef\xbb\xbf" + body
        case 3:
            return body[:at] + body[at + random.randint(1, 40) :]
        case 4:
            return body.replace(b"{", b'{"choices":5,"id":[],"data":1,', 1)
        case 5:
            return body[:-1] + b',"choices":"x","data":{},"usage":[]' + body[-1:]
        case 6:
            return body + random.choice((b"x", b"\n\n", b"\x00", body))
        case 7:
            return body.decode(errors="replace").encode("utf-16")
        case _:
            return random.choice(CONTENTS)()


def cut(random: Random, body: bytes) -> tuple[bytes, ...]:
    size = random.choice((1 + len(body), 7, 100, 1000))
    return tuple(body[at : at + size] for at in range(0, len(body), size))


# Streams --------------------------------------------------------------------------------------------------------------


def odd_order(random: Random, values: list[Any]) -> list[Any]:
    match random.randrange(6):
        case 0:
            random.shuffle(values)
        case 1:
            values = values[: random.randrange(len(values) + 1)]
        case 2:
            values.insert(random.randrange(len(values) + 1), deepcopy(random.choice(values)))
        case 3:
            values.insert(random.randrange(len(values) + 1), deepcopy(random.choice((*ODD_VALUES, *ERRORS))))
        case 4:
            del values[random.randrange(len(values))]
        case _:
            values = [value for value in values if random.random() < 0.7]
    return values


def framed(random: Random, values: Sequence[Any]) -> bytes:
    """The events of a stream, in a form of its own in one of four."""
    end, before, done = "\n\n", "data: ", "data: [DONE]\n\n"
    if random.random() < 0.25:
        end = random.choice(("\r\n\r\n", "\r\r", "\n", "\n\n\n", "\n: alive\n\n", "\nid: 1\nevent: error\n\n", ""))
        before = random.choice(
            ("data: ", "data:", "data", "event: thread.x\ndata: ", "", "data: \ndata: ", "\ufeffdata: ")
        )
        done = random.choice((done, "", "data: [DONE]", "data:[DONE]\n\n" * 2, "data: [DONE] {\n\ndata: {\n\n"))
    events = "".join(f"{before}{written(value)}{end}" for value in values)
    return (events + done).encode(errors="surrogatepass")


# Around a body --------------------------------------------------------------------------------------------------------


def around(random: Random, answer: Answer) -> Answer:
    """The answer with another media type, an odd header, or a connection that breaks."""
    match random.randrange(4):
        case 0 | 1:
            return replace(answer, headers={**answer.headers, "content-type": random.choice(CONTENT_TYPES)})
        case 2:
            name, value = random.choice(ODD_HEADERS)
            return replace(answer, headers={**answer.headers, name: value})
        case _:
            whole = len(answer.pieces)
            return replace(answer, pieces=answer.pieces[: random.randint(0, whole)], breaks=random.choice(BREAKS))
