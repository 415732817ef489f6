"""The argument parser of the commands, whose errors are one line: what is wrong, what may be meant, where to look.

What the parser accepts is in `parser.py`. A key that was written in the wrong place is not repeated.
"""

from __future__ import annotations

import argparse
import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

from kimi_openai._internal.secrets import mask_keys

__all__ = ["NEAR", "Parser", "suggestion"]

NEAR = 0.75
"""How alike what was written and what there is are, from 0 to 1, for the one to be a slip of the other."""

CHOICE = re.compile(r"(argument (?P<name>[^:]+): invalid choice: '(?P<word>.*?)') \(choose from")


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line with a suggestion, and name the command that was run."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.suggest_on_error = False  # Python 3.14 and later suggest too, in other words

    def parse_known_args(self, *args: Any, **options: Any) -> Any:
        """What argparse does, but unknown arguments are the error of the command that they were written for."""
        found, unknown = super().parse_known_args(*args, **options)
        if unknown:
            self.error(f"unrecognized arguments: {' '.join(unknown)}{suggestion(unknown[0], self._words())}")
        return found, unknown

    def error(self, message: str) -> NoReturn:
        """Print one line to stderr, and exit with 2."""
        choice = CHOICE.match(message)
        if choice and (meant := suggestion(choice["word"], self._words(choice["name"]))):
            message = choice[1] + meant
        line = " ".join(f"{self.prog}: {mask_keys(message)}; see `{self.prog} --help`".split())
        self.exit(2, f"{line}\n")

    def _words(self, name: str = "") -> list[str]:
        """The choices of an argument; without its name all options."""
        actions: Sequence[argparse.Action] = self._actions
        if not name:
            return [option for action in actions for option in action.option_strings]
        named = [action for action in actions if name in ("/".join(action.option_strings), action.metavar, action.dest)]
        return [str(word) for action in named for word in action.choices or ()]


def suggestion(written: str, words: Iterable[str]) -> str:
    """The word that is most like what was written, as a question; "" if none is, or if there is no telling which.

    >>> suggestion("--modle", ["--model", "--json"]), suggestion("tier9", ["tier0", "tier1"])
    (' (did you mean --model?)', '')
    """
    typed = written.partition("=")[0]
    near = difflib.get_close_matches(typed, words, 2, NEAR)
    alike = [difflib.SequenceMatcher(None, word, typed).ratio() for word in near]
    return f" (did you mean {near[0]}?)" if near and alike.count(alike[0]) == 1 else ""
