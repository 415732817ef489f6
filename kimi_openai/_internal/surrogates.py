"""Lone surrogates: halves of a character that JSON can escape (`"\\ud83d"`) and UTF-8 cannot encode.

Pure. Two halves that belong together are joined; a half without its other half becomes U+FFFD. Requests and answers use
these functions.
"""

from __future__ import annotations

from typing import Any

from .json_values import is_array, is_dict

__all__ = ["REPLACEMENT", "has_surrogates", "is_first_half", "joined", "without_surrogates"]

REPLACEMENT = "\ufffd"
CONTAINERS = (dict, list)


def has_surrogates(text: str) -> bool:
    """Whether the text has a surrogate in it, and so cannot be encoded. Takes no time for ASCII text.

    >>> has_surrogates("caf\\udce9"), has_surrogates("café 😀")
    (True, False)
    """
    if text.isascii():
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def is_first_half(character: str) -> bool:
    """Whether the character is a surrogate that another one may complete.

    >>> is_first_half("\\ud83d"), is_first_half("\\ude00"), is_first_half("a"), is_first_half("")
    (True, False, False, False)
    """
    return "\ud800" <= character <= "\udbff"


def joined(text: str) -> str:
    """The text with both halves of a character joined, and U+FFFD for each half that is alone.

    >>> joined("\\ud83d\\ude00"), joined("caf\\udce9"), joined("ok")
    ('😀', 'caf\ufffd', 'ok')
    """
    if not has_surrogates(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def without_surrogates(value: Any) -> Any:
    """A JSON value with `joined` texts. A value that has nothing to join is returned as it is.

    >>> without_surrogates({"a": ["\\ud83d", 1, None]})
    {'a': ['\ufffd', 1, None]}
    """
    return value if _is_clean(value) else _cleaned(value)


def _is_clean(value: Any) -> bool:
    kind: Any = value.__class__
    if is_dict(value):
        for key, item in value.items():
            if not key.isascii() and has_surrogates(key):
                return False
            if item.__class__ is str:  # the usual case; saves a call
                if not item.isascii() and has_surrogates(item):
                    return False
            elif item.__class__ in CONTAINERS and not _is_clean(item):
                return False
        return True
    return all(map(_is_clean, value)) if kind is list else kind is not str or not has_surrogates(value)


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return joined(value)
    if is_dict(value):
        return {_cleaned(key): _cleaned(item) for key, item in value.items()}
    return list(map(_cleaned, value)) if is_array(value) else value
