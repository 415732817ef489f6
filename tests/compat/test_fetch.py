"""Downloads of images: which URLs are fetched, and which are refused."""

from __future__ import annotations

import traceback

import pytest

from kimi_openai.compat import fetch
from kimi_openai.compat.fetch import fetch_image

from .conftest import IMAGE, PRIVATE, PUBLIC


def test_an_image_becomes_a_data_url(web: list[tuple[str, int]]) -> None:
    """The connection goes to the address that was checked, also after a redirect."""
    assert fetch_image("https://images.test/ok.png?a=1") == IMAGE
    assert fetch_image("https://images.test:444/moved") == IMAGE
    assert web == [(PUBLIC, 443), (PUBLIC, 444), (PUBLIC, 444)]


UNREADABLE = "cannot be read|only https"  # Python 3.10 reads more as a URL
REFUSED = {
    "http://images.test/ok.png": "only https",
    "https://user:pass@images.test/ok.png": "only https",
    "ftp://images.test/ok.png": "only https",
    "https://127.0.0.1/ok.png": "not on the public internet",
    "https://localhost/ok.png": "not on the public internet",
    "https://[::1]/ok.png": "not on the public internet",
    "https://169.254.169.254/latest/meta-data": "not on the public internet",
    "https://2130706433/ok.png": "not on the public internet",
    "https://inside.test/ok.png": "not on the public internet",
    "https://both.test/ok.png": "not on the public internet",
    "https://images.test/inside": "not on the public internet",
    "https://images.test/plain": "only https",
    "https://images.test/circle": "more than 3 redirects",
    "https://images.test/page": "no image",
    "https://images.test/lie.png": "no image",
    "https://images.test/drawing.svg": "no image",
    "https://images.test/gone": "answers 404",
    "https://images.test/large.png": "larger than",
    "https://images.test:0x/ok.png": "cannot be read",
    "https:///ok.png": "only https",
    "https://me:[secret]@images.test/ok.png": UNREADABLE,
    "https://me:secret@images.\u2100test/ok.png": "cannot be read",
    "https://me:sec/ret@images.test/ok.png": "cannot be read",
    "https://images.test/bad-location": UNREADABLE,
    "https://168.63.129.16/machine": "not on the public internet",
}


@pytest.mark.parametrize("url", REFUSED)
def test_a_url_is_refused(web: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """For its scheme, its address, or what its server answers; nothing connects to a private address."""
    monkeypatch.setattr(fetch, "MAX_BYTES", 4000)
    with pytest.raises((ValueError, OSError), match=REFUSED[url]) as caught:
        fetch_image(url)
    assert PRIVATE not in dict(web)
    assert "secret" not in "".join(traceback.format_exception(caught.value)).replace(f"fetch_image({url!r})", "")


def test_a_path_may_have_any_character(web: list[tuple[str, int]]) -> None:
    """What no URL can hold is percent-encoded; Python's own error would quote the path and its signature."""
    assert fetch_image("https://images.test/ok.png?a=b c\u00e9") == IMAGE
    assert len(web) == 1


def test_a_slow_download_ends_at_the_deadline(web: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch) -> None:
    """The time limit is for the whole download, not for one read."""
    monkeypatch.setattr(fetch, "MAX_SECONDS", 0.3)
    with pytest.raises((ValueError, OSError)):
        fetch_image("https://images.test/slow.png")
    assert len(web) == 1
