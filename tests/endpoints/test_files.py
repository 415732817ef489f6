"""`extract_text` and `upload_media`: the requests, the files they accept, and the ones they refuse before sending."""

from __future__ import annotations

import io
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai import UnexpectedAnswerError, extract_text, upload_media
from kimi_openai.emulator import Emulator, internal_error
from kimi_openai.endpoints import files
from tests.conftest import Mode

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 32
MP4 = b"\x00\x00\x00\x18ftypmp42" + b"0" * 32


FORMS: dict[str, Callable[[Path], Any]] = {
    "path": lambda path: path,
    "string": str,
    "bytes": Path.read_bytes,
    "file": lambda path: path.open("rb"),
    "object": lambda path: io.BytesIO(path.read_bytes()),
}


@pytest.mark.parametrize("form", FORMS)
def test_the_text_is_returned_and_the_file_deleted(mode: Mode, kimi: Emulator, tmp_path: Path, form: str) -> None:
    """Three requests for each form of file: upload with `file-extract`, read, delete."""
    (tmp_path / "notes.md").write_bytes(b"# The notes")
    source = FORMS[form](tmp_path / "notes.md")
    text = mode.run(extract_text(mode.client(kimi), source))
    assert "# The notes" in text
    assert [request.method for request in kimi.requests] == ["POST", "GET", "DELETE"]
    assert b'name="purpose"\r\n\r\nfile-extract' in kimi.requests[0].body
    name = b"notes.md" if form in ("path", "string", "file") else b"document.txt"
    assert b'filename="%b"' % name in kimi.requests[0].body
    if form in ("file", "object"):
        assert not source.closed
        source.close()


@pytest.mark.parametrize("form", ["unbuffered pipe", "path of a pipe"])
def test_a_pipe_is_read_to_its_end(mode: Mode, kimi: Emulator, tmp_path: Path, form: str) -> None:
    """A short read is not the end, and a file opened by descriptor has no name to send."""
    whole = b"0123456789" * 30_000  # more than a pipe holds
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=(whole,), daemon=True)
    writer.start()
    if form == "path of a pipe":
        text = mode.run(extract_text(mode.client(kimi), tmp_path / "pipe"))
    else:
        with open(os.open(tmp_path / "pipe", os.O_RDONLY), "rb", buffering=0) as pipe:
            text = mode.run(extract_text(mode.client(kimi), pipe))
        assert b'filename="document.txt"' in kimi.requests[0].body
    writer.join()
    assert whole in kimi.requests[0].body
    assert len(text) >= len(whole)


def test_the_uploaded_file_can_be_kept_and_named(mode: Mode, kimi: Emulator) -> None:
    """With `keep_file=True` it is not deleted; `filename` is sent."""
    client = mode.client(kimi)
    mode.run(extract_text(client, b"a,b", filename="table.csv", keep_file=True))
    (file,) = mode.each(client.files.list())
    assert (file.filename, file.purpose) == ("table.csv", "file-extract")


def test_bytes_of_a_pdf_are_named_so(mode: Mode, kimi: Emulator) -> None:
    """Bytes have no name, and Kimi takes the format from the name."""
    client = mode.client(kimi)
    mode.run(extract_text(client, b"%PDF-1.7 ...", keep_file=True))
    (file,) = mode.each(client.files.list())
    assert file.filename == "document.pdf"


def test_the_uploaded_file_is_deleted_also_if_reading_fails(mode: Mode, kimi: Emulator) -> None:
    """The caller gets the error of the reading."""
    client = mode.client(kimi, max_retries=0)
    kimi.fail(internal_error(), path="/content")
    with pytest.raises(openai.InternalServerError):
        mode.run(extract_text(client, b"text"))
    assert [request.method for request in kimi.requests] == ["POST", "GET", "DELETE"]
    assert mode.each(client.files.list()) == []


