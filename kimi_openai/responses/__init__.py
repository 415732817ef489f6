"""Kimi's Responses API in OpenAI's dialect: the rules for a request, and the memory that stands for OpenAI's storage.

Pure rules and one SQLite store; nothing here sends a request. `client` imports these modules with the first request
to `/responses`. Kimi's face is stateless and narrow (platform docs, Responses page, 2026-09-03), so
`previous_response_id`, `conversation` and `retrieve` are answered from `ResponseMemory`.
"""

from .memory import ResponseMemory

__all__ = ["ResponseMemory"]
