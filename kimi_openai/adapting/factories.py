"""The two functions that make an HTTP client which adapts. `adapting_http_client` documents what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai

from kimi_openai.client.clients import AsyncKimiOpenAI, KimiOpenAI
from kimi_openai.client.env_file import ENV_FILE, EnvFile
from kimi_openai.client.signatures import shows_parameters_of
from kimi_openai.client.transport import AsyncPooledClient, PooledClient

from .kimi_clients import KimiClients
from .transport import AdaptingTransport, AsyncAdaptingTransport

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from kimi_openai.client.options import AsyncClientOptions, ClientOptions

__all__ = ["adapting_async_http_client", "adapting_http_client"]


@shows_parameters_of(KimiOpenAI)
def adapting_http_client(
    *, env_file: EnvFile = ENV_FILE, **options: Unpack[ClientOptions]
) -> openai.DefaultHttpxClient:
    """An `openai.DefaultHttpxClient` with which any `openai.OpenAI` calls Kimi: pass it as `http_client=`.

    For programs and frameworks that build the `OpenAI` client themselves. Each request goes through a client of ours
    with these `options` (those of `create_client`), so on the wire and in the answers everything is as with
    `create_client`: requests are adapted, errors are explained, usage is in its place, `x-should-retry` and
    `retry-after-ms` steer the retries of the program's client, and a stream that was cut ends with an error
    (`openai.APIError`) and does not look complete. Exceptions are those of `openai`; a request that no rule can
    repair is not sent and is a `BadRequestError` with the text of the `CompatError`. Changes are reported as by
    `create_client`, and in the response header `x-kimi-notes`.

    Key and base URL are those of the program's client. A base URL at api.openai.com is replaced by that of the
    `options` or of the environment, a key of OpenAI (see `create_client`) or none by the one of the `options`, the
    environment or `env_file`; that key goes only to Moonshot's hosts, to a loopback address and to our own base URL.
    With `api_key=` here, the program's key is not used for those either. OpenAI's headers (`openai-organization`, ...)
    are not sent. Requests to other APIs (an image, say) pass as they are.

    `patience` is for one attempt here; `timeout`, `max_retries` and `on_retry` have no effect: retries are the
    program's. `http_client` is what sends, by default one like that of `create_client`. Raises `SettingsError` for
    options that cannot work.
    """
    http = options.pop("http_client", None) or PooledClient()
    clients = KimiClients(KimiOpenAI, http, options, env_file=env_file)
    transport: Any = AdaptingTransport(clients)
    return openai.DefaultHttpxClient(transport=transport, trust_env=False)


@shows_parameters_of(AsyncKimiOpenAI)
def adapting_async_http_client(
    *, env_file: EnvFile = ENV_FILE, **options: Unpack[AsyncClientOptions]
) -> openai.DefaultAsyncHttpxClient:
    """`adapting_http_client` for `openai.AsyncOpenAI`."""
    http = options.pop("http_client", None) or AsyncPooledClient()
    clients = KimiClients(AsyncKimiOpenAI, http, options, env_file=env_file)
    transport: Any = AsyncAdaptingTransport(clients)
    return openai.DefaultAsyncHttpxClient(transport=transport, trust_env=False)
