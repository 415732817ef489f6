"""Files to Kimi: a document's text for the prompt, an image or a video as a reference.

Each function takes any `openai` client that points at Kimi; with an asynchronous one its result is awaited. What is
wrong with a file is said before anything is sent. Source: platform docs, file pages (limits: 1,000 files, 100 MB each,
10 GB in all).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import IO, Any, Literal, overload

import openai

from .flows import AnyClient, Flow, run
from .messages import IMAGE_TYPES, VIDEO_TYPES, media_type_of, read_file

__all__ = ["extract_text", "upload_media"]

log = logging.getLogger("kimi_openai")

FileSource = str | os.PathLike[str] | bytes | IO[bytes]

MAX_FILE_BYTES = 100 * 1024 * 1024

Media = Literal["image", "video"]
MEDIA: Mapping[Media, frozenset[str]] = {"image": IMAGE_TYPES, "video": VIDEO_TYPES}


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
    """The text of a document (pdf, Office, epub, html, source code, ...), as Kimi reads it; for `file_message`.

    `file` is a path, bytes, or an object open for binary reading (left open). `filename` tells Kimi the format by its
    ending; default: the file's own name. The remote copy is deleted afterwards, also when reading fails, unless
    `keep_file` is true. The text is verbatim what the platform sends, which may be a JSON document holding the text; a
    PDF of mere images has none.

    Raises `FileNotFoundError`, `ValueError` for an empty file or one over 100 MB, `TypeError` for one open as text, all
    before anything is sent; then the SDK's errors.
    """
    content, name = _read(file, filename)
    return run(client, _extraction(client, (name or _name_of_bytes(content), content), keep_file))


@overload
def upload_media(
    client: openai.OpenAI, file: FileSource, *, purpose: Media | None = None, filename: str | None = None
) -> str: ...
@overload
def upload_media(
    client: openai.AsyncOpenAI, file: FileSource, *, purpose: Media | None = None, filename: str | None = None
) -> Coroutine[Any, Any, str]: ...
def upload_media(
    client: AnyClient, file: FileSource, *, purpose: Media | None = None, filename: str | None = None
) -> str | Coroutine[Any, Any, str]:
    """The `ms://` reference of an uploaded image or video, for `image_part` and `video_part`.

    Takes what `extract_text` takes. `purpose` is "image" or "video"; default: told from the first bytes or the file's
    name. The file stays on the platform until it is deleted (`client.files.delete` with what follows `ms://`).

    Raises what `extract_text` raises, and `ValueError` for another purpose or a type that Kimi does not read (SVG).
    """
    content, name = _read(file, filename)
    kind = _media_kind(content, name, purpose)
    return run(client, _upload(client, (name or f"upload.{kind}", content), kind))


def _extraction(client: AnyClient, file: tuple[str, bytes], keep_file: bool) -> Flow[str]:
    purpose: Any = "file-extract"  # not in the SDK's list of purposes
    uploaded = yield client.files.create(file=file, purpose=purpose)
    try:
        answer = yield client.files.content(uploaded.id)
        text: str = answer.text
        return text
    finally:
        if not keep_file:
            yield from _deletion(client, uploaded.id)


def _deletion(client: AnyClient, file_id: str) -> Flow[None]:
    try:
        yield client.files.delete(file_id)
    except openai.OpenAIError as error:  # the text that was received is worth more than the tidying up
        log.warning("the file %s stays on the platform, it could not be deleted: %s", file_id, error)


def _upload(client: AnyClient, file: tuple[str, bytes], purpose: Any) -> Flow[str]:
    uploaded = yield client.files.create(file=file, purpose=purpose)
    return f"ms://{uploaded.id}"


def _read(file: FileSource, filename: str | None) -> tuple[bytes, str]:
    """The whole content, so that a retried upload sends all of it, and a name ("" if there is none)."""
    if isinstance(file, str | os.PathLike):
        content, name = read_file(file, "upload")
    elif isinstance(file, bytes | bytearray | memoryview):
        content, name = bytes(file), ""
    elif hasattr(file, "read"):
        content, name = _read_stream(file), getattr(file, "name", "")
        name = Path(name).name if isinstance(name, str) else ""  # a number where the file was opened by one
    else:
        raise TypeError(f"a file is a path, bytes or an object open for binary reading, not {type(file).__name__}")
    if not content:
        raise ValueError("the file is empty: 400 'File size is zero, please confirm and re-upload the file'")
    if len(content) > MAX_FILE_BYTES:
        raise ValueError("the file is over 100 MB, the most that Kimi takes; split it")
    return content, filename or name


def _read_stream(stream: Any) -> bytes:
    """Until it ends: an unbuffered one (a pipe, a socket) gives less than it is asked for."""
    content = bytearray()
    while len(content) <= MAX_FILE_BYTES:
        piece = stream.read(MAX_FILE_BYTES + 1 - len(content))
        if not isinstance(piece, bytes | bytearray):
            raise TypeError(f"the file's read() gives {type(piece).__name__}, not bytes; open it with mode 'rb'")
        if not piece:
            break
        content += piece
    return bytes(content)


def _name_of_bytes(content: bytes) -> str:
    return "document.pdf" if content.startswith(b"%PDF") else "document.txt"


def _media_kind(content: bytes, name: str, purpose: Media | None) -> Media:
    if purpose is not None and purpose not in MEDIA:
        raise ValueError(f"purpose is {purpose!r}; upload_media takes 'image' or 'video' (for documents: extract_text)")
    media_type = media_type_of(content, name)
    if media_type is None and purpose is not None:
        return purpose  # nothing speaks against the caller's word
    for kind, types in MEDIA.items():
        if media_type in types and purpose in (kind, None):
            return kind
    raise ValueError(
        f"Kimi reads no {purpose or 'image or video'} in {name or 'these bytes'} ({media_type or 'unknown type'})"
    )
