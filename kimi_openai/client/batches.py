"""The types of `client.batches`: the SDK's methods with the windows that Kimi takes. The object is the SDK's own.

Source: platform docs, batch create page, 2026-09-03.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

__all__ = ["CompletionWindow"]

CompletionWindow = Literal["12h", "24h", "36h", "48h", "72h", "1d", "2d", "3d", "4d", "5d", "6d", "7d"]
"""How long a batch may take. Kimi takes any whole number of hours or days from 12 hours to 7 days."""

if TYPE_CHECKING:
    from collections.abc import Mapping

    import openai
    from openai.resources.batches import AsyncBatches, Batches
    from openai.types import Batch

    class KimiBatches(Batches):
        """`openai.resources.Batches` as Kimi has it."""

        def create(
            self,
            *,
            completion_window: CompletionWindow,
            endpoint: Literal["/v1/chat/completions"] | str,
            input_file_id: str,
            metadata: Mapping[str, str] | openai.NotGiven | openai.Omit | None = ...,
            output_expires_after: Any = ...,
            extra_headers: Any = ...,
            extra_query: Any = ...,
            extra_body: Any = ...,
            timeout: Any = ...,
        ) -> Batch:
            """The SDK's method."""
            ...

    class AsyncKimiBatches(AsyncBatches):
        """`openai.resources.AsyncBatches` as Kimi has it."""

        async def create(
            self,
            *,
            completion_window: CompletionWindow,
            endpoint: Literal["/v1/chat/completions"] | str,
            input_file_id: str,
            metadata: Mapping[str, str] | openai.NotGiven | openai.Omit | None = ...,
            output_expires_after: Any = ...,
            extra_headers: Any = ...,
            extra_query: Any = ...,
            extra_body: Any = ...,
            timeout: Any = ...,
        ) -> Batch:
            """The SDK's method."""
            ...
