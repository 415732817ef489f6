"""HTTP clients that do on the wire what our clients do, for programs that build an `OpenAI` client of their own."""

from .factories import adapting_async_http_client, adapting_http_client

__all__ = ["adapting_async_http_client", "adapting_http_client"]
