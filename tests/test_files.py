"""files.py: what is wrong with a file is said before anything is sent, and nothing is left behind."""

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

from kimi_openai import extract_text, upload_media
from kimi_openai import files as room
from kimi_openai.emulator import Emulator, internal_error

from .conftest import Mode

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
def test_text_comes_back_and_the_remote_copy_goes(mode: Mode, kimi: Emulator, tmp_path: Path, form: str) -> None:
    """Upload with file-extract, read, delete: three requests, whatever form the file has."""
    (tmp_path / "notes.md").write_bytes(b"# The notes")
    source = FORMS[form](tmp_path / "notes.md")
    text = mode.run(extract_text(mode.client(kimi), source))
    assert "# The notes" in text
    assert [request.method for request in kimi.requests] == ["POST", "GET", "DELETE"]
    assert b'name="purpose"\r\n\r\nfile-extract' in kimi.requests[0].body
    assert (b'filename="notes.md"' in kimi.requests[0].body) == (form in ("path", "string", "file"))
    if form in ("file", "object"):
        assert not source.closed
        source.close()


@pytest.mark.parametrize("form", ["unbuffered pipe", "path of a pipe"])
def test_a_pipe_is_read_to_its_end(mode: Mode, kimi: Emulator, tmp_path: Path, form: str) -> None:
    """A read that gives less than was asked for is not the end, and a file opened by number has no name to send."""
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


def test_the_remote_copy_may_be_kept_and_named(mode: Mode, kimi: Emulator) -> None:
    """`keep_file=True` leaves it; `filename` tells the format."""
    client = mode.client(kimi)
    mode.run(extract_text(client, b"a,b", filename="table.csv", keep_file=True))
    (file,) = mode.each(client.files.list())
    assert (file.filename, file.purpose) == ("table.csv", "file-extract")


def test_the_remote_copy_goes_also_when_reading_fails(mode: Mode, kimi: Emulator) -> None:
    """The error of the reading is what the caller sees."""
    client = mode.client(kimi, max_retries=0)
    kimi.fail(internal_error(), path="/content")
    with pytest.raises(openai.InternalServerError):
        mode.run(extract_text(client, b"text"))
    assert [request.method for request in kimi.requests] == ["POST", "GET", "DELETE"]
    assert mode.each(client.files.list()) == []


def test_a_failed_deletion_does_not_cost_the_text(mode: Mode, kimi: Emulator, caplog: pytest.LogCaptureFixture) -> None:
    """What was received is returned, and the log says which file stays."""

    def delete(*_: Any, **__: Any) -> Any:
        raise openai.OpenAIError("no")

    client = mode.client(kimi)
    client.files.delete = delete
    with caplog.at_level(logging.WARNING, "kimi_openai"):
        assert "text" in mode.run(extract_text(client, b"text"))
    assert "stays on the platform" in caplog.text


def test_bad_files_are_errors_before_anything_is_sent(
    mode: Mode, kimi: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such file, a folder, an empty file, one that is too large, one open as text, something else."""
    monkeypatch.setattr(room, "MAX_FILE_BYTES", 1000)
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
    """The purpose is told from the content, and the reference is one that a chat accepts."""
    client = mode.client(kimi)
    reference = mode.run(upload_media(client, content))
    assert reference.startswith("ms://file_")
    (file,) = mode.each(client.files.list())
    assert (f"ms://{file.id}", file.purpose) == (reference, purpose)


def test_media_of_other_kinds_are_refused(mode: Mode, kimi: Emulator, tmp_path: Path) -> None:
    """SVG, unknown bytes and purposes of other things are errors before anything is sent."""
    (tmp_path / "logo.svg").write_text("<svg/>")
    client = mode.client(kimi)
    with pytest.raises(ValueError, match=r"logo\.svg \(image/svg\+xml\)"):
        mode.run(upload_media(client, tmp_path / "logo.svg"))
    with pytest.raises(ValueError, match="unknown type"):
        mode.run(upload_media(client, b"hm"))
    with pytest.raises(ValueError, match="'assistants'; upload_media takes 'image' or 'video'"):
        mode.run(upload_media(client, PNG, purpose="assistants"))  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"no image in logo\.svg"):
        mode.run(upload_media(client, tmp_path / "logo.svg", purpose="image"))
    with pytest.raises(ValueError, match=r"no video in these bytes \(image/png\)"):
        mode.run(upload_media(client, PNG, purpose="video"))
    assert kimi.requests == []
    assert mode.run(upload_media(client, b"hm", purpose="video")).startswith("ms://")
