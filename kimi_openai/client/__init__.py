"""The `openai` clients configured for Kimi, and the factory functions that build them.

They use less CPU than the SDK's, because messages skip its typed conversion and chunks are validated in one step
(`python -m tests.bench`). Connections stay open for two minutes, survive a second `asyncio.run()` and a fork, and are
closed when the client is dropped. A `repr` shows region and base URL, never the key.

Tracing tools and mocks see the caller's own arguments, and each call once, wherever they patch: `create`, `parse` and
`stream` of the SDK's classes or of one client, `client.request`, `client.post`, before or after the client was made.
While `create` is patched, a call takes 1 to 8 % more CPU than with the bare SDK. What each tool records of
our client is compared with what it records of the SDK's: `create`, streams, streams left early, `.stream()`, `parse`,
raw responses, refused calls and a client used before the tool was started, sync and async. The model, messages, tools,
answer, calls, usage and error are the same. Tested versions, and what a tool does not record (with the SDK's client
it does not either):

    langfuse, `langfuse.openai` (5.0.4)
    ddtrace, LLM Observability (4.16.0)
    opentelemetry-instrumentation-openai-v2 (2.4b0): not tools, `parse`, error texts
    opentelemetry-instrumentation-genai-openai (1.3b0): not error texts
    openinference-instrumentation-openai (0.1.66)
    OpenLLMetry, traceloop's opentelemetry-instrumentation-openai (0.62.4)
    sentry-sdk (2.75.0): not `parse`, calls in streams, answers in raw responses, streams left early, error texts
    logfire, all clients or one (5.4.0)
    mlflow, with mlflow-tracing (3.17.2): not streams left early
    weave (0.54.0): not usage of streams that did not ask for it
    braintrust, `auto_instrument` and `wrap_openai` (0.48.1): not errors
    langsmith, `wrap_openai` (0.15.1)

Of streams that did not ask for usage, most record it with our client only. openinference shows schemas as they are
sent; braintrust names our method as the caller.
"""

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
