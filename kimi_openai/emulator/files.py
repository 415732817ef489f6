"""The file store: limits, purposes, renaming and the text of a file, in memory. Source: platform docs, files pages.

Errors come back as `Problem` values with the platform's texts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import PurePath

from .behaviour import Behaviour
from .wire import Answer, Json, Problem, encode, json_answer, not_found

__all__ = ["Files", "Upload", "form_fields"]

PURPOSES = ("file-extract", "batch", "batch_output", "lambda", "image", "video")
MEDIA = ("image", "video")


@dataclass(frozen=True, slots=True)
class Upload:
    """One part of a multipart form."""

    data: bytes
    filename: str | None
    content_type: str


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file with its FileObject."""

    data: bytes
    content_type: str
    facts: Json

    @property
    def purpose(self) -> str:
        """What the file was uploaded for."""
        return str(self.facts["purpose"])


@dataclass(slots=True)
class Files:
    """All files of the account, by id."""

    behaviour: Behaviour
    by_id: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])

    def problem_with(self, data: bytes, purpose: str) -> Problem | None:
        """Why a file is refused, if it is."""
        limits = self.behaviour
        if purpose not in PURPOSES:
            names = "`file-extract`, `batch`, `batch_output`, `lambda`, `image` and `video`"
            return Problem(f"Invalid purpose: {purpose}, only {names} accepted")
        if not data:
            return Problem("File size is zero, please confirm and re-upload the file")
        if len(data) > limits.max_file_bytes:
            size = limits.max_file_bytes // 1024**2
            return Problem(f"File size is too large, max file size is {size}MB, please confirm and re-upload the file")
        used = sum(len(file.data) for file in self.by_id.values())
        if len(self.by_id) >= limits.max_files or used + len(data) > limits.max_total_bytes:
            text = f"The number of files you have uploaded exceeded the max file count {limits.max_files}"
            return Problem(f"{text}, please delete previous uploaded files")
        return None

    def add(self, id: str, created: int, upload: Upload, purpose: str) -> Json:
        """Store a file and give its FileObject; a taken name gets a number (how the server renames is unknown)."""
        facts: Json = {
            "id": id,
            "object": "file",
            "bytes": len(upload.data),
            "created_at": created,
            "filename": self._free_name(upload.filename or "file"),
            "purpose": purpose,
            "status": self.behaviour.file_status,
            "status_details": "",
        }
        self.by_id[id] = StoredFile(upload.data, upload.content_type, facts)
        return facts

    def _free_name(self, name: str) -> str:
        taken = {file.facts["filename"] for file in self.by_id.values()}
        path, number, free = PurePath(name), 1, name
        while free in taken:
            free, number = f"{path.stem}({number}){path.suffix}", number + 1
        return free

    def list(self, after: str | None) -> Json:
        """The list body: no `has_more`, and by default `after` is ignored."""
        ids = list(self.by_id)
        if after in ids and self.behaviour.file_list_honours_after:
            ids = ids[ids.index(after) + 1 :]
        return {"object": "list", "data": [self.by_id[id].facts for id in ids]}

    def retrieve(self, id: str) -> Answer:
        """The FileObject, or 404."""
        return json_answer(self.by_id[id].facts) if id in self.by_id else _missing(id)

    def delete(self, id: str) -> Answer:
        """The deletion body, or 404."""
        if self.by_id.pop(id, None) is None:
            return _missing(id)
        return json_answer({"id": id, "object": "file", "deleted": True})

    def content(self, id: str) -> Answer:
        """The text of a file as `text/plain`; 404 if unknown; 400 for images and videos, which is inferred."""
        file = self.by_id.get(id)
        if file is None:
            return _missing(id)
        if file.purpose in MEDIA:
            return Problem(
                f"Invalid request: the content of a file with purpose {file.purpose} is not available"
            ).answer()
        if file.purpose == "file-extract":
            return Answer((self._extracted(file).encode(),), content_type="text/plain; charset=utf-8")
        return Answer((file.data,), content_type="text/plain; charset=utf-8")

    def _extracted(self, file: StoredFile) -> str:
        name = file.facts["filename"]
        try:
            text = file.data.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = f"[the emulator does not parse {name}; {len(file.data)} bytes]"
        if self.behaviour.file_content == "text":
            return text
        document = {"content": text, "file_type": file.content_type, "filename": name, "title": "", "type": "file"}
        return encode(document)


def _missing(id: str) -> Answer:
    return not_found(f"file {id}").answer()


PARAMETER = re.compile(rb'(\w+\*?)="((?:[^"\\]|\\.)*)"')


def form_fields(content_type: str, body: bytes) -> dict[str, Upload]:
    """The parts of a multipart form by name; empty when the body is none."""
    found = re.search(r'boundary="?([^";]+)"?', content_type)
    if not content_type.startswith("multipart/form-data") or not found:
        return {}
    fields: dict[str, Upload] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + found[1].encode())[1:-1]:
        head, _, data = part.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        names = {key.decode(): value.decode(errors="replace") for key, value in PARAMETER.findall(head)}
        kind = re.search(rb"(?im)^content-type:\s*([^\r\n]+)", head)
        content = kind[1].decode() if kind else "application/octet-stream"
        fields[names.get("name", "")] = Upload(data, names.get("filename"), content)
    return fields
