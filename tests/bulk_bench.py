"""`python -m tests.bench bulk`: how well a bulk run uses the account's limits, and what it costs, beside the bare SDK.

The service is the emulator with its limits on, in another process. Its minute is shorter (`MINUTE`).
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import openai

from kimi_openai import Limits, create_async_client
from kimi_openai.bulk import bulk as run_bulk
from kimi_openai.emulator import Emulator

MINUTE = 6.0
MEMORY_LINES = 1_000_000


def line(number: int, cap: int = 4096) -> dict[str, Any]:
    message = {"role": "user", "content": f"Say {number}."}
    body = {"model": "kimi-k3", "messages": [message], "max_completion_tokens": cap}
    return {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}


async def ours(kimi: Emulator, lines: list[dict[str, Any]], tier: str | None, folder: Path) -> None:
    limits = Limits(tier, minute=MINUTE) if tier else None
    async with create_async_client(base_url=kimi.base_url, api_key=kimi.api_key, limits=limits) as client:
        await run_bulk(client, lines, folder / f"{time.monotonic_ns()}.jsonl", concurrency=None if tier else 100)


async def gathered(kimi: Emulator, lines: list[dict[str, Any]], _: str | None, __: Path) -> None:
    """`asyncio.gather` with a semaphore, as people write it."""
    gate = asyncio.Semaphore(100)
    async with openai.AsyncOpenAI(base_url=kimi.base_url, api_key=kimi.api_key, max_retries=10) as client:

        async def one(body: dict[str, Any]) -> None:
            async with gate:
                await client.chat.completions.create(**body)

        await asyncio.gather(*(one(each["body"]) for each in lines), return_exceptions=True)


Way = Callable[[Emulator, list[dict[str, Any]], str | None, Path], Awaitable[None]]


def used(way: Way, tier: str, cap: int, count: int, folder: Path) -> tuple[float, float]:
    """The share of the binding limit that was used in the whole minutes, and the share of requests refused."""
    with Emulator(limits=tier, minute=MINUTE, latency=MINUTE / 30) as kimi:
        asyncio.run(way(kimi, [line(number, cap) for number in range(count)], tier, folder))
        report = kimi.limits
    whole = report.minutes[:-1]
    share = max(
        sum(each.admitted for each in whole) / (report.limits.rpm or 1),
        sum(each.tokens for each in whole) / (report.limits.tpm or 1),
    ) / max(len(whole), 1)
    refused = sum(report.refused.values())
    return share, refused / (refused + report.admitted)


def cpu_per_line(way: Way, folder: Path, count: int = 600) -> float:
    """CPU seconds of this process; the emulator is another one."""
    with _other_emulator() as kimi:
        asyncio.run(way(kimi, [line(number) for number in range(50)], None, folder))
        start = time.process_time()
        asyncio.run(way(kimi, [line(number) for number in range(count)], None, folder))
        return (time.process_time() - start) / count


class _other_emulator:
    """The emulator in another process."""

    def __enter__(self) -> Any:
        command = [sys.executable, "-m", "kimi_openai", "emulator", "--port", "0"]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self._process.stdout is not None
        self.base_url, self.api_key = (self._process.stdout.readline().strip().partition("=")[2] for _ in range(2))
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait()


MEMORY = """
import asyncio, json, resource, sys, warnings
warnings.simplefilter("ignore")
from kimi_openai import create_client
from kimi_openai.bulk import bulk
bulk(create_client(api_key="sk-x"), sys.argv[1], sys.argv[2])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def memory(lines: int, folder: Path) -> float:
    """The most MB of a process that checks so many lines and finds that all are done."""
    from kimi_openai.bulk.index import fingerprint

    source, output = folder / "in.jsonl", folder / "out.jsonl"
    with source.open("w") as requests, output.open("w") as answers:
        for number in range(lines):
            each = line(number)
            requests.write(json.dumps(each) + "\n")
            record = {"custom_id": each["custom_id"], "fingerprint": fingerprint(each["body"]), "response": None}
            answers.write(json.dumps(record) + "\n")
    done = subprocess.run([sys.executable, "-c", MEMORY, source, output], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def figures() -> Iterator[tuple[str, float | None, float, str, str]]:
    """What, the bare SDK's figure, ours, the goal, the unit."""
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for tier, cap, count, limit in (
            ("tier1", 4096, 300, "RPM"),
            ("tier1", 100_000, 60, "TPM"),
            ("tier3", 4096, 600, "RPM"),
            ("tier3", 100_000, 90, "TPM"),
        ):
            bare, mine = used(gathered, tier, cap, count, folder), used(ours, tier, cap, count, folder)
            yield f"{tier}: {limit} used, whole minutes", 100 * bare[0], 100 * mine[0], ">=95", "%"
            yield f"{tier}: refused ({limit} binds)", 100 * bare[1], 100 * mine[1], "<1", "%"
        yield "CPU a line, 100 at once", *(1000 * cpu_per_line(way, folder) for way in (gathered, ours)), "<=0.5", "ms"
        yield f"memory, {MEMORY_LINES:,} lines", None, memory(MEMORY_LINES, folder), "<300", "MB"


if __name__ == "__main__":
    for figure in figures():
        print(*figure, flush=True)
