"""The emulator's memory over many requests: `python -m tests.emulator.memory [--requests 100000]`.

Prints the memory of the process, emulator and client together, after a tenth of the requests and at the end. It fails
if the difference is more than `GROWTH` MB.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import sys
from collections.abc import Iterator

import aiohttp

from kimi_openai.emulator import Emulator

GROWTH = 30
AT_ONCE = 50


def resident() -> float:
    """The memory of this process in MB (Linux)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096 / 1e6


async def ask(kimi: Emulator, numbers: Iterator[int]) -> None:
    """Send chat requests, each with another question, until the numbers are used up; every third is a stream."""
    headers = {"Authorization": f"Bearer {kimi.api_key}"}
    connector = aiohttp.TCPConnector(limit=0)

    async def worker(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            messages = [{"role": "user", "content": f"question {number}"}]
            body = {"model": "kimi-k3", "messages": messages, "stream": number % 3 == 0}
            async with session.post(f"{kimi.base_url}/chat/completions", json=body) as answer:
                await answer.read()

    async with aiohttp.ClientSession(headers=headers, connector=connector) as session:
        await asyncio.gather(*(worker(session) for _ in range(AT_ONCE)))


def main(arguments: list[str]) -> int:
    """Run the program; 1 if the memory grew."""
    parser = argparse.ArgumentParser(prog="python -m tests.emulator.memory")
    parser.add_argument("--requests", type=int, default=100_000)
    count = parser.parse_args(arguments).requests
    with Emulator(balance=10**9) as kimi:
        found: list[float] = []
        numbers = iter(range(count))
        for part in (count // 10, count - count // 10):
            asyncio.run(ask(kimi, iter([next(numbers) for _ in range(part)])))
            gc.collect()
            found.append(resident())
        print(
            f"{count:,} requests: {found[0]:.0f} MB after a tenth, {found[1]:.0f} MB at the end, "
            f"{len(kimi.requests):,} kept"
        )
    return int(found[1] - found[0] > GROWTH)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
