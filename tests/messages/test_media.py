"""Media: which sources become which URL, which are refused, and how the media type is found."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import image_part, video_part
from kimi_openai.messages import media

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 8
PNG_URL = "data:image/png;base64," + base64.b64encode(PNG).decode()
MP4 = b"\x00\x00\x00\x18ftypmp42"


def test_an_image_becomes_a_data_url_or_stays_a_reference(tmp_path: Path) -> None:
    """Path, bytes, data URL and `ms://` reference; the content decides before the file name."""
    (tmp_path / "photo.jpg").write_bytes(PNG)
    for source in (tmp_path / "photo.jpg", str(tmp_path / "photo.jpg"), PNG, PNG_URL):
        assert image_part(source) == {"type": "image_url", "image_url": {"url": PNG_URL}}
    assert image_part("ms://file_1") == {"type": "image_url", "image_url": {"url": "ms://file_1"}}
    assert image_part("data:image/jpg;base64,AA==")["image_url"] == {"url": "data:image/jpeg;base64,AA=="}
    assert image_part(b"??", mime_type="image/heic")["image_url"] == {"url": "data:image/heic;base64,Pz8="}


def test_a_video_becomes_a_video_url() -> None:
    """The part has the type `video_url`, the data URL the type found in the content."""
    url = "data:video/mp4;base64," + base64.b64encode(MP4).decode()
    assert video_part(MP4) == {"type": "video_url", "video_url": {"url": url}}
    assert video_part("ms://file_2") == {"type": "video_url", "video_url": {"url": "ms://file_2"}}


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "http": ("http://a.example/cat.png", ValueError, "does not fetch image URLs: download it"),
    "https": ("https://a.example/cat.png", ValueError, "upload_media"),
    "upper case": ("HTTPS://a.example/cat.png", ValueError, "does not fetch image URLs"),
    "no file": ("cat.png", FileNotFoundError, "does not exist"),
    "base64 alone": ("iVBORw0KGgo" * 500, FileNotFoundError, "does not exist"),
    "empty": (b"", ValueError, "is empty"),
    "empty data URL": ("data:image/png;base64,", ValueError, "is empty"),
    "svg": ("data:image/svg+xml;base64,AAAA", ValueError, "does not read image/svg+xml"),
    "a video": (MP4, ValueError, "does not read video/mp4 as image"),
    "unknown": (b"hello", ValueError, "pass mime_type"),
}


@pytest.mark.parametrize(("source", "kind", "words"), REFUSED.values(), ids=REFUSED)
def test_a_refused_image_names_the_remedy(source: Any, kind: type[Exception], words: str) -> None:
    """Raises for an http URL, a missing or empty file, and a type that Kimi does not read."""
    with pytest.raises(kind, match=words.replace("+", r"\+")):
        image_part(source)


SECRET_SOURCES = {
    "user and password": "https://me:secret@a.example/cat.png",
    "a signature": "https://a.example/cat.png?signature=secret",
    "a key": "sk-secret",
    "a key as the media type": "data:sk-secret;base64,AAAA",
}


@pytest.mark.parametrize("source", SECRET_SOURCES.values(), ids=SECRET_SOURCES)
def test_no_error_quotes_a_secret(source: str) -> None:
    """Of a URL, or a key that was passed as the path."""
    for part in (image_part, video_part):
        with pytest.raises((ValueError, FileNotFoundError)) as caught:
            part(source)
        assert "secret" not in str(caught.value)


def test_an_image_too_large_for_a_request_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit holds for the request body, where base64 takes a third more."""
    monkeypatch.setattr(media, "MAX_BODY_BYTES", len(PNG) * 4 // 3)
    assert image_part(PNG)
    monkeypatch.setattr(media, "MAX_BODY_BYTES", len(PNG) * 4 // 3 - 1)
    with pytest.raises(ValueError, match="larger than 100 MB; upload it"):
        image_part(PNG)


@pytest.mark.parametrize(("offset", "signature", "media_type"), media.SIGNATURES)
def test_the_first_bytes_tell_a_type_that_kimi_reads(offset: int, signature: bytes, media_type: str) -> None:
    """Every signature in the table decides against the file name, and is of a supported type."""
    content = b"\x00" * offset + signature + b"\x00" * 16
    assert media.media_type_of(content, "a.txt") == media_type
    assert media.media_kind(media_type) == media_type.partition("/")[0]
