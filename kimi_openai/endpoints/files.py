"""File uploads: the text of a document for a prompt, an image or a video as a reference.

Both functions read and check the file before anything is sent. Source: platform docs, file pages (limits: 1,000 files,
100 MB each, 10 GB in all).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import IO, Any, overload

import openai

from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai._internal.secrets import shown
from kimi_openai.errors.exceptions import UnexpectedAnswerError
from kimi_openai.messages.media import MEDIA_TYPES, MediaKind, media_kind, media_type_of, read_file

from .any_client import guarded

__all__ = ["MAX_FILE_BYTES", "delete_quietly", "extract_text", "upload_media"]

log = logging.getLogger("kimi_openai")

FileSource = str | os.PathLike[str] | bytes | IO[bytes]

MAX_FILE_BYTES = 100 * 1024 * 1024


@overload
def extract_text(
    client: openai.OpenAI, file: FileSource, *, filename: str | None = None, keep_file: bool = False
) -> str: ...
@overload
def extract_text(
    client: openai.AsyncOpenAI, file: FileSource, *, filename: str | None = None, keep_file: bool = False
) -> Coroutine[Any, Any, str]: ...
def extract_text(
    client: AnyClient, file: FileSource, *, filename: str | None = None, keep_file: bool = False
) -> str | Coroutine[Any, Any, str]:
    """The text of a document (pdf, Office, epub, html, source code, ...) as Kimi reads it, for `file_message`.

    Uploads the file (POST /v1/files, purpose `file-extract`), reads its text (GET /v1/files/{file_id}/content) and
    deletes the uploaded file (DELETE /v1/files/{file_id}), also if reading fails; `keep_file=True` keeps it. `file` is
    a path, bytes, or an object open for binary reading, which stays open. Kimi takes the format from the ending of
    `filename`; the default is the file's own name. The text is returned exactly as Kimi sends it, which may be a JSON
    document that holds the text. A PDF that has only images has no text.

    Raises `FileNotFoundError`, `ValueError` if the file is empty or larger than 100 MB, and `TypeError` if it is open
    as text, all before anything is sent; later the SDK's errors, and `UnexpectedAnswerError`
    if the upload is answered without an id. Source: platform docs, file pages.
    """
    content, name = _read(file, filename)
    name = name or ("document.pdf" if content.startswith(b"%PDF") else "document.txt")
    return run(client, guarded("the text of the file", _extraction(client, (name, content), keep_file)))


@overload
def upload_media(
    client: openai.OpenAI, file: FileSource, *, purpose: MediaKind | None = None, filename: str | None = None
) -> str: ...
@overload
def upload_media(
    client: openai.AsyncOpenAI, file: FileSource, *, purpose: MediaKind | None = None, filename: str | None = None
) -> Coroutine[Any, Any, str]: ...
def upload_media(
    client: AnyClient, file: FileSource, *, purpose: MediaKind | None = None, filename: str | None = None
) -> str | Coroutine[Any, Any, str]:
    """The `ms://` reference of an uploaded image or video, for `image_part` and `video_part`.

    Uploads with POST /v1/files. `file` and `filename` are as in `extract_text`. `purpose` is "image" or "video"; the
    default comes from the first bytes or the file name. The file stays on the platform until you delete it
    (`client.files.delete` with the id that follows `ms://`).

    Raises the errors of `extract_text`, and `ValueError` for another purpose or a type that Kimi does not read (SVG).
    Source: platform docs, file pages and vision guide.
    """
    content, name = _read(file, filename)
    kind = _purpose(content, name, purpose)
    upload = _upload(client, (name or f"upload.{kind}", content), kind)
    return run(client, guarded("the id of the uploaded file", upload))


def _extraction(client: AnyClient, file: tuple[str, bytes], keep_file: bool) -> Flow[str]:
    purpose: Any = "file-extract"  # not in the SDK's list of purposes
    file_id = _id_of((yield client.files.create(file=file, purpose=purpose)))
    try:
        answer = yield client.files.content(file_id)
        text: str = answer.text
        return text
    finally:
        if not keep_file:
            yield from delete_quietly(client, file_id)


def delete_quietly(client: AnyClient, file_id: str) -> Flow[None]:
    """Deletes a file, as a flow. An error is logged."""
    try:
        yield client.files.delete(file_id)
    except openai.OpenAIError as error:  # not raised: the caller would lose the text that has arrived
        log.warning("the file %s stays on the platform, it could not be deleted: %s", file_id, error)


def _upload(client: AnyClient, file: tuple[str, bytes], purpose: Any) -> Flow[str]:
    return f"ms://{_id_of((yield client.files.create(file=file, purpose=purpose)))}"


def _id_of(uploaded: Any) -> str:
    file_id: Any = getattr(uploaded, "id", None)
    if not (isinstance(file_id, str) and file_id and file_id.isprintable()):
        raise UnexpectedAnswerError("the id of the uploaded file", uploaded)
    return file_id


def _read(file: FileSource, filename: str | None) -> tuple[bytes, str]:
    """The whole content, since a retried upload must send it again, and the name ("" if there is none)."""
    if isinstance(file, str | os.PathLike):
        content, name = read_file(file, "upload")
    elif isinstance(file, bytes | bytearray | memoryview):
        content, name = bytes(file), ""
    elif hasattr(file, "read"):
        content, name = _read_stream(file), getattr(file, "name", "")
        name = Path(name).name if isinstance(name, str) else ""  # a number if the file was opened by descriptor
    else:
        raise TypeError(f"a file is a path, bytes or an object open for binary reading, not {type(file).__name__}")
    if not content:
        raise ValueError("the file is empty: 400 'File size is zero, please confirm and re-upload the file'")
    if len(content) > MAX_FILE_BYTES:
        raise ValueError("the file is over 100 MB, the most that Kimi takes; split it")
    return content, filename or name


def _read_stream(stream: Any) -> bytes:
    """Everything up to the end: one `read` of an unbuffered stream (a pipe, a socket) may return less."""
    content = bytearray()
    while len(content) <= MAX_FILE_BYTES:
        piece = stream.read(MAX_FILE_BYTES + 1 - len(content))
        if not isinstance(piece, bytes | bytearray):
            raise TypeError(f"the file's read() returns {type(piece).__name__}, not bytes; open it with mode 'rb'")
        if not piece:
            break
        content += piece
    return bytes(content)


def _purpose(content: bytes, name: str, purpose: MediaKind | None) -> MediaKind:
    """The purpose of an upload: the caller's if the content agrees with it or is of no known type."""
    if purpose is not None and purpose not in MEDIA_TYPES:
        takes = "upload_media takes 'image' or 'video' (for documents: extract_text)"
        raise ValueError(f"purpose is {shown(purpose)}; {takes}")
    media_type = media_type_of(content, name)
    kind = media_kind(media_type) if media_type else purpose
    if kind is None or purpose not in (kind, None):
        raise ValueError(
            f"Kimi reads no {purpose or 'image or video'} in {name or 'these bytes'} ({media_type or 'unknown type'})"
        )
    return kind
