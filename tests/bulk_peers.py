"""The ways to answer many lines that `bulk_bench` compares: ours, and what people write or use instead.

Each takes the service, the lines and the limits of a tier (`None`: none), and returns how many lines were answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import openai

from kimi_openai import Limits, create_async_client
from kimi_openai.bulk import bulk
from kimi_openai.models import TIERS

from .bulk_service import Service

MINUTE = 6.0
"""Seconds of a minute of the limits. (What the libraries wait after a refusal is not shortened, which is good for
them.)"""

AT_ONCE = 100

Lines = list[dict[str, Any]]
Way = Callable[[Service, Lines, str | None, Path], Awaitable[int]]


def line(number: int, cap: int = 4096) -> dict[str, Any]:
    """A line in the form of OpenAI's batches."""
    message = {"role": "user", "content": f"Say {number}."}
    body = {"model": "kimi-k3", "messages": [message], "max_completion_tokens": cap}
    return {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}


async def ours(kimi: Service, lines: Lines, tier: str | None, folder: Path, **options: Any) -> int:
    """`bulk`."""
    limits = Limits(tier, minute=MINUTE) if tier else None
    access: Any = {"base_url": kimi.base_url, "api_key": kimi.api_key, "limits": limits, **options}
    async with create_async_client(**access) as client:
        output = folder / f"{time.monotonic_ns()}.jsonl"
        return (await bulk(client, lines, output, concurrency=None if tier else AT_ONCE)).answered


async def ours_by_aiohttp(kimi: Service, lines: Lines, tier: str | None, folder: Path) -> int:
    """`bulk` on the SDK's transport on aiohttp."""
    return await ours(kimi, lines, tier, folder, http_client=openai.DefaultAioHttpClient())


def bare(kimi: Service, **options: Any) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=kimi.base_url, api_key=kimi.api_key, **options)


async def all_of(calls: list[Awaitable[Any]]) -> int:
    """How many of the calls returned."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return sum(not isinstance(answer, BaseException) for answer in answers)


async def gathered(kimi: Service, lines: Lines, _: str | None, __: Path) -> int:
    """`asyncio.gather` with a semaphore and ten retries."""
    gate = asyncio.Semaphore(AT_ONCE)
    async with bare(kimi, max_retries=10) as client:

        async def one(body: dict[str, Any]) -> None:
            async with gate:
                await client.chat.completions.create(**body)

        return await all_of([one(each["body"]) for each in lines])


async def cookbook(kimi: Service, lines: Lines, tier: str | None, _: Path) -> int:
    """The pattern of the OpenAI cookbook's parallel script: a loop that counts the capacity, a queue of retries (five
    attempts), and a pause of 15 s after a 429. The tokens of a request are those of its prompt and its limit."""
    rates, scale = TIERS[tier or "tier5"], MINUTE / 60
    retries: asyncio.Queue[tuple[dict[str, Any], int]] = asyncio.Queue()
    rest, tasks, answered = iter(lines), set[asyncio.Task[None]](), 0
    requests, tokens, updated, refused = float(rates.rpm), float(rates.tpm), time.monotonic(), 0.0
    async with bare(kimi, max_retries=0) as client:

        async def call(body: dict[str, Any], attempts: int) -> None:
            nonlocal answered, refused
            try:
                await client.chat.completions.create(**body)
                answered += 1
            except openai.OpenAIError as error:
                if isinstance(error, openai.RateLimitError):
                    refused = time.monotonic()
                if attempts > 1:
                    retries.put_nowait((body, attempts - 1))

        waiting: tuple[dict[str, Any], int] | None = None
        while True:
            if waiting is None:
                found = None if not retries.empty() else next(rest, None)
                waiting = (found["body"], 5) if found else retries.get_nowait() if not retries.empty() else None
            now = time.monotonic()
            requests = min(requests + rates.rpm * (now - updated) / MINUTE, rates.rpm)
            tokens = min(tokens + rates.tpm * (now - updated) / MINUTE, rates.tpm)
            updated = now
            size = 20 + waiting[0]["max_completion_tokens"] if waiting else 0
            if waiting and requests >= 1 and tokens >= size:
                requests, tokens = requests - 1, tokens - size
                tasks.add(task := asyncio.create_task(call(*waiting)))
                task.add_done_callback(tasks.discard)
                waiting = None
            if waiting is None and not tasks and retries.empty():
                found = next(rest, None)
                if found is None:
                    return answered
                waiting = (found["body"], 5)
            await asyncio.sleep(0.001)
            await asyncio.sleep(max(refused + 15 * scale - time.monotonic(), 0) if refused else 0)


async def aiolimited(kimi: Service, lines: Lines, tier: str | None, _: Path) -> int:
    """aiolimiter, one limiter for requests and one for tokens, ten retries of the SDK's."""
    from aiolimiter import AsyncLimiter

    rates, gate = TIERS[tier or "tier5"], asyncio.Semaphore(TIERS[tier or "tier5"].concurrency)
    requests, tokens = AsyncLimiter(rates.rpm, MINUTE), AsyncLimiter(rates.tpm, MINUTE)
    async with bare(kimi, max_retries=10) as client:

        async def one(body: dict[str, Any]) -> None:
            async with gate:
                await tokens.acquire(20 + body["max_completion_tokens"])
                await requests.acquire()
                await client.chat.completions.create(**body)

        return await all_of([one(each["body"]) for each in lines])


async def litellm_router(kimi: Service, lines: Lines, tier: str | None, _: Path) -> int:
    """litellm's Router with pre-call checks and ten retries. Its minute is a real one, so its numbers are larger."""
    import litellm

    litellm.suppress_debug_info = True
    rates, scale = TIERS[tier or "tier5"], 60 / MINUTE
    access = {"model": "openai/kimi-k3", "api_base": kimi.base_url, "api_key": kimi.api_key}
    limits = {"rpm": int(rates.rpm * scale), "tpm": int(rates.tpm * scale), "max_parallel_requests": rates.concurrency}
    models: Any = [{"model_name": "kimi", "litellm_params": {**access, **limits}}]
    router: Any = litellm.Router(model_list=models, num_retries=10, enable_pre_call_checks=True)
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(body: dict[str, Any]) -> None:
        async with gate:
            cap = body["max_completion_tokens"]
            await router.acompletion(model="kimi", messages=body["messages"], max_completion_tokens=cap)

    return await all_of([one(each["body"]) for each in lines])


PEERS: Mapping[str, Way] = {
    "gather": gathered,
    "cookbook": cookbook,
    **({"aiolimiter": aiolimited} if find_spec("aiolimiter") else {}),
    **({"litellm": litellm_router} if find_spec("litellm") else {}),
}
"""The others, those that are installed."""
