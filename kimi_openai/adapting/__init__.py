"""HTTP clients that do on the wire what our clients do, for programs that build their own `OpenAI` client."""

from .factories import adapting_async_http_client, adapting_http_client

__all__ = ["adapting_async_http_client", "adapting_http_client"]
