"""A user's file that uses the public names; checked by mypy and pyright in strict mode, never run."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import openai
from openai.types.chat import ChatCompletion, ChatCompletionMessageParam
from typing_extensions import assert_type

from kimi_openai import (
    AsyncKimiOpenAI,
    Balance,
    KimiCompatWarning,
    KimiModel,
    KimiOpenAI,
    MissingKeyError,
    SettingsError,
    UnexpectedAnswerError,
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
