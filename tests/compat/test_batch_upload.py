"""Uploads of batch files: what is sent, from files of any kind, and what happens to the caller's file."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import openai
import pytest

from kimi_openai import CompatError, KimiCompatWarning, Note
from kimi_openai._internal.clock import instant
from kimi_openai.compat import batch_upload
from kimi_openai.emulator import Emulator, unavailable
from kimi_openai.emulator.endpoints.multipart import form_fields
from tests.conftest import Mode

from .bodies import HI, K26

pytestmark = pytest.mark.k2  # no other model takes batches


def lines(count: int = 2, **body: Any) -> bytes:
    """A batch file."""
    whole = {"model": K26, "messages": HI, **body}
    line = {"method": "POST", "url": "/v1/chat/completions", "body": whole}
    return b"".join(json.dumps({"custom_id": f"r{number}", **line}).encode() + b"\n" for number in range(count))


GIVEN, SENT = lines(max_tokens=9), lines(max_completion_tokens=9)


def upload(mode: Mode, client: Any, file: Any, **options: Any) -> Any:
    """Uploads the file as a batch file."""
    return mode.run(client.files.create(file=file, purpose="batch", **options))


def sent(kimi: Emulator) -> Any:
    """The file of the last request: its data, filename and content_type."""
    request = kimi.requests[-1]
    return form_fields(request.headers["Content-Type"], request.body)["file"]


def is_same(data: bytes, expected: bytes) -> bool:
    """Whether both files have the same JSON in their lines."""
    return [*map(json.loads, data.splitlines())] == [*map(json.loads, expected.splitlines())]


def opened(path: Path) -> Any:
    """The file, opened, at another place than its beginning."""
    file = path.open("rb")
    file.seek(3)
    return file


class OnlyReads(io.RawIOBase):
    """A stream that can be read once."""

    def __init__(self, data: bytes) -> None:
        self.file = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self.file.readinto(memoryview(buffer)[:7])


SOURCES: dict[str, Any] = {
    "a path": lambda path: path,
    "a file": opened,
    "bytes with a name": lambda path: ("in.jsonl", path.read_bytes()),
    "bytes with a media type": lambda path: ("in.jsonl", path.read_bytes(), "application/jsonl"),
    "a file with a name": lambda path: ("in.jsonl", io.BytesIO(path.read_bytes())),
    "a path with a name": lambda path: ("in.jsonl", path),
    "a stream": lambda path: ("in.jsonl", OnlyReads(path.read_bytes())),
}


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_a_file_of_any_kind_is_shaped(mode: Mode, kimi: Emulator, tmp_path: Path, source: Any) -> None:
    """Each line's body is changed as that of a request; name and media type are right."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(GIVEN)
    notes: list[Note] = []
    file = source(path)
    assert upload(mode, mode.client(kimi, on_note=notes.append), file).purpose == "batch"
    assert is_same(sent(kimi).data, SENT)
    assert (sent(kimi).filename, sent(kimi).content_type) == ("in.jsonl", "application/jsonl")
    assert [(note.where, note.change) for note in notes] == [
        ("line 1, body.max_tokens", "sent as max_completion_tokens (in 2 lines)")
    ]
    if hasattr(file, "close"):
        assert file.tell() == 3
        file.close()


def test_what_needs_no_change_is_sent_as_it_is(mode: Mode, kimi: Emulator) -> None:
    """Byte for byte, without a note."""
    upload(mode, mode.client(kimi), ("in.jsonl", SENT))
    assert sent(kimi).data == SENT


@pytest.mark.parametrize(
    ("file", "name"), [(SENT, "batch.jsonl"), (("requests.txt", SENT), "requests.jsonl"), (("a.b", SENT), "a.jsonl")]
)
def test_the_name_ends_as_kimi_wants_it(mode: Mode, kimi: Emulator, file: Any, name: str) -> None:
    """With a note."""
    with pytest.warns(KimiCompatWarning, match=r"must end with \.jsonl"):
        upload(mode, mode.client(kimi), file)
    assert sent(kimi).filename == name


def test_a_line_that_kimi_refuses_stops_the_upload(mode: Mode, kimi: Emulator) -> None:
    """The error has the line number, and nothing is sent."""
    client = mode.client(kimi)
    with pytest.raises(CompatError, match="- line 3: cannot be sent, because it is not JSON"):
        upload(mode, client, ("in.jsonl", SENT + b"{\n" + lines(1)))
    with pytest.raises(CompatError, match=r"line 1, body\.model: .*kimi-k3 is not listed for batches"):
        upload(mode, client, ("in.jsonl", lines(model="kimi-k3")))
    assert kimi.requests == []


