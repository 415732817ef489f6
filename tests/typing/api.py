"""A user's file that uses the public names; checked by mypy and pyright in strict mode, never run.

A line with `type: ignore` is one that both must refuse: if one accepts it, it reports the comment as unnecessary.
"""

# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from openai.types.responses import Response
from typing_extensions import Unpack, assert_type

from kimi_openai import (
    AsyncKimiOpenAI,
    Balance,
    KimiCompatWarning,
    KimiModel,
    KimiOpenAI,
    MissingKeyError,
    ResponseMemory,
    SettingsError,
    UnexpectedAnswerError,
    adapting_async_http_client,
    adapting_http_client,
    create_async_client,
    create_client,
    estimate_tokens,
    extract_text,
    file_message,
    get_balance,
    image_part,
    join_partial,
    list_models,
    partial_message,
    replay_message,
    thinking,
    upload_media,
    video_part,
)
from kimi_openai.client import AsyncClientOptions, ClientOptions
from kimi_openai.proxy import Proxy


def responses(client: KimiOpenAI, path: Path) -> None:
    memory = ResponseMemory(path, max_responses=10, max_bytes=10**6)
    create_client(response_memory=memory)
    create_async_client(response_memory="file")
    client.with_options(response_memory=path)
    client.with_options(response_memory=3)  # type: ignore[arg-type]
    first = client.responses.create(model="kimi-k3", input="Hi", store=True)
    assert_type(first, Response)
    for event in client.responses.create(model="kimi-k3", input="Hi", previous_response_id=first.id, stream=True):
        if event.type == "response.output_text.delta":
            assert_type(event.delta, str)
    assert_type(client.responses.retrieve(first.id).output_text, str)


def synchronous(path: Path) -> None:
    client = create_client(api_key="sk-1", region="cn", env_file=None, timeout=3.0, max_retries=1)
    assert_type(client, KimiOpenAI)
    assert_type(client.with_options(timeout=3), KimiOpenAI)
    sdk: openai.OpenAI = client
    assert_type(get_balance(sdk), Balance)
    assert_type(get_balance(client).available, Decimal)
    assert_type(get_balance(client).is_exhausted, bool)
    assert_type(list_models(client), list[KimiModel])
    assert_type(list_models(client)[0].context_length, int | None)
    assert_type(extract_text(client, path), str)
    assert_type(extract_text(client, path.open("rb"), filename="a.pdf", keep_file=True), str)
    assert_type(upload_media(client, b"", purpose="image"), str)
    messages: list[ChatCompletionMessageParam] = [
        file_message("text"),
        {"role": "user", "content": [image_part(path), video_part("ms://file_1"), {"type": "text", "text": "?"}]},
    ]
    assert_type(estimate_tokens(client, model="kimi-k3", messages=messages), int)
    completion = client.chat.completions.create(
        model="kimi-k3", messages=messages, extra_body=thinking("kimi-k3", effort="low")
    )
    assert_type(completion, ChatCompletion)
    messages.append(replay_message(completion))
    messages.append(replay_message(completion.choices[0].message))
    messages.append(partial_message("{", name="Kimi"))
    assert_type(join_partial("{", completion), str)
    for chunk in client.chat.completions.create(model="kimi-k3", messages=messages, stream=True):
        assert_type(chunk.choices[0].delta.content, str | None)


async def asynchronous(path: Path) -> None:
    async def key() -> str:
        return "sk-1"

    client = create_async_client(api_key=key)
    assert_type(client, AsyncKimiOpenAI)
    assert_type(client.copy(max_retries=0), AsyncKimiOpenAI)
    sdk: openai.AsyncOpenAI = client
    assert_type(await get_balance(sdk), Balance)
    assert_type(await list_models(client), list[KimiModel])
    assert_type(await extract_text(client, path), str)
    assert_type(await upload_media(client, path), str)
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Hi"}]
    assert_type(await estimate_tokens(client, model="kimi-k3", messages=messages), int)
    completion = await client.chat.completions.create(
        model="kimi-k3", messages=[{"role": "user", "content": "Hi"}], stream=False
    )
    assert_type(completion, ChatCompletion)


def options(timeout: openai.Timeout, http: openai.DefaultHttpxClient) -> None:
    """Factories, constructors and copies know our options and the SDK's, by name and by type."""
    client = KimiOpenAI(max_retries=1, websocket_base_url=None, max_concurrency=3, compat="strict", webhook_secret="w")
    create_client(timeout=timeout, http_client=http, base_url=client.base_url, default_query={"a": 1}, env_file="k.env")
    client.copy(set_default_headers={"X-A": "1"}, fetch_images=True).with_options(timeout=None, patience=9)

    create_client(timeot=3)  # type: ignore[call-arg]
    create_async_client(timeot=3)  # type: ignore[call-arg]
    KimiOpenAI(timeot=3)  # type: ignore[call-arg]
    AsyncKimiOpenAI(timeot=3)  # type: ignore[call-arg]
    client.copy(timeot=3)  # type: ignore[call-arg]
    client.with_options(timeot=3)  # type: ignore[call-arg]
    AsyncKimiOpenAI().with_options(timeot=3)  # type: ignore[call-arg]
    client.copy(env_file=None)  # type: ignore[call-arg]
    create_client(timeout="3")  # type: ignore[arg-type]
    create_client(compat="loose")  # type: ignore[arg-type]
    create_client(http_client=openai.DefaultAsyncHttpxClient())  # type: ignore[arg-type]
    create_async_client(http_client=http)  # type: ignore[arg-type]


def for_programs_that_build_their_own() -> None:
    """The SDK takes what is returned, and the options have types."""
    openai.OpenAI(http_client=adapting_http_client(model_aliases={"gpt-4o": "kimi-k3"}))
    openai.AsyncOpenAI(http_client=adapting_async_http_client(patience=3))
    openai.AsyncOpenAI(http_client=adapting_http_client())  # type: ignore[arg-type]
    adapting_http_client(timeot=3)  # type: ignore[call-arg]
    Proxy(port=0, token="t", fetch_images=True)
    Proxy(timeot=3)  # type: ignore[call-arg]


def own_factory(**options: Unpack[ClientOptions]) -> KimiOpenAI:
    """The types of the options are public: a wrapper of the caller's has them too."""
    own_factory(timeout=3, api_key=lambda: "sk-1")
    own_factory(timeot=3)  # type: ignore[call-arg]
    return create_client(**options)


def own_async_factory(**options: Unpack[AsyncClientOptions]) -> AsyncKimiOpenAI:
    """The same for asynchronous clients, whose keys may come from a coroutine."""

    async def key() -> str:
        return "sk-1"

    own_async_factory(api_key=key)
    create_client(api_key=key)  # type: ignore[arg-type]
    return create_async_client(**options)


def errors() -> None:
    try:
        KimiOpenAI()
    except MissingKeyError as missing:
        settings: SettingsError = missing
        sdk: openai.OpenAIError = settings
        raise sdk from None
    except UnexpectedAnswerError as error:
        assert_type(error.body, object)
    category: type[UserWarning] = KimiCompatWarning
    print(category)
