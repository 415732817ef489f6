"""A user's file about batches and signatures; checked by mypy and pyright in strict mode, never run."""

from __future__ import annotations

import openai
from openai.types import Batch
from openai.types.chat import ChatCompletion
from typing_extensions import assert_type

from kimi_openai import (
    BatchResult,
    batch_results,
    cache,
    create_async_client,
    create_client,
    signed,
    submit_batch,
    verify_signature,
    wait_for_batch,
)


def batches() -> None:
    client = create_client()
    batch = submit_batch(client, {"a": {"model": "kimi-k2.6"}}, completion_window="3d", metadata={"job": "x"})
    assert_type(batch, Batch)
    assert_type(wait_for_batch(client, batch, patience=60, on_progress=print), Batch)
    for result in batch_results(client, batch.id, ids=["a"]):
        assert_type(result, BatchResult)
        assert_type(result.completion, ChatCompletion | None)
    client.batches.create(completion_window="3d", endpoint="/v1/chat/completions", input_file_id="file_1")
    assert_type(client.batches.retrieve("batch_1"), Batch)


async def batches_async() -> None:
    client = create_async_client()
    assert_type(await submit_batch(client, "in.jsonl"), Batch)
    async for result in batch_results(openai.AsyncOpenAI(), "batch_1"):
        assert_type(result, BatchResult)
    assert_type(
        await client.batches.create(completion_window="7d", endpoint="/v1/chat/completions", input_file_id="f"), Batch
    )


def proofs() -> None:
    client = create_client()
    answer = client.chat.completions.create(model="kimi-k3", messages=[], extra_body=cache(ttl="1h"), **signed())
    assert_type(verify_signature(client, answer), bool)


def refused() -> None:
    """Windows that Kimi does not take."""
    submit_batch(create_client(), "in.jsonl", completion_window="8d")  # type: ignore[call-overload]
    create_client().batches.create(completion_window="1h", endpoint="x", input_file_id="f")  # type: ignore[arg-type]
