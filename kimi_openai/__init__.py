"""A genuine `openai.OpenAI` client for Moonshot's Kimi: what OpenAI code sends becomes what Kimi accepts."""

from .client import AsyncKimiOpenAI, KimiOpenAI, create_async_client, create_client

__all__ = ["AsyncKimiOpenAI", "KimiOpenAI", "create_async_client", "create_client"]
