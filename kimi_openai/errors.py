"""What went wrong, whose side it is, what to do: decided here once, in one table.

The SDK's exceptions stay what they are; the few of our own below are subclasses of the SDK's `OpenAIError`, so code
that catches that catches them.

    OpenAIError
    ├── SettingsError (also ValueError)     a key, region or base URL that cannot work
    │   └── MissingKeyError                 there is no key anywhere
    ├── CompatError (also ValueError)       a request that Kimi would refuse, and how to write it instead
    ├── UnexpectedAnswerError               the platform answered something that is not what was asked for
    └── APIConnectionError
        └── StreamCutError                  a stream that ended before its finish_reason
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import openai

__all__ = [
    "CompatError",
    "KimiCompatWarning",
    "MissingKeyError",
    "Note",
    "SettingsError",
    "StreamCutError",
    "UnexpectedAnswerError",
    "stream_error",
]


class SettingsError(openai.OpenAIError, ValueError):
    """A key, region, base URL or option that cannot work; raised at construction, before anything is sent."""


class MissingKeyError(SettingsError):
    """No key was passed, and none is in the environment or in the `.env` file."""


@dataclass(frozen=True, slots=True)
class Note:
    """One thing in a request that is not what Kimi accepts.

    `kind` is a short name of the rule, `where` a dotted path into the body ("messages.3.role"), `change` what is sent
    instead, `why` what Kimi does or says, `fix` what to write in the code. `fatal`: there is nothing to send instead.
    """

    kind: str
    where: str
    change: str
    why: str
    fix: str
    fatal: bool = False

    def __str__(self) -> str:
        return f"{self.where}: {self.change}, because {self.why}; {self.fix}"


class CompatError(openai.OpenAIError, ValueError):
    """A request that Kimi would refuse, or with `compat="strict"` would get only changed; nothing was sent.

    `notes` are the reasons, a `Note` each.
    """

    def __init__(self, notes: tuple[Note, ...]) -> None:
        self.notes = notes
        found = "".join(f"\n  - {note}" for note in notes)
        super().__init__(f"the request was not sent, {len(notes)} in it to change for Kimi:{found}")


class UnexpectedAnswerError(openai.OpenAIError):
    """A 200 that is not what was asked for; `body` is what came instead."""

    def __init__(self, what: str, body: object) -> None:
        self.body = body
        super().__init__(
            f"the answer does not have {what} in it: {str(body)[:200]!r}; "
            "Kimi's side or a proxy's (is the base URL Kimi's?)"
        )


class StreamCutError(openai.APIConnectionError):
    """A stream that ended before its finish_reason: `text` and `reasoning` are what had come of the first choice.

    What broke it, if anything was raised, is `__cause__`; `request` is the request, as on every SDK error.
    """

    text: str
    reasoning: str

    def __init__(
        self, *, request: Any, text: str = "", reasoning: str = "", cause: BaseException | None = None
    ) -> None:
        how = "it just ended" if cause is None else type(cause).__name__
        super().__init__(
            message=f"the stream was cut before its finish_reason ({how}), after {len(text)} characters of content and "
            f"{len(reasoning)} of reasoning; the connection's or Kimi's side; ask again, or use kimi_openai.stream, "
            "which goes on where the text broke off (not retried)",
            request=request,
        )
        self.text = text
        self.reasoning = reasoning
        self.__cause__ = cause


class KimiCompatWarning(UserWarning):
    """Something that OpenAI accepts was left out or changed because Kimi does not accept it."""


def stream_error(body: object, response: Any) -> openai.APIError:
    """The exception for an error event inside a stream: of the class that the same error has before a stream.

    `body` is the event's JSON, `{"error": {...}}` or the inner object; `response` is the stream's response.
    """
    error = body.get("error", body) if isinstance(body, Mapping) else body
    message = error.get("message") if isinstance(error, Mapping) else error
    return openai.APIError(str(message or "An error occurred during streaming"), response.request, body=error)
