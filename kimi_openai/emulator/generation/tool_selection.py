"""Which function the default answer calls: the one that `tool_choice` or the question names, or whose words match."""

from __future__ import annotations

import re

from kimi_openai.emulator.chat_body import functions_of, tool_choice_kind
from kimi_openai.emulator.json_values import Json

__all__ = ["function_to_call"]

VERBS = frozenset(
    {
        *("add", "call", "check", "create", "delete", "do", "fetch", "find", "get", "list", "look", "lookup", "make"),
        *("query", "read", "run", "search", "send", "set", "show", "tool", "update", "use", "write"),
    }
)
"""Words of a function's name that a question has for other reasons. A name that has only such words must be named."""

WORD_OF_NAME = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
WORD = re.compile(r"\b[A-Za-z]+\b")
LEAST_STEM = 4


def function_to_call(body: Json, question: str) -> Json | None:
    """The function that is called, or None.

    With "auto" a function is called if the question has its name or all words of its name; with "required" the one that
    matches best.
    """
    functions, kind = functions_of(body), tool_choice_kind(body)
    if not functions or kind == "none":
        return None
    if kind == "named":
        name = body["tool_choice"].get("function", {}).get("name")
        return next((function for function in functions if function.get("name") == name), None)
    named = next((each for each in functions if _mentions(question, str(each.get("name")))), None)
    if named:
        return named
    best = max(functions, key=lambda function: _score(function, question))
    return best if kind == "required" or _has_all_words(best, question) else None


def _mentions(question: str, name: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", question) is not None


def _words(text: str, pattern: re.Pattern[str] = WORD) -> list[str]:
    return [word.lower() for word in pattern.findall(text)]


def _is_in(word: str, words: list[str]) -> bool:
    """Whether a word is among others, in any form that begins alike: "forecast" and "forecasts"."""
    return any(word == other or _begin_alike(word, other) for other in words)


def _begin_alike(word: str, other: str) -> bool:
    return min(len(word), len(other)) >= LEAST_STEM and (word.startswith(other) or other.startswith(word))


def _score(function: Json, question: str) -> int:
    """How many words of the question the function has, those of its name counted more."""
    asked = [word for word in _words(question) if len(word) >= LEAST_STEM]
    name, description = _words(str(function.get("name")), WORD_OF_NAME), _words(str(function.get("description")))
    return sum(3 * _is_in(word, name) + _is_in(word, description) for word in asked)


def _has_all_words(function: Json, question: str) -> bool:
    """Whether the question has all words of the function's name but the verbs."""
    name, asked = _words(str(function.get("name")), WORD_OF_NAME), _words(question)
    nouns = [word for word in name if word not in VERBS]
    return bool(nouns) and all(_is_in(word, asked) for word in nouns)
