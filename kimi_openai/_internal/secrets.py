"""Text for errors and logs in which no key and no password can be read, even if a caller put one in the wrong place.

Pure functions. `mask_keys` is for whole texts; `shown` and `shown_url` are for one value that an error quotes.
"""

from __future__ import annotations

import re

__all__ = ["MASK", "mask_keys", "shown", "shown_url"]

MASK = "***"

KEY = re.compile(r"(?<![A-Za-z0-9])(sk|pk|rk|gsk|hf|ghp|xai)([-_])[^\s/\\'\"`<>()\[\]{},;:?&=#%@]*\w")
"""A word that begins as keys do: `sk-` (Moonshot, OpenAI and most others), or the beginning of another provider's. For
`_` and for the rare beginnings the rest must be as long as a key, see `_masked_key`."""

JSON_WEB_TOKEN = re.compile(r"\beyJ[\w-]{8,}(?:\.[\w-]+)*")
AUTHORIZATION = re.compile(r"\b(bearer|basic)\s+(?=\S*[\d=])[^\s'\",]{6,}", re.IGNORECASE)
USER = re.compile(r"(://)[^/?#\s'\"]*@")
RANDOM = re.compile(r"(?<![A-Za-z0-9])(?=[a-z0-9]*[A-Z])(?=[A-Z0-9]*[a-z])(?=[A-Za-z]*\d)[A-Za-z0-9]{32,}")
"""A long word of small letters, capitals and digits: probably a key, since people do not write such words."""

OPAQUE = re.compile(r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w+=-]{20,}")
"""As a whole value, or as a whole part of a path: a long word with letters and digits and without a dot."""

URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)?([^/?#\\]*)([^?#]*)", re.DOTALL)
HOST = re.compile(r"[\w.-]*(:\d{0,5})?|\[[0-9A-Fa-f:.]+\](:\d{0,5})?")


def mask_keys(text: str) -> str:
    """The text with `***` for whatever looks like a key, a token, or a user name with a password in a URL.

    >>> mask_keys("region is 'sk-abc123', https://me:secret@host/v1")
    "region is 'sk-***', https://***@host/v1"
    """
    text = USER.sub(rf"\1{MASK}@", text)
    text = AUTHORIZATION.sub(rf"\1 {MASK}", text)
    text = KEY.sub(_masked_key, text)
    return RANDOM.sub(MASK, JSON_WEB_TOKEN.sub(MASK, text))


def shown(value: object, limit: int = 200) -> str:
    """The `repr` of a value of the caller's as an error may quote it: masked, and at most `limit` characters long.

    >>> shown("us"), shown("sk-abc123"), shown("0123456789abcdef0123"), shown(7)
    ("'us'", "'sk-***'", "'***'", '7')
    """
    if not isinstance(value, str):
        return mask_keys(repr(value))[:limit]
    if "://" in value or "@" in value:
        return repr(shown_url(value, limit))
    word = value.strip()
    if "/" not in word and KEY.match(word) and mask_keys(word) != word:
        return repr(f"{word[:3]}{MASK}")  # what follows a white space may be the rest of it
    return repr(MASK if OPAQUE.fullmatch(word) else mask_keys(value)[:limit])


def shown_url(url: str, limit: int = 200) -> str:
    """A URL as an error may quote it: without user name, password, query and fragment, its path masked.

    >>> shown_url("https://me:secret@images.example/a.png?signature=1"), shown_url("https://me:sec/ret@host/")
    ('https://images.example/a.png', 'https://***')
    """
    found = URL.match(url)
    scheme, authority, path = (part or "" for part in found.groups()) if found else ("", "", "")
    host = authority.rpartition("@")[2]
    is_odd = HOST.fullmatch(host) is None or ("@" in path and ":" in host)  # the rest may be a part of a password
    rest = MASK if is_odd else host + "/".join(MASK if OPAQUE.fullmatch(part) else part for part in path.split("/"))
    return mask_keys(f"{scheme}{rest}")[:limit]


def _masked_key(found: re.Match[str]) -> str:
    is_key = (found[1] == "sk" and found[2] == "-") or len(found[0]) >= 20
    return f"{found[1]}{found[2]}{MASK}" if is_key else found[0]
