"""An example text for a regular expression: the `pattern` of a JSON schema."""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["matches", "matching_text"]

_parser: Any = importlib.import_module("re._parser" if sys.version_info >= (3, 11) else "sre_parse")

LETTERS = "ax0A _-.,:;/@#"
"""What a set is filled with, in order of preference."""

MOST_REPEATS = 64


def matching_text(pattern: str, *, least: int = 0, most: int | None = None) -> str | None:
    """A short text of `least` to `most` characters in which the pattern is found; None if none is found.

    Look-arounds are ignored, so a pattern with one may have no text.

    >>> matching_text("^[A-Z]{2}-[0-9]+$"), matching_text("^(cat|dog)s?$", least=4), matching_text("(")
    ('AA-0', 'cats', None)
    """
    try:
        parsed = _parser.parse(pattern)
        found = re.compile(pattern).search
    except (re.error, RecursionError, OverflowError):
        return None
    repeats = 0
    while repeats <= MOST_REPEATS:
        text = _text(parsed, repeats, {})
        for candidate in (text, text.ljust(least, "x"), text.rjust(least, "x")):
            if least <= len(candidate) and (most is None or len(candidate) <= most) and found(candidate):
                return candidate
        repeats = repeats * 2 or 1
    return None


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern is found in the text; True if Python cannot read the pattern."""
    try:
        return re.search(pattern, text) is not None
    except (re.error, RecursionError, OverflowError):
        return True


def _text(parsed: Any, repeats: int, groups: dict[int, str]) -> str:
    """A text for a sequence; what may be repeated is there `repeats` times more often than it must be."""
    return "".join(TEXTS[name](value, repeats, groups) for op, value in parsed if (name := str(op).lower()) in TEXTS)


def _repeated(value: Any, repeats: int, groups: dict[int, str]) -> str:
    least, most, part = value
    return "".join(_text(part, repeats, groups) for _ in range(min(int(most), int(least) + repeats)))


def _group(value: Any, repeats: int, groups: dict[int, str]) -> str:
    text = _text(value[-1], repeats, groups)
    if value[0] is not None:
        groups[value[0]] = text
    return text


def _member(value: Any, _: int, __: dict[int, str]) -> str:
    is_negated = str(value[0][0]).lower() == "negate"
    allowed = next((each for each in LETTERS if _is_in(each, value) != is_negated), None)
    if allowed is not None or is_negated:
        return allowed or "é"
    kind, first = value[0]
    return chr(first[0] if str(kind).lower() == "range" else first) if str(kind).lower() != "category" else "é"


def _is_in(character: str, members: Any) -> bool:
    for op, value in members:
        kind = str(op).lower()
        if kind == "literal" and value == ord(character):
            return True
        if kind == "range" and value[0] <= ord(character) <= value[1]:
            return True
        if kind == "category" and re.fullmatch(CATEGORIES[str(value).lower()], character):
            return True
    return False


CATEGORIES: Mapping[str, str] = {
    "category_digit": r"\d",
    "category_not_digit": r"\D",
    "category_space": r"\s",
    "category_not_space": r"\S",
    "category_word": r"\w",
    "category_not_word": r"\W",
}

TEXTS: Mapping[str, Callable[[Any, int, dict[int, str]], str]] = {
    "literal": lambda value, _, __: chr(value),
    "not_literal": lambda value, _, __: "b" if chr(value) == "a" else "a",
    "any": lambda _, __, ___: "a",
    "in": _member,
    "max_repeat": _repeated,
    "min_repeat": _repeated,
    "possessive_repeat": _repeated,
    "subpattern": _group,
    "branch": lambda value, repeats, groups: _text(value[1][0], repeats, groups),
    "groupref": lambda value, _, groups: groups.get(value, ""),
}
"""How each part of a pattern becomes text; parts that are not listed stand for no text."""
