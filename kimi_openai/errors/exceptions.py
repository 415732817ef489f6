"""The exceptions and the warning of this package. The package's docstring shows how they derive from the SDK's.

Their texts say what happened, whose side can fix it, and what to do. What looks like a key in them is masked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import openai
from openai.types.chat import ChatCompletion

from kimi_openai._internal.secrets import mask_keys

from .redaction import redact_request

__all__ = [
    "BatchFailedError",
    "BatchUnfinishedError",
    "CompatError",
    "Copyable",
    "IncompleteResponseError",
    "KimiCompatWarning",
    "LimitsError",
    "MissingKeyError",
    "Note",
    "SettingsError",
    "StreamCutError",
    "TruncatedAnswerError",
    "UnexpectedAnswerError",
]

PUBLIC = "kimi_openai.errors"
"""Where users import the exceptions from, so tracebacks show this name and not that of this module."""


class Copyable(Exception):
    """An exception that `copy` and `pickle` restore with its message and attributes, but without its `__cause__`.

    By default Python calls the class with `args`, which fails if `__init__` takes anything but the message.
    """

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), *self.args), self.__dict__


def _restored(kind: type[Exception], *args: object) -> Exception:
    return kind.__new__(kind, *args)


class SettingsError(openai.OpenAIError, ValueError):
    """A key, region, base URL or option that cannot work; raised at construction, before anything is sent."""

    __module__ = PUBLIC

    def __init__(self, message: str) -> None:
        super().__init__(mask_keys(message))


class MissingKeyError(SettingsError):
    """No key was passed, and none is in the environment or in the `.env` file."""

    __module__ = PUBLIC


@dataclass(frozen=True, slots=True)
class Note:
    """One thing in a request that Kimi does not accept, or one in an answer that is not as it should be.

    `kind` is a short name of the rule, `where` a dotted path into the body ("messages.3.role"), `change` what is sent
    instead, `why` what Kimi does or says, `fix` what to write in the code. `fatal`: there is nothing to send instead.
    `quiet`: nothing is wrong: it is logged at debug level, with no warning, and is no error with `compat="strict"`.
    """

    kind: str
    where: str
    change: str
    why: str
    fix: str
    fatal: bool = False
    quiet: bool = False

    def __post_init__(self) -> None:
        for name in ("change", "why", "fix"):
            object.__setattr__(self, name, mask_keys(getattr(self, name)))

    def __str__(self) -> str:
        return f"{self.where}: {self.change}, because {self.why}; {self.fix}"


class CompatError(Copyable, openai.OpenAIError, ValueError):
    """A request that Kimi would refuse, or any request that would be changed with `compat="strict"`; nothing was sent.

    `notes` are the reasons, a `Note` each.
    """

    __module__ = PUBLIC

    def __init__(self, notes: tuple[Note, ...]) -> None:
        self.notes = notes
        count = "1 thing" if len(notes) == 1 else f"{len(notes)} things"
        found = "".join(f"\n  - {note}" for note in notes)
        super().__init__(f"the request was not sent, Kimi does not accept {count} in it:{found}")


class LimitsError(Copyable, openai.OpenAIError):
    """A request that the account's limits do not admit, however long it waits, or not on this day; nothing was sent."""

    __module__ = PUBLIC


class UnexpectedAnswerError(Copyable, openai.OpenAIError):
    """An answer with status 200 that does not have what was asked for; `body` is the answer."""

    __module__ = PUBLIC

    def __init__(self, what: str, body: object) -> None:
        self.body = body
        super().__init__(
            f"the answer does not have {what} in it: {mask_keys(str(body))[:200]!r}; "
            "Kimi's side or a proxy's (is the base URL Kimi's?)"
        )


class BatchFailedError(Copyable, openai.OpenAIError):
    """A batch whose file Kimi refused, so that none of its requests ran; `batch` is the SDK's object."""

    __module__ = PUBLIC

    def __init__(self, batch: Any, why: str = "") -> None:
        self.batch = batch
        super().__init__(
            f"batch {batch.id} failed, none of its requests ran: {mask_keys(why) or 'Kimi does not say why'}; the "
            "file's side; check its model (list_models) and its lines, and submit it again"
        )


class BatchUnfinishedError(Copyable, openai.OpenAIError):
    """A batch that has not ended; `batch` is the SDK's object as it was last seen."""

    __module__ = PUBLIC

    def __init__(self, batch: Any, what: str) -> None:
        self.batch = batch
        super().__init__(
            f"batch {batch.id} is {batch.status}, {what}; Kimi's side; go on later with wait_for_batch and its id"
        )


class StreamCutError(Copyable, openai.APIConnectionError):
    """A stream that ended before its finish_reason (of a response: before its last event); `text` and `reasoning` are
    what had arrived of the first choice.

    `__cause__` is the exception that ended it, if there was one; `request` is the request, as on every SDK error, but
    without the key.
    """

    __module__ = PUBLIC

    text: str
    reasoning: str

    def __init__(
        self,
        *,
        request: Any,
        text: str = "",
        reasoning: str = "",
        cause: BaseException | None = None,
        outcome: str = "",  # of the attempts to continue it
        end: str = "its finish_reason",
    ) -> None:
        advice = "ask again, or use kimi_openai.stream, which goes on where the text broke off (not retried)"
        how = "it just ended" if cause is None else type(cause).__name__
        super().__init__(
            message=f"the stream was cut before {end} ({how}), after {len(text)} characters of content and "
            f"{len(reasoning)} of reasoning; the connection's or Kimi's side; "
            + (f"ask again ({outcome})" if outcome else advice),
            request=request,
        )
        redact_request(request)
        self.text = text
        self.reasoning = reasoning
        self.__cause__ = cause


class IncompleteResponseError(Copyable, openai.OpenAIError, RuntimeError):
    """A response that ended early, where a whole one was asked for; `response` is what had come, `text` its text.

    `parse` raises it instead of a parser's error, `get_final_response` instead of the SDK's `RuntimeError`. From
    `create` such a response is returned, with `status` "incomplete" and the reason in `incomplete_details`.
    """

    __module__ = PUBLIC

    def __init__(self, reason: str, response: Any) -> None:
        self.response = response
        self.text: str = response.output_text
        super().__init__(
            f"the response is incomplete ({reason}), after {len(self.text)} characters of text; the request's side; "
            "raise max_output_tokens, which pays for the reasoning too, or ask for less (not retried)"
        )


class TruncatedAnswerError(Copyable, openai.LengthFinishReasonError):
    """An answer that was cut off by its token budget and could not be continued; `completion` is what had come."""

    __module__ = PUBLIC

    def __init__(self, why: str, completion: ChatCompletion) -> None:
        super().__init__(completion=completion)
        self.args = (why,)


class KimiCompatWarning(UserWarning):
    """A part of a request was left out or changed, because Kimi does not accept it; a setting that is not for Kimi was
    not used; or an answer has no text."""

    __module__ = PUBLIC
