"""A genuine `openai.OpenAI` client for Moonshot's Kimi: what OpenAI code sends becomes what Kimi accepts."""

from .account import Balance, KimiModel, estimate_tokens, get_balance, list_models
from .client import AsyncKimiOpenAI, KimiOpenAI, create_async_client, create_client
from .errors import KimiCompatWarning, MissingKeyError, SettingsError, UnexpectedAnswerError
from .files import extract_text, upload_media
from .messages import file_message, image_part, join_partial, partial_message, replay_message, video_part
from .thinking import thinking

__all__ = [
    "AsyncKimiOpenAI",
    "Balance",
    "KimiCompatWarning",
    "KimiModel",
    "KimiOpenAI",
    "MissingKeyError",
    "SettingsError",
    "UnexpectedAnswerError",
    "create_async_client",
    "create_client",
    "estimate_tokens",
    "extract_text",
    "file_message",
    "get_balance",
    "image_part",
    "join_partial",
    "list_models",
    "partial_message",
    "replay_message",
    "thinking",
    "upload_media",
    "video_part",
]
