"""The uploaded files, in memory. Which uploads are refused is decided in `validation.files`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import PurePath

from kimi_openai.emulator.json_values import Json

__all__ = ["Files", "StoredFile", "Upload"]


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
    object: Json

    @property
    def purpose(self) -> str:
        """What the file was uploaded for."""
        return str(self.object["purpose"])


@dataclass(slots=True)
class Files:
    """All files of the account by id, oldest first. `status` is what each FileObject says."""

    status: str
    by_id: dict[str, StoredFile] = field(default_factory=dict[str, StoredFile])

    @property
    def total_bytes(self) -> int:
        """The size of all files together."""
        return sum(len(file.data) for file in self.by_id.values())

    @property
    def of_batches(self) -> int:
        """The number of output files of batches."""
        return sum(file.purpose == "batch_output" for file in self.by_id.values())

    def add(self, id: str, created: int, upload: Upload, purpose: str) -> Json:
        """Store a file; returns its FileObject. A taken name gets a number (how the platform renames is unknown)."""
        file: Json = {
            "id": id,
            "object": "file",
            "bytes": len(upload.data),
            "created_at": created,
            "filename": self._free_name(upload.filename or "file"),
            "purpose": purpose,
            "status": self.status,
            "status_details": "",
        }
        self.by_id[id] = StoredFile(upload.data, upload.content_type, file)
        return file

    def _free_name(self, name: str) -> str:
        taken = {file.object["filename"] for file in self.by_id.values()}
        path, number, free = PurePath(name), 1, name
        while free in taken:
            free, number = f"{path.stem}({number}){path.suffix}", number + 1
        return free
