"""The `openai` clients configured for Kimi, and the factory functions that build them."""

from .clients import AsyncKimiOpenAI, KimiOpenAI
from .factories import create_async_client, create_client
from .options import AsyncClientOptions, ClientOptions

__all__ = [
    "AsyncClientOptions",
    "AsyncKimiOpenAI",
    "ClientOptions",
    "KimiOpenAI",
    "create_async_client",
    "create_client",
]
