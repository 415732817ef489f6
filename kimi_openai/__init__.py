"""A genuine `openai.OpenAI` client for Moonshot's Kimi: what OpenAI code sends becomes what Kimi accepts.

The table of contents: each public name, and the room that it is in. A room is imported when one of its names is first
asked for, so that a program pays only for what it uses.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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
    from .ledger import track
    from .messages import file_message, image_part, join_partial, partial_message, replay_message, video_part
    from .notebook import live, show
    from .replies import Reply
    from .retries import async_retrying, retry_if_mendable, retrying, stop_after, wait_as_asked
    from .steering import thinking
    from .streaming import AsyncChatStream, ChatStream, stream
    from .tools import ToolRun, TooManyTurnsError, run_tools
    from .waits import RetryEvent, instant

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

ROOMS = {
    "account": "Balance KimiModel estimate_tokens get_balance list_models",
    "client": "AsyncKimiOpenAI KimiOpenAI",
    "compat": "last_notes",
    "completing": "TruncatedAnswerError complete",
    "crew": "ToolCall",
    "errors": "CompatError KimiCompatWarning MissingKeyError Note SettingsError StreamCutError"
    " UnexpectedAnswerError fault_of",
    "events": "Event Part",
    "factories": "create_async_client create_client",
    "faults": "Fault",
    "files": "extract_text upload_media",
    "gate": "Gate",
    "ledger": "track",
    "messages": "file_message image_part join_partial partial_message replay_message video_part",
    "notebook": "live show",
    "replies": "Reply",
    "retries": "async_retrying retry_if_mendable retrying stop_after wait_as_asked",
    "steering": "thinking",
    "streaming": "AsyncChatStream ChatStream stream",
    "tools": "ToolRun TooManyTurnsError run_tools",
    "waits": "RetryEvent instant",
}

_ROOM_OF = {name: room for room, names in ROOMS.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_ROOM_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext kimi_openai` calls."""
    from .magics import load_magics

    load_magics(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext kimi_openai` calls."""
    from .magics import unload_magics

    unload_magics(shell)
