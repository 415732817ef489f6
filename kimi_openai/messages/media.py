"""Images and videos as content of a request: media types, size limits, reading files, data URLs.

Pure except for reading the files that the caller names. `builders` makes message parts of the URLs; file uploads and
the command line use the media types. Source: platform docs, vision guide and limits.
"""

from __future__ import annotations

import base64
import mimetypes
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from kimi_openai._internal.secrets import mask_keys, shown

__all__ = [
    "IMAGE_TYPES",
    "MAX_BODY_BYTES",
    "MEDIA_TYPES",
    "MediaKind",
    "MediaSource",
    "media_kind",
    "media_type_of",
    "media_url",
    "read_file",
]

MediaKind = Literal["image", "video"]

MediaSource = str | os.PathLike[str] | bytes
"""A path, bytes, a data URL, or the `ms://` reference of an uploaded file."""

MAX_BODY_BYTES = 100 * 1024 * 1024
"""The largest request body; an uploaded file has the same limit."""

IMAGE_TYPES = frozenset(f"image/{name}" for name in ("jpeg", "png", "gif", "webp", "bmp", "heic", "heif"))
VIDEO_TYPES = frozenset(
    f"video/{name}" for name in ("mp4", "mpeg", "mov", "quicktime", "avi", "x-msvideo", "x-flv", "mpg", "webm", "wmv")
) | {"video/x-ms-wmv", "video/3gpp"}
MEDIA_TYPES: Mapping[MediaKind, frozenset[str]] = {"image": IMAGE_TYPES, "video": VIDEO_TYPES}
"""The media types that Kimi reads."""

SIGNATURES = (
    (0, b"\x89PNG", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF8", "image/gif"),
    (0, b"BM", "image/bmp"),
    (8, b"WEBP", "image/webp"),
    (8, b"AVI ", "video/x-msvideo"),
    (4, b"ftyphei", "image/heic"),
    (4, b"ftypmif1", "image/heif"),
    (4, b"ftypqt", "video/quicktime"),
    (4, b"ftyp3g", "video/3gpp"),
    (4, b"ftyp", "video/mp4"),
    (0, b"\x1a\x45\xdf\xa3", "video/webm"),
    (0, b"FLV", "video/x-flv"),
    (0, b"\x00\x00\x01\xba", "video/mpeg"),
)
"""Offset, bytes at that offset, media type. The first row that matches decides."""


def media_url(source: MediaSource, kind: MediaKind, mime_type: str | None = None) -> str:
    """The URL of a content part: a data URL, or the `ms://` reference as it was passed.

    `mime_type` replaces the type found in the content or the file name. Raises `ValueError` for an http(s) URL, a type
    that Kimi does not read, empty content, or content too large for a request; `FileNotFoundError` if there is no file.

    >>> media_url(b"GIF89a", "image")
    'data:image/gif;base64,R0lGODlh'
    """
    if isinstance(source, str):
        if source[:8].lower().startswith(("http://", "https://")):
            raise ValueError(
                f"Kimi does not fetch {kind} URLs: download it and pass the bytes or the path, or upload it with "
                f"upload_media and pass the ms:// reference ({shown(source)})"
            )
        if source.startswith("ms://"):
            return source
        if source.startswith("data:"):
            return _checked_data_url(source, kind)
    content, name = (
        (bytes(source), "") if isinstance(source, bytes | bytearray | memoryview) else read_file(source, kind)
    )
    if not content:
        raise ValueError(f"the {kind} is empty")
    if len(content) * 4 // 3 > MAX_BODY_BYTES:
        raise ValueError(f"the {kind} makes the request larger than 100 MB; upload it with upload_media")
    media_type = _supported(mime_type or media_type_of(content, name), kind)
    return f"data:{media_type};base64,{base64.b64encode(content).decode('ascii')}"


def read_file(path: str | os.PathLike[str], kind: str) -> tuple[bytes, str]:
    """The content and the name of a file. Reads at most `MAX_BODY_BYTES` + 1 bytes, enough to see that it is too large.

    Raises `FileNotFoundError` if there is no file at `path`; `kind` says in the message what the file was for.
    """
    file = Path(path).expanduser()
    # os.path instead of Path's methods: those raise for a string that cannot be a path, such as base64 text
    if os.path.isdir(file) or not os.path.exists(file):
        problem = "is a folder" if os.path.isdir(file) else "does not exist"
        raise FileNotFoundError(f"the {kind} file {shown(str(path))} {problem}")
    with file.open("rb") as reader:
        return reader.read(MAX_BODY_BYTES + 1), file.name


def media_type_of(content: bytes, name: str) -> str | None:
    """The media type found in the first bytes, else the one that the file name suggests, else None.

    >>> media_type_of(b"GIF89a", "x.png"), media_type_of(b"", "x.png"), media_type_of(b"", "x")
    ('image/gif', 'image/png', None)
    """
    for offset, signature, media_type in SIGNATURES:
        if content[offset : offset + len(signature)] == signature:
            return media_type
    return mimetypes.guess_type(name)[0]


def media_kind(media_type: str | None) -> MediaKind | None:
    """Whether a media type is an image or a video that Kimi reads; None if it is neither.

    >>> media_kind("image/png"), media_kind("video/mp4"), media_kind("image/svg+xml")
    ('image', 'video', None)
    """
    return next((kind for kind, types in MEDIA_TYPES.items() if media_type in types), None)


def _checked_data_url(url: str, kind: MediaKind) -> str:
    header, _, content = url.partition(",")
    if not content:
        raise ValueError(f"the {kind} is empty")
    media_type = header.removeprefix("data:").partition(";")[0]
    return f"data:{_supported(media_type, kind)}{url[5 + len(media_type) :]}"


def _supported(media_type: str | None, kind: MediaKind) -> str:
    media_type = "image/jpeg" if media_type == "image/jpg" else media_type  # often used, but not a registered type
    if media_type is not None and media_type in MEDIA_TYPES[kind]:
        return media_type
    known = ", ".join(sorted(name.partition("/")[2] for name in MEDIA_TYPES[kind]))
    if media_type is None:
        raise ValueError(f"the type of the {kind} is not recognised; pass mime_type=... (Kimi reads {known})")
    raise ValueError(f"Kimi does not read {mask_keys(media_type)} as {kind}; it reads {known}")
