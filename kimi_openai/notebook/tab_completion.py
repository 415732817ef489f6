"""What Tab completes behind `%kimi` and `%kimi_tokens`: options, model ids, efforts. `magics.py` registers it."""

from __future__ import annotations

from typing import Any

from kimi_openai.models.catalog import CURRENT, facts

__all__ = ["OPTIONS_OF", "complete", "completions"]

OPTIONS = ("--model", "--thinking", "--no-thinking", "--effort", "--system", "--prefix", "--to", "--search", "--new")
OPTIONS_OF = {"kimi": OPTIONS, "kimi_tokens": ("--model",)}


def completions(line: str, symbol: str) -> list[str]:
    """What can stand where `symbol` begins: an option, a model id or an effort.

    >>> completions("%kimi --effort ", ""), completions("%kimi --n", "--n")
    (['low', 'high', 'max'], ['--no-thinking', '--new'])
    """
    before = line[: len(line) - len(symbol)].split() if symbol else line.split()
    magic = before[0].lstrip("%") if before else ""
    model = next((before[at + 1] for at, word in enumerate(before[:-1]) if word in ("-m", "--model")), CURRENT[0])
    last = before[-1] if before else ""
    if last in ("-m", "--model"):
        found: tuple[str, ...] = CURRENT
    elif last in ("-e", "--effort"):
        found = facts(model).efforts
    else:
        found = OPTIONS_OF.get(magic, ()) if symbol.startswith("-") or not symbol else ()
    return [word for word in found if word.startswith(symbol)]


def complete(_: Any, event: Any) -> list[str]:
    """The words that Tab offers; IPython calls it with the event of its completer."""
    words = event.text_until_cursor.split(" ")
    return completions(event.text_until_cursor, words[-1])