def test_the_text_is_returned_also_if_deleting_fails(
    mode: Mode, kimi: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says which file stays on the platform, and why."""
    client = mode.client(kimi)

    def delete(*_: Any, **__: Any) -> Any:
        raise openai.OpenAIError("no")

    client.files.delete = delete
    with caplog.at_level(logging.WARNING, "kimi_openai"):
        assert "text" in mode.run(extract_text(client, b"text"))
    (file,) = mode.each(client.files.list())
    assert f"the file {file.id} stays on the platform, it could not be deleted: no" in caplog.text


def test_bad_files_are_refused_before_sending(
    mode: Mode, kimi: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A missing file, a folder, an empty file, one too large, one open as text, and another object."""
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1000)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "large.txt").write_bytes(b"x" * 1001)
    (tmp_path / "text").write_text("text")
    client = mode.client(kimi)
    with (tmp_path / "text").open() as as_text:
        bad: list[tuple[Any, type[Exception], str]] = [
            (tmp_path / "none.pdf", FileNotFoundError, "does not exist"),
            (str(tmp_path), FileNotFoundError, "is a folder"),
            (tmp_path / "empty", ValueError, "is empty"),
            (b"", ValueError, "is empty"),
            (tmp_path / "large.txt", ValueError, "over 100 MB"),
            (b"x" * 1001, ValueError, "over 100 MB"),
            (io.BytesIO(b"x" * 1001), ValueError, "over 100 MB"),
            (as_text, TypeError, "not bytes; open it with mode 'rb'"),
            (42, TypeError, "not int"),
        ]
        for source, kind, words in bad:
            with pytest.raises(kind, match=words):
                mode.run(extract_text(client, source))
            with pytest.raises(kind, match=words):
                mode.run(upload_media(client, source.getvalue() if isinstance(source, io.BytesIO) else source))
    assert kimi.requests == []


@pytest.mark.parametrize(("content", "purpose"), [(PNG, "image"), (MP4, "video")], ids=["image", "video"])
def test_media_become_references(mode: Mode, kimi: Emulator, content: bytes, purpose: str) -> None:
    """The purpose comes from the content, and the name of bytes from the purpose."""
    client = mode.client(kimi)
    reference = mode.run(upload_media(client, content))
    assert reference.startswith("ms://file_")
    (file,) = mode.each(client.files.list())
    assert (f"ms://{file.id}", file.purpose, file.filename) == (reference, purpose, f"upload.{purpose}")


def test_other_media_are_refused_before_sending(mode: Mode, kimi: Emulator, tmp_path: Path) -> None:
    """SVG, unknown bytes, another purpose, and a purpose that the content contradicts."""
    (tmp_path / "logo.svg").write_text("<svg/>")
    client = mode.client(kimi)
    other: Any = "assistants"
    with pytest.raises(ValueError, match=r"logo\.svg \(image/svg\+xml\)"):
        mode.run(upload_media(client, tmp_path / "logo.svg"))
    with pytest.raises(ValueError, match="unknown type"):
        mode.run(upload_media(client, b"hm"))
    with pytest.raises(ValueError, match="'assistants'; upload_media takes 'image' or 'video'"):
        mode.run(upload_media(client, PNG, purpose=other))
    with pytest.raises(ValueError, match=r"no image in logo\.svg"):
        mode.run(upload_media(client, tmp_path / "logo.svg", purpose="image"))
    with pytest.raises(ValueError, match=r"no video in these bytes \(image/png\)"):
        mode.run(upload_media(client, PNG, purpose="video"))
    assert kimi.requests == []
    assert mode.run(upload_media(client, b"hm", purpose="video")).startswith("ms://")  # of no known type


@pytest.mark.parametrize("answer", [{}, {"id": ""}, {"id": ["f"]}, {"id": "a\nb"}], ids=str)
def test_an_upload_without_an_id_is_an_error(mode: Mode, answering: Any, answer: Any) -> None:
    """Nothing else is asked then."""
    server = answering(200, answer)
    client = mode.client(api_key="sk-1", base_url=server.base_url)
    for ask in (lambda: extract_text(client, b"abc"), lambda: upload_media(client, b"\x89PNG\r\n\x1a\n")):
        with pytest.raises(UnexpectedAnswerError, match="the id of the uploaded file"):
            mode.run(ask())
    assert [method for method, *_ in server.requests] == ["POST", "POST"]
