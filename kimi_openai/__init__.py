"""A genuine `openai.OpenAI` client for Moonshot's Kimi: what OpenAI code sends becomes what Kimi accepts."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .account import Balance, KimiModel, estimate_tokens, get_balance, list_models
from .client import AsyncKimiOpenAI, KimiOpenAI
from .compat import last_notes
from .completing import TruncatedAnswerError, complete
from .crew import ToolCall
from .errors import (
    CompatError,
    KimiCompatWarning,
    MissingKeyError,
    Note,
    SettingsError,
    StreamCutError,
    UnexpectedAnswerError,
    fault_of,
)
from .events import Event, Part
from .factories import create_async_client, create_client
from .faults import Fault
from .files import extract_text, upload_media
from .gate import Gate
from .messages import file_message, image_part, join_partial, partial_message, replay_message, video_part
from .replies import Reply
from .retries import RetryEvent, async_retrying, instant, retry_if_mendable, retrying, stop_after, wait_as_asked
from .steering import thinking
from .streaming import AsyncChatStream, ChatStream, stream
from .tools import ToolRun, TooManyTurnsError, run_tools

if TYPE_CHECKING:
    from .ledger import track
    from .notebook import live, show

__all__ = [
    "AsyncChatStream",
    "AsyncKimiOpenAI",
    "Balance",
    "ChatStream",
    "CompatError",
    "Event",
    "Fault",
    "Gate",
    "KimiCompatWarning",
    "KimiModel",
    "KimiOpenAI",
    "MissingKeyError",
    "Note",
    "Part",
    "Reply",
    "RetryEvent",
    "SettingsError",
    "StreamCutError",
    "TooManyTurnsError",
    "ToolCall",
    "ToolRun",
    "TruncatedAnswerError",
    "UnexpectedAnswerError",
    "async_retrying",
    "complete",
    "create_async_client",
    "create_client",
    "estimate_tokens",
    "extract_text",
    "fault_of",
    "file_message",
    "get_balance",
    "image_part",
    "instant",
    "join_partial",
    "last_notes",
    "list_models",
    "live",
    "partial_message",
    "replay_message",
    "retry_if_mendable",
    "retrying",
    "run_tools",
    "show",
    "stop_after",
    "stream",
    "thinking",
    "track",
    "upload_media",
    "video_part",
    "wait_as_asked",
]

LAZY = {"live": "notebook", "show": "notebook", "track": "ledger"}
"""Public names whose rooms are not worth the time of an import that does not use them."""


def __getattr__(name: str) -> Any:
    if name in LAZY:
        return getattr(import_module(f".{LAZY[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext kimi_openai` calls."""
    from .magics import load_magics

    load_magics(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext kimi_openai` calls."""
    from .magics import unload_magics

    unload_magics(shell)
