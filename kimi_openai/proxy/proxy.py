"""The proxy as its users hold it: its address, its token, and when it listens."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING

from aiohttp import web

from kimi_openai.adapting.kimi_clients import KimiClients
from kimi_openai.client.base_url import is_loopback
from kimi_openai.client.clients import AsyncKimiOpenAI
from kimi_openai.client.env_file import ENV_FILE, EnvFile
from kimi_openai.client.transport import AsyncPooledClient
from kimi_openai.errors.exceptions import SettingsError

from .access import check_token, new_token
from .handler import MAX_BODY, Handler

if TYPE_CHECKING:
    from typing_extensions import Self, Unpack

    from kimi_openai.client.options import AsyncClientOptions

__all__ = ["LOOPBACK", "Proxy"]

LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = ("", "0.0.0.0", "::")

BACKLOG = 1024
SHUTDOWN_SECONDS = 1.0


class Proxy:
    """A local endpoint in OpenAI's form for Kimi, in the running event loop: `async with Proxy() as proxy`.

    Programs use `proxy.base_url` and, as their API key, `proxy.token`; without `token` it is a random one. `options`
    are those of `create_async_client`: with `model_aliases` programs may go on naming OpenAI's models, with
    `fetch_images` images behind https URLs are put into the request, `max_concurrency` holds for all programs together.
    Key and base URL of Kimi are found as by `create_client`.

    `port=0` takes a free port. With another `host` than a loopback one, other machines can reach the proxy, and nothing
    is encrypted. Retries are the programs' own, by the headers that the SDK of OpenAI knows; `patience` is for one
    attempt. Raises `SettingsError` for options that cannot work, and `OSError` at the start if the port is taken.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = LOOPBACK,
        token: str | None = None,
        env_file: EnvFile = ENV_FILE,
        **options: Unpack[AsyncClientOptions],
    ) -> None:
        if not 0 <= port <= 65535:
            raise SettingsError(f"port is {port}; it must be 1 to 65535, or 0 for a free port")
        self.token = new_token() if token is None else check_token(token)
        self.host = host
        self._port = port
        http = options.pop("http_client", None) or AsyncPooledClient()
        self._clients = KimiClients(AsyncKimiOpenAI, http, options, env_file=env_file)
        self.kimi_url = str(self._clients.own().base_url).rstrip("/")
        self._runner: web.AppRunner | None = None

    @property
    def base_url(self) -> str:
        """The base URL for programs on this machine. Before the start the port may be 0."""
        host = LOOPBACK if self.host in EVERY_ADDRESS else self.host
        return f"http://{f'[{host}]' if ':' in host else host}:{self._port}/v1"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach the proxy."""
        return is_loopback(self.host)

    async def start(self) -> None:
        """Listen. Raises `OSError` if that is not possible."""
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_route("*", "/{path:.*}", Handler(self._clients, self.token).handle)
        runner = web.AppRunner(
            app, handler_cancellation=True, access_log=None, shutdown_timeout=SHUTDOWN_SECONDS, keepalive_timeout=75
        )
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host or None, self._port, backlog=BACKLOG).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self._port = runner.addresses[0][1]

    async def stop(self) -> None:
        """End all connections, to programs and to Kimi."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()
        await self._clients.http.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def __repr__(self) -> str:
        return f"<Proxy {self.base_url} for {self.kimi_url}>"
