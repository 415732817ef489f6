"""The file endpoints over real sockets, and the multipart form."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.emulator import Behaviour, Emulator
from kimi_openai.emulator.endpoints.multipart import form_fields
from tests.emulator.http import error_of, form, recorded, send, upload

PURPOSES: dict[str, tuple[str, int]] = {p: (p, 200) for p in ("file-extract", "image", "video", "batch", "lambda")}


@pytest.mark.parametrize(("purpose", "status"), PURPOSES.values(), ids=PURPOSES)
def test_purposes(kimi: Emulator, purpose: str, status: int) -> None:
    """The platform's purposes are accepted."""
    assert upload(kimi, purpose=purpose).status == status


REFUSED: dict[str, dict[str, Any]] = {"purpose": {"purpose": "assistants"}, "empty_file": {"data": b""}}


@pytest.mark.parametrize(("name", "file"), REFUSED.items(), ids=REFUSED)
def test_refusals(kimi: Emulator, name: str, file: dict[str, Any]) -> None:
    """Refused files get the recorded texts."""
    got = upload(kimi, **file)
    assert (got.status, got.json) == error_of(name)


def test_a_large_file_is_refused() -> None:
    """With the recorded text; with a limit of 1 MB here, because 100 MB take a second."""
    assert Behaviour().max_file_bytes == 100 * 1024 * 1024
    with Emulator(behaviour=Behaviour(max_file_bytes=1024 * 1024)) as kimi:
        got = upload(kimi, data=b"x" * (1024 * 1024 + 1))
    status, body = error_of("large_file")
    assert (got.status, got.json["error"]["message"]) == (status, body["error"]["message"].replace("100MB", "1MB"))


def test_limits() -> None:
    """The number and the sum of the files are limited."""
    with Emulator(behaviour=Behaviour(max_files=1)) as kimi:
        assert [upload(kimi).status for _ in range(2)] == [200, 400]
    with Emulator(behaviour=Behaviour(max_total_bytes=5)) as kimi:
        assert [upload(kimi, data=b"four").status for _ in range(2)] == [200, 400]


def test_missing_parts(kimi: Emulator) -> None:
    """An upload without its form is a 400."""
    assert send(kimi, "POST", "/v1/files", {"purpose": "image"}).json["error"]["message"].startswith("missing required")


def test_upload_to_deletion(kimi: Emulator) -> None:
    """Upload, retrieve, read, delete; then each is a 404."""
    file = upload(kimi, "notes.md", "# Übung\r\n".encode()).json
    path = f"/v1/files/{file['id']}"
    assert (file["id"][:5], file["bytes"], file["filename"], file["status"]) == ("file_", 10, "notes.md", "ready")
    assert send(kimi, "GET", path).json == file
    content = send(kimi, "GET", f"{path}/content")
    assert (content.headers["Content-Type"], content.body.decode()) == ("text/plain; charset=utf-8", "# Übung\r\n")
    assert send(kimi, "DELETE", path).json == {"id": file["id"], "object": "file", "deleted": True}
    gone = [send(kimi, method, path + end) for method, end in (("GET", ""), ("DELETE", ""), ("GET", "/content"))]
    assert [(got.status, got.json["error"]["type"]) for got in gone] == [(404, "resource_not_found_error")] * 3


def test_duplicate_names(kimi: Emulator) -> None:
    """A name that is in use gets a number."""
    names = [upload(kimi, "a.txt").json["filename"] for _ in range(3)]
    assert names == ["a.txt", "a(1).txt", "a(2).txt"]


def test_content_as_document() -> None:
    """The JSON document of the 2025 samples, with its keys in order."""
    with Emulator(behaviour=Behaviour(file_content="document", file_status="ok")) as kimi:
        file = upload(kimi, data=b"hello").json
        got = json.loads(send(kimi, "GET", f"/v1/files/{file['id']}/content").body)
    assert (list(got), got["content"], file["status"]) == (list(recorded("file_document.json")), "hello", "ok")


def test_media_have_no_content(kimi: Emulator) -> None:
    """The content of an image is a 400."""
    file = upload(kimi, "a.png", b"\x89PNG", "image").json
    assert send(kimi, "GET", f"/v1/files/{file['id']}/content").status == 400


def test_binary_content(kimi: Emulator) -> None:
    """A file that is not text has a content that says so."""
    file = upload(kimi, "a.pdf", b"%PDF\xff\xfe").json
    assert send(kimi, "GET", f"/v1/files/{file['id']}/content").body == b"[the emulator does not parse a.pdf; 6 bytes]"


@pytest.mark.parametrize(("honours", "left"), [(False, 2), (True, 1)])
def test_after(honours: bool, left: int) -> None:
    """The list ignores `after` unless the behaviour supports it, and never has has_more."""
    with Emulator(behaviour=Behaviour(file_list_honours_after=honours)) as kimi:
        first, _ = upload(kimi).json, upload(kimi).json
        got = send(kimi, "GET", f"/v1/files?after={first['id']}").json
        assert (list(got), len(got["data"])) == (["object", "data"], left)


@given(st.binary(max_size=200).filter(lambda data: b"\r\n--xyz" not in b"\r\n" + data))
def test_form_keeps_bytes(data: bytes) -> None:
    """A form carries any bytes of a file unchanged."""
    body, headers = form("ä.bin", data, "image")
    fields = form_fields(headers["Content_Type"], body)
    assert (fields["file"].data, fields["file"].filename, fields["purpose"].data) == (data, "ä.bin", b"image")
