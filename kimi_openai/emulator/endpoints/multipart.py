"""Reading the multipart form of an upload."""

from __future__ import annotations

import re

from kimi_openai.emulator.state.files import Upload

__all__ = ["form_fields"]

BOUNDARY = re.compile(r'boundary="?([^";]+)"?')
PARAMETER = re.compile(rb'(\w+\*?)="((?:[^"\\]|\\.)*)"')
CONTENT_TYPE = re.compile(rb"(?im)^content-type:\s*([^\r\n]+)")


def form_fields(content_type: str, body: bytes) -> dict[str, Upload]:
    """The parts of a multipart form by name; empty if the body is no multipart form."""
    boundary = BOUNDARY.search(content_type)
    if not content_type.startswith("multipart/form-data") or not boundary:
        return {}
    fields: dict[str, Upload] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        parameters = {key.decode(): value.decode(errors="replace") for key, value in PARAMETER.findall(head)}
        kind = CONTENT_TYPE.search(head)
        content = kind[1].decode() if kind else "application/octet-stream"
        fields[parameters.get("name", "")] = Upload(data, parameters.get("filename"), content)
    return fields
