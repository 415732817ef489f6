"""What the magics do with an error of a call: its one line is shown, without a traceback, and what had arrived is kept.

The exception stays the one that was raised, for code that catches it; only how IPython shows it is changed.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator, MutableMapping
from functools import partial
from typing import Any, cast

import openai

from kimi_openai._internal.sanitize import escape_controls
from kimi_openai.messages.reply import Reply

__all__ = ["error_line", "short_errors"]

KEPT = "; what had arrived is in kimi_reply"


@contextlib.contextmanager
def short_errors(names: MutableMapping[str, Any]) -> Generator[None, None, None]:
    """Errors of the SDK and of this package, and an interrupt, are shown as one line.

    What had arrived of the answer goes to `kimi_reply` in `names`; if nothing had, that stays as it is.
    """
    try:
        yield
    except (openai.OpenAIError, KeyboardInterrupt) as error:
        reply: Any = getattr(error, "reply", None)
        is_kept = isinstance(reply, Reply) and bool(reply.content or reply.reasoning or reply.tool_calls)
        if is_kept:
            names["kimi_reply"] = reply
        line = error_line(error) + (KEPT if is_kept else "")
        cast(Any, error)._render_traceback_ = partial(list[str], [line])  # IPython asks an exception for its lines
        raise


def error_line(error: BaseException) -> str:
    r"""The class and the message of an exception as one line, with control and invisible characters written out.

    >>> error_line(ValueError("a\n  b\x1b[2J"))
    'ValueError: a b\\x1b[2J'
    """
    message = escape_controls(" ".join(str(error).split()))
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
