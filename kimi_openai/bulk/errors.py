"""What ends a bulk run, or keeps it from starting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import openai

from kimi_openai._internal.secrets import mask_keys
from kimi_openai.errors.exceptions import Copyable

if TYPE_CHECKING:
    from .report import BulkReport

__all__ = ["BulkStoppedError", "InputError", "OutputError"]

PUBLIC = "kimi_openai.bulk"


class InputError(Copyable, openai.OpenAIError, ValueError):
    """Lines that cannot be sent; nothing was sent. `problems` are the reasons, each with the number of its line."""

    __module__ = PUBLIC

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(map(mask_keys, problems))
        super().__init__("nothing was sent:" + "".join(f"\n  - {problem}" for problem in self.problems))


class OutputError(Copyable, openai.OpenAIError):
    """The output file cannot be used: another run writes to it, it has the answers of other requests, or is no
    output of a bulk run."""

    __module__ = PUBLIC


class BulkStoppedError(Copyable, openai.OpenAIError):
    """The run ended early, for a reason that concerns all lines; start it again to go on. `report` is what was done.

    `__cause__` is the error that ended it.
    """

    __module__ = PUBLIC

    def __init__(self, reason: str, report: BulkReport) -> None:
        self.report = report
        super().__init__(
            f"{reason}\nThe run was stopped after {report.done:,} of {report.total:,} lines. What was answered is in "
            f"{report.output}; the same call or command goes on where it stopped."
        )
