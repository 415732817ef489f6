"""A genuine `openai.OpenAI` client for Moonshot's Kimi: what OpenAI code sends becomes what Kimi accepts."""

from .account import Balance, KimiModel, estimate_tokens, get_balance, list_models
from .client import AsyncKimiOpenAI, KimiOpenAI, create_async_client, create_client
from .errors import (
    CompatError,
    KimiCompatWarning,
    MissingKeyError,
    SettingsError,
    StreamCutError,
    UnexpectedAnswerError,
    fault_of,
)
from .faults import Fault
from .files import extract_text, upload_media
from .gate import Gate
from .messages import file_message, image_part, join_partial, partial_message, replay_message, video_part
from .retries import RetryEvent, async_retrying, instant, retry_if_mendable, retrying, stop_after, wait_as_asked
from .thinking import thinking

__all__ = [
    "AsyncKimiOpenAI",
    "Balance",
    "CompatError",
    "Fault",
    "Gate",
    "KimiCompatWarning",
    "KimiModel",
    "KimiOpenAI",
    "MissingKeyError",
    "RetryEvent",
    "SettingsError",
    "StreamCutError",
    "UnexpectedAnswerError",
    "async_retrying",
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
    "list_models",
    "partial_message",
    "replay_message",
    "retry_if_mendable",
    "retrying",
    "stop_after",
    "thinking",
    "upload_media",
    "video_part",
    "wait_as_asked",
]
