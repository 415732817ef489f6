"""A genuine `openai.OpenAI` client for Moonshot's Kimi: what OpenAI code sends becomes what Kimi accepts.

Every public name can be imported from here. A package is imported when one of its names is first used, so a program
pays only for what it uses. The packages are public too: `kimi_openai.errors`, `kimi_openai.retry`, ...
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .adapting import adapting_async_http_client, adapting_http_client
    from .client import AsyncKimiOpenAI, KimiOpenAI, create_async_client, create_client
    from .compat import last_notes
    from .endpoints import (
        Balance,
        BatchError,
        BatchResult,
        KimiModel,
        Signature,
        batch_results,
        delete_batch_files,
        estimate_tokens,
        extract_text,
        get_balance,
        list_models,
        signatures_of,
        signed,
        submit_batch,
        upload_media,
        verify_signature,
        wait_for_batch,
    )
    from .errors import (
        BatchFailedError,
        BatchUnfinishedError,
        CompatError,
        Fault,
        IncompleteResponseError,
        KimiCompatWarning,
        LimitsError,
        MissingKeyError,
        Note,
        SettingsError,
        StreamCutError,
        TruncatedAnswerError,
        UnexpectedAnswerError,
        fault_of,
    )
    from .limits import Limits
    from .messages import (
        Reply,
        file_message,
        image_part,
        join_partial,
        partial_message,
        reasoning_of,
        replay_message,
        video_part,
    )
    from .models import cache, thinking
    from .notebook import live, show
    from .responses import ResponseMemory
    from .retry import (
        Gate,
        RetryEvent,
        async_retrying,
        instant,
        retry_if_mendable,
        retrying,
        stop_after,
        wait_as_asked,
    )
    from .streaming import AsyncChatStream, ChatStream, Event, Part, complete, stream
    from .tools import Reference, ToolCall, ToolRun, TooManyTurnsError, formula_tools, run_tools, tool_message
    from .usage import CacheCost, cache_cost, track

__version__ = "0.2.0"

__all__ = [
    "AsyncChatStream",
    "AsyncKimiOpenAI",
    "Balance",
    "BatchError",
    "BatchFailedError",
    "BatchResult",
    "BatchUnfinishedError",
    "CacheCost",
    "ChatStream",
    "CompatError",
    "Event",
    "Fault",
    "Gate",
    "IncompleteResponseError",
    "KimiCompatWarning",
    "KimiModel",
    "KimiOpenAI",
    "Limits",
    "LimitsError",
    "MissingKeyError",
    "Note",
    "Part",
    "Reference",
    "Reply",
    "ResponseMemory",
    "RetryEvent",
    "SettingsError",
    "Signature",
    "StreamCutError",
    "TooManyTurnsError",
    "ToolCall",
    "ToolRun",
    "TruncatedAnswerError",
    "UnexpectedAnswerError",
    "adapting_async_http_client",
    "adapting_http_client",
    "async_retrying",
    "batch_results",
    "cache",
    "cache_cost",
    "complete",
    "create_async_client",
    "create_client",
    "delete_batch_files",
    "estimate_tokens",
    "extract_text",
    "fault_of",
    "file_message",
    "formula_tools",
    "get_balance",
    "image_part",
    "instant",
    "join_partial",
    "last_notes",
    "list_models",
    "live",
    "partial_message",
    "reasoning_of",
    "replay_message",
    "retry_if_mendable",
    "retrying",
    "run_tools",
    "show",
    "signatures_of",
    "signed",
    "stop_after",
    "stream",
    "submit_batch",
    "thinking",
    "tool_message",
    "track",
    "upload_media",
    "verify_signature",
    "video_part",
    "wait_as_asked",
    "wait_for_batch",
]

_PACKAGES = {
    "adapting": "adapting_async_http_client adapting_http_client",
    "client": "AsyncKimiOpenAI KimiOpenAI create_async_client create_client",
    "compat": "last_notes",
    "endpoints": "Balance BatchError BatchResult KimiModel Signature batch_results delete_batch_files"
    " estimate_tokens extract_text get_balance list_models signatures_of signed submit_batch upload_media"
    " verify_signature wait_for_batch",
    "errors": "BatchFailedError BatchUnfinishedError CompatError Fault IncompleteResponseError KimiCompatWarning"
    " LimitsError MissingKeyError Note SettingsError StreamCutError TruncatedAnswerError UnexpectedAnswerError"
    " fault_of",
    "limits": "Limits",
    "messages": "Reply file_message image_part join_partial partial_message reasoning_of replay_message video_part",
    "models": "cache thinking",
    "notebook": "live show",
    "responses": "ResponseMemory",
    "retry": "Gate RetryEvent async_retrying instant retry_if_mendable retrying stop_after wait_as_asked",
    "streaming": "AsyncChatStream ChatStream Event Part complete stream",
    "tools": "Reference ToolCall ToolRun TooManyTurnsError formula_tools run_tools tool_message",
    "usage": "CacheCost cache_cost track",
    "bulk": "",
    "emulator": "",
    "mfjs": "",
    "proxy": "",
}
_PACKAGE_OF = {name: package for package, names in _PACKAGES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f".{name}", __name__)
    if name not in _PACKAGE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_PACKAGE_OF[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return [*__all__, *(name for name in globals() if name.startswith("__"))]


def load_ipython_extension(shell: Any) -> None:
    """What `%load_ext kimi_openai` calls."""
    from .notebook.magics import load_magics

    load_magics(shell)


def unload_ipython_extension(shell: Any) -> None:
    """What `%unload_ext kimi_openai` calls."""
    from .notebook.magics import unload_magics

    unload_magics(shell)
