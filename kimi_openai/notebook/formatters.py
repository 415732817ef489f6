"""How the SDK's own values look where they end a cell, once `%load_ext kimi_openai` was called.

The answer of a bare `create()` is then shown as an answer. This uses IPython's own table of formatters: no class of the
SDK is changed, and the value itself (`_`, `Out[3]`) is what it was.
"""

from __future__ import annotations

from typing import Any

import openai
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion
from openai.types.responses import Response, ResponseUsage

from kimi_openai.errors.exceptions import CompatError, Note
from kimi_openai.messages.reply import Reply

from .display import bundle_of

__all__ = ["add_formatters", "remove_formatters"]

DISPLAYED = (ChatCompletion, Response, CompletionUsage, ResponseUsage, Reply, openai.APIError, CompatError, Note)
"""Classes that this package gives a display, and their subclasses."""


def add_formatters(shell: Any) -> None:
    """Show such values as `show` does, in a notebook as HTML and in a terminal as text."""
    for kind in DISPLAYED:
        shell.display_formatter.mimebundle_formatter.for_type(kind, bundle_of)


def remove_formatters(shell: Any) -> None:
    """Show them as IPython does."""
    for kind in DISPLAYED:
        shell.display_formatter.mimebundle_formatter.pop(kind, None)
