"""The two functions that most programs begin with. `create_client` documents our options."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .clients import AsyncKimiOpenAI, KimiOpenAI
from .env_file import ENV_FILE, EnvFile
from .signatures import shows_parameters_of

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import AsyncClientOptions, ClientOptions

__all__ = ["create_async_client", "create_client"]


@shows_parameters_of(KimiOpenAI)
def create_client(*, env_file: EnvFile = ENV_FILE, **options: Unpack[ClientOptions]) -> KimiOpenAI:
    """An `openai.OpenAI` for Kimi, with every resource, option and type of the SDK.

    `api_key`: a string, or a callable that returns one for each request (rotating keys). Default: the first of
    `MOONSHOT_API_KEY`, `KIMI_API_KEY` and `MOONSHOTAI_API_KEY` in the environment, then in `env_file`. A key of OpenAI
    (the value of `OPENAI_API_KEY`, or one that begins with `sk-proj-`, `sk-svcacct-` or `sk-admin-`) is not sent: the
    default is used instead, with a `KimiCompatWarning`; without a default it is an error.
    `region`: "ai" (platform.kimi.ai) or "cn" (platform.kimi.com). Keys of one region do not work in the other.
    `base_url`: default: the one of `region`, then `MOONSHOT_BASE_URL`, `KIMI_BASE_URL`, `MOONSHOT_REGION`, then
    `https://api.moonshot.ai/v1`. One at api.openai.com is not used, with a warning. `allow_http`: permits `http://` to
    a host that is not loopback. A loopback URL is never reached through a proxy of the environment; a proxy that
    you passed to your own `http_client` stays in use.
    `env_file`: a file name that is searched from the working directory upwards (default `.env`), a path, or `None` for
    no file. It is read, never exported, and `${NAME}` in it is not replaced. Its base URL is for its own key: with a
    key from elsewhere it is an error, unless it is Moonshot's, or a loopback one in the working directory. A file of
    another user (root's is not one) is passed over with a warning; a path is read whoever owns it.

    `compat`: what happens to a request that Kimi does not accept. "adapt" sends the nearest request that Kimi accepts,
    with a `KimiCompatWarning`, a log line and a `Note`. "strict" raises a `CompatError` that lists the changes instead.
    "off" sends the request as it is. Default: `KIMI_COMPAT`, then "adapt".
    `on_note`: called with each `Note`; `last_notes()` returns those of the last request.
    `model_aliases`: ids to send instead of others, such as `{"gpt-4o": "kimi-k3"}`. Default: `KIMI_MODEL_ALIASES`, such
    as `gpt-4o=kimi-k3,o3=kimi-k3`.
    `fetch_images`: downloads images behind public https URLs and sends their bytes (20 MB each).
    `remember_reasoning`: Kimi wants `reasoning_content` back with the tool calls that it came with, and many frameworks
    drop it. The client keeps it in memory and sends it again where the same calls (ids, names, arguments) come back
    after the same messages, but for those whose `reasoning_content` the caller sent. Copies of the client share the
    memory; it holds at most 2,000 reasonings and 16 MB, and ends with the last of them. A quiet `Note` says so.

    `patience`: seconds for one call with all its attempts and waits. (A stream of the SDK's that has begun may last
    longer; `kimi_openai.stream` ends in time.) The number of attempts is the SDK's `max_retries` plus one.
    `on_retry`: called with a `RetryEvent` before each wait.
    `limits`: the account's rate limits, as `Limits(rpm=..., tpm=...)` or the name of a tier ("tier1"): each attempt
    waits until Kimi has no reason to refuse it, in order and within `patience`; see `kimi_openai.Limits`. Pass one
    `Limits` to several clients of an account and they count together. A request that the limits never admit is a
    `LimitsError`.
    `max_concurrency`: how many requests may be open at once, including streams that are still read. More requests wait
    in order. Copies of the client count together; pass one `Gate` to several clients and they count together too.

    `response_memory`: a file (SQLite) in which `client.responses` keeps its responses and conversations, so that
    `previous_response_id` works in the next run of a program too; or a `ResponseMemory` that several clients share.
    Default: in memory, the last 1000 responses or 64 MB, shared by the copies of the client.

    All other options are those of `openai.OpenAI` (`timeout`, `max_retries`, `default_headers`, `http_client`, ...).
    Nothing of the `OPENAI_*` environment is used or sent. Raises `SettingsError` for a missing or malformed key or
    URL, or for two that do not belong together, and `TypeError` for an unknown option.
    """
    return KimiOpenAI(env_file=env_file, **options)


@shows_parameters_of(AsyncKimiOpenAI)
def create_async_client(*, env_file: EnvFile = ENV_FILE, **options: Unpack[AsyncClientOptions]) -> AsyncKimiOpenAI:
    """An `openai.AsyncOpenAI` for Kimi, with the options of `create_client`.

    It may be used from several event loops, one after the other or at the same time. Its transport is the SDK's
    default, whatever is installed. The SDK's faster one on aiohttp is asked for by name:
    `http_client=openai.DefaultAioHttpClient()`, with the extra `kimi-openai[aiohttp]`.
    """
    return AsyncKimiOpenAI(env_file=env_file, **options)
