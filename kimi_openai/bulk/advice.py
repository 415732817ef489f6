"""Suggests an output limit from the first answers of a run: a request reserves its whole limit of the account's tokens.

Pure. The suggestion is twice what the longest answer needed, with its reasoning.
"""

from __future__ import annotations

from dataclasses import dataclass

from kimi_openai.usage.costs import Tokens

from .estimate import reserved
from .requests import Request

__all__ = ["CapAdvice"]

ENOUGH = 100
"""Answers."""

LEAST, WORTH = 1024, 4
"""The smallest limit that is suggested, and how many times larger the limit must be for a suggestion to be made."""


@dataclass(slots=True)
class CapAdvice:
    """Looks at the first answers; then `text` is the suggestion, "" if there is none."""

    text: str = ""
    _count: int = 0
    _longest: int = 0
    _reserved: int = 0
    _prompt: int = 0

    def take(self, request: Request, tokens: Tokens) -> None:
        """An answer has come, for so many tokens."""
        if self._count >= ENOUGH:
            return
        one = reserved(request)
        self._count += 1
        self._longest = max(self._longest, tokens.output)
        self._reserved += one.output
        self._prompt += tokens.prompt
        if self._count == ENOUGH:
            self.text = self._advice()

    def _advice(self) -> str:
        cap = LEAST
        while cap < 2 * self._longest:
            cap *= 2
        before = self._reserved // ENOUGH
        if before < WORTH * cap:
            return ""
        prompt = self._prompt // ENOUGH
        return (
            f"the longest of the first {ENOUGH} answers has {self._longest:,} tokens, and a request reserves "
            f"{before:,} of the account's tokens a minute: with max_completion_tokens={cap} (--max-tokens {cap}) "
            f"{(before + prompt) // (cap + prompt)} times as many requests fit into a minute; answers that need more "
            "would fail, and can be asked again with a larger one"
        )
