"""What went wrong, whose side it is, what to do: decided here once, in one table.

The SDK's exceptions stay what they are; the few of our own below are subclasses of the SDK's `OpenAIError`, so code
that catches that catches them.

    OpenAIError
    ├── SettingsError (also ValueError)     a key, region or base URL that cannot work
    └── UnexpectedAnswerError               the platform answered something that is not what was asked for
"""

from __future__ import annotations

import openai

__all__ = ["KimiCompatWarning", "SettingsError", "UnexpectedAnswerError"]


class SettingsError(openai.OpenAIError, ValueError):
    """A key, region, base URL or option that cannot work; raised at construction, before anything is sent."""


class UnexpectedAnswerError(openai.OpenAIError):
    """A 200 that is not what was asked for; `body` is what came instead."""

    def __init__(self, what: str, body: object) -> None:
        self.body = body
        super().__init__(
            f"the answer does not have {what} in it: {str(body)[:200]!r}; "
            "Kimi's side or a proxy's (is the base URL Kimi's?)"
        )


class KimiCompatWarning(UserWarning):
    """Something that OpenAI accepts was left out or changed because Kimi does not accept it."""
