"""Plain HTTP for the emulator's tests: no client of ours, no SDK."""

from __future__ import annotations

import http.client
import json
from pathlib import Path
from typing import Any, NamedTuple

from kimi_openai.emulator import Emulator

WIRE = Path(__file__).parents[1] / "wire"
HELLO = [{"role": "user", "content": "Hello"}]


class Got(NamedTuple):
    """An answer, read to its end."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> Any:
        return self.json["choices"][0]["message"]


def send(kimi: Emulator, method: str, path: str, body: Any = None, **headers: str) -> Got:
    """Send one request with the right key (unless `Authorization` is given) and read the answer."""
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    connection = http.client.HTTPConnection("127.0.0.1", kimi.port, timeout=10)
    try:
        connection.request(method, path, data, {"Authorization": f"Bearer {kimi.api_key}", **given})
        answer = connection.getresponse()
        return Got(answer.status, answer.msg, answer.read())
    finally:
        connection.close()


def chat(kimi: Emulator, *, headers: dict[str, str] | None = None, **body: Any) -> Got:
    """Send a chat completion; a model and a message are filled in."""
    whole = {"model": "kimi-k3", "messages": HELLO, **body}
    return send(kimi, "POST", "/v1/chat/completions", whole, **(headers or {}))


def events(body: bytes) -> list[Any]:
    """The parsed `data:` lines of a stream; `[DONE]` stays text."""
    lines = [line[6:] for line in body.decode().splitlines() if line.startswith("data: ")]
    return [line if line == "[DONE]" else json.loads(line) for line in lines]


def deltas(body: bytes) -> list[Any]:
    """The deltas of a stream's chunks."""
    chunks = [event for event in events(body) if isinstance(event, dict) and event.get("choices")]
    return [chunk["choices"][0]["delta"] for chunk in chunks]


def partly(kimi: Emulator, **body: Any) -> tuple[bytes, str]:
    """What arrives of a stream, and the name of the exception that ends it ("" for a clean end)."""
    connection = http.client.HTTPConnection("127.0.0.1", kimi.port, timeout=10)
    whole = json.dumps({"model": "kimi-k3", "messages": HELLO, "stream": True, **body})
    got = b""
    try:
        connection.request("POST", "/v1/chat/completions", whole, {"Authorization": f"Bearer {kimi.api_key}"})
        answer = connection.getresponse()
        while piece := answer.read1():
            got += piece
        return got, "IncompleteRead" if answer.length else ""
    except (http.client.HTTPException, ConnectionError) as end:
        return got, type(end).__name__
    finally:
        connection.close()


def form(filename: str, data: bytes, purpose: str) -> tuple[bytes, dict[str, str]]:
    """A multipart body with its content type."""
    head = b'--xyz\r\nContent-Disposition: form-data; name="purpose"\r\n\r\n' + purpose.encode() + b"\r\n"
    head += f'--xyz\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n'.encode()
    body = head + b"Content-Type: text/plain\r\n\r\n" + data + b"\r\n--xyz--\r\n"
    return body, {"Content_Type": "multipart/form-data; boundary=xyz"}


def upload(kimi: Emulator, filename: str = "a.txt", data: bytes = b"text", purpose: str = "file-extract") -> Got:
    """Upload a file."""
    body, headers = form(filename, data, purpose)
    return send(kimi, "POST", "/v1/files", body, **headers)


def recorded(name: str) -> Any:
    """A recorded body of `tests/wire`, or the events of a recorded stream."""
    data = (WIRE / name).read_bytes()
    return events(data) if name.endswith(".sse") else json.loads(data)


def error_of(name: str) -> tuple[int, Any]:
    """Status and body of a recorded error."""
    error = recorded("errors.json")[name]
    return error["status"], error["body"]
