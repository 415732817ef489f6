"""Images behind URLs: put into the request if the client may fetch them."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import CompatError
from tests.conftest import Mode

from .conftest import IMAGE


def request_with(*urls: str) -> dict[str, Any]:
    """A request with images, in both forms of the part."""
    parts: list[Any] = [{"type": "image_url", "image_url": {"url": url, "detail": "low"}} for url in urls[:1]]
    parts += [{"type": "image_url", "image_url": url} for url in urls[1:]]
    return {"model": "kimi-k3", "messages": [{"role": "user", "content": [{"type": "text", "text": "?"}, *parts]}]}


def test_remote_images_become_data_urls(kimi: Emulator, mode: Mode, web: list[tuple[str, int]]) -> None:
    """Each URL is fetched once, the caller's request stays as it is, and there is no note, even with strict."""
    client = mode.client(kimi, fetch_images=True, compat="strict")
    body = request_with("https://images.test/ok.png", "https://images.test/ok.png")
    mode.run(client.chat.completions.create(**body))
    parts = kimi.chats[0]["messages"][0]["content"]
    assert parts[1:] == [
        {"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}},
        {"type": "image_url", "image_url": IMAGE},
    ]
    assert body == request_with("https://images.test/ok.png", "https://images.test/ok.png")
    assert len(web) == 1


def test_an_image_that_cannot_be_fetched_is_an_error(kimi: Emulator, mode: Mode, web: list[tuple[str, int]]) -> None:
    """It names the place and the reason, without what may be secret in the URL. Without the option nothing is
    fetched."""
    body = request_with("https://images.test/gone?signature=secret")
    with pytest.raises(CompatError, match="answers 404") as caught:
        mode.run(mode.client(kimi, fetch_images=True).chat.completions.create(**body))
    assert caught.value.notes[0].where == "messages.0.content.1"
    assert "secret" not in str(caught.value)
    connections = len(web)
    with pytest.raises(CompatError, match="fetch_images=True"):
        mode.run(mode.client(kimi).chat.completions.create(**body))
    assert len(web) == connections
    assert kimi.requests == []


def test_a_request_without_remote_images_fetches_nothing(
    kimi: Emulator, mode: Mode, web: list[tuple[str, int]]
) -> None:
    """A client that may fetch images sends other requests as they are."""
    body = request_with("ms://file_1")
    mode.run(mode.client(kimi, fetch_images=True).chat.completions.create(**body))
    assert kimi.chats == [body]
    assert web == []


SECRET_URLS = {
    "user and password": "https://me:secret@images.test/ok.png",
    "a slash in the password": "https://me:sec/secret@images.test/ok.png",
    "a question mark in the password": "https://me:secret?secret@images.test/ok.png",
    "brackets in the password": "https://me:[secret]@images.test/ok.png",
    "http": "http://me:secret@images.test/ok.png",
    "a signature": "https://images.test/page?signature=secret",
    "a key in the path": "https://images.test:0x/sk-secret/ok.png",
}


@pytest.mark.parametrize("url", SECRET_URLS.values(), ids=SECRET_URLS)
@pytest.mark.parametrize("kind", ["image_url", "video_url"])
def test_no_error_or_log_quotes_a_secret_of_a_url(
    kimi: Emulator, mode: Mode, web: list[tuple[str, int]], caplog: pytest.LogCaptureFixture, url: str, kind: str
) -> None:
    """With and without the option, in the text, the notes, the traceback and the log."""
    part: Any = {"type": kind, kind: {"url": url}}
    body: Any = {"model": "kimi-k3", "messages": [{"role": "user", "content": [part]}]}
    caplog.set_level("DEBUG", "kimi_openai")
    web_hosts = len(web)
    for client in (mode.client(kimi), mode.client(kimi, fetch_images=True)):
        with pytest.raises(CompatError) as caught:
            mode.run(client.chat.completions.create(**body))
        causes = str(caught.value.__cause__) + repr(caught.value.__cause__)
        assert "secret" not in f"{caught.value} {caught.value!r} {caught.value.notes!r} {causes}"
    assert "secret" not in caplog.text
    assert kimi.requests == []
    assert len(web) - web_hosts <= 1