def test_aliases_and_strictness_are_those_of_the_client(mode: Mode, kimi: Emulator) -> None:
    """As for a request; with `compat="off"` the file is not read."""
    client = mode.client(kimi, model_aliases={"gpt-4o-mini": K26})
    upload(mode, client, ("in.jsonl", lines(model="gpt-4o-mini")))
    assert is_same(sent(kimi).data, lines())
    with pytest.raises(CompatError, match=r"line 1, body\.max_tokens"):
        upload(mode, client.with_options(compat="strict"), ("in.jsonl", GIVEN))
    upload(mode, client.with_options(compat="off"), ("in.txt", b"no JSON"))
    assert (sent(kimi).filename, sent(kimi).data) == ("in.txt", b"no JSON")


def test_other_uploads_are_not_read(mode: Mode, kimi: Emulator) -> None:
    """Only batch files have lines."""
    upload_of_text = mode.client(kimi).files.create(file=("a.txt", b"no JSON"), purpose="file-extract")
    mode.run(upload_of_text)
    assert sent(kimi).data == b"no JSON"


def test_an_upload_is_sent_again(mode: Mode, kimi: Emulator) -> None:
    """Also from a stream that can be read only once: the whole file, both times."""
    kimi.fail(unavailable())
    with instant():
        upload(mode, mode.client(kimi), ("in.jsonl", OnlyReads(SENT)))
    assert len(kimi.requests) == 2
    assert [form_fields(each.headers["Content-Type"], each.body)["file"].data for each in kimi.requests] == [SENT] * 2


def test_a_large_file_is_not_held_in_memory(
    mode: Mode, kimi: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read in pieces, and what is sent is on the disk; in the end it is closed."""
    monkeypatch.setattr(batch_upload, "MOST_IN_MEMORY", 1000)
    monkeypatch.setattr(batch_upload, "PIECE", 100)
    path = tmp_path / "in.jsonl"
    path.write_bytes(lines(100))
    reads: list[int] = []
    with path.open("rb") as file:
        real_read = file.read

        class Watched(io.RawIOBase):
            name = str(path)

            def read(self, size: int | None = -1, /) -> bytes:
                reads.append(len(piece := real_read(size or -1)))
                return piece

        upload(mode, mode.client(kimi), Watched())
    assert max(reads) == 100
    assert sent(kimi).data == lines(100)


def test_a_file_over_the_limit_is_refused(mode: Mode, kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it is sent, and without reading the rest."""
    monkeypatch.setattr(batch_upload, "MAX_FILE_BYTES", len(lines(10)))
    upload(mode, mode.client(kimi), ("in.jsonl", lines(10)))
    source = io.BytesIO(lines(10_000))
    with pytest.raises(CompatError, match="max file size is 100MB"):
        upload(mode, mode.client(kimi), ("in.jsonl", source))
    assert len(kimi.requests) == 1


def test_a_pipe_is_read_once(mode: Mode, kimi: Emulator) -> None:
    """It has neither a position nor a name."""
    end, start = os.pipe()

    def write() -> None:
        with os.fdopen(start, "wb") as pipe:
            pipe.write(SENT)

    writer = threading.Thread(target=write)
    writer.start()
    with os.fdopen(end, "rb") as pipe, pytest.warns(KimiCompatWarning, match=r"batch\.jsonl"):
        upload(mode, mode.client(kimi), pipe)
    writer.join()
    assert sent(kimi).data == SENT


def test_a_file_open_as_text_is_a_type_error(mode: Mode, kimi: Emulator, tmp_path: Path) -> None:
    """As in the SDK's HTTP library; its position stays."""
    path = tmp_path / "in.jsonl"
    path.write_bytes(SENT)
    with path.open() as file:
        with pytest.raises((TypeError, openai.APIConnectionError), match="mode 'rb'"):
            upload(mode, mode.client(kimi), file)
        assert file.tell() == 0
    assert kimi.requests == []


def test_a_batch_runs_to_its_end(mode: Mode, kimi: Emulator) -> None:
    """From a file that OpenAI code wrote to its answers."""
    client = mode.client(kimi)
    with pytest.warns(KimiCompatWarning):
        file = upload(
            mode, client, ("in.jsonl", lines(3, temperature=0.2, messages=[{"role": "developer", "content": "x"}, *HI]))
        )
    batch = mode.run(
        client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    )
    while batch.status not in ("completed", "failed"):
        batch = mode.run(client.batches.retrieve(batch.id))
    assert (batch.status, batch.request_counts.completed) == ("completed", 3)
