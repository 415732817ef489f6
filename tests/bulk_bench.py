"""`python -m tests.bench bulk`: how well a bulk run uses the account's limits, what it survives, and what it costs.

The service is the emulator, in another process, with its limits on and a minute of `MINUTE` seconds. Takes about ten
minutes. Peers that are not installed have no column; `ray_bench` measures the workers of a Ray cluster.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from kimi_openai.bulk.index import fingerprint

from .bulk_peers import MINUTE, PEERS, Way, gathered, line, ours, ours_by_aiohttp
from .bulk_service import Service

FAULTY_LINES, MEMORY_LINES, ASKED_LINES = 5_000, 1_000_000, 1_000
CPU_LINES, CPU_TURNS = 600, 5


@dataclass(frozen=True)
class Figure:
    """A row: what was measured, the goal, ours, and the peers by name."""

    what: str
    goal: str
    ours: str
    peers: Mapping[str, str] = field(default_factory=dict[str, str])


SETTINGS = (("tier1", "RPM", 4096, 300), ("tier1", "TPM", 30_000, 260), ("tier3", "RPM", 4096, 600))
"""Tier, the limit that binds, the output limit of the lines, and how many."""


def limits(folder: Path) -> Iterator[Figure]:
    """What is used of the limit in the whole minutes, and what is refused."""
    for tier, binding, cap, count in SETTINGS:
        found = {"ours": used(ours, tier, cap, count, folder)}
        with ThreadPoolExecutor(len(PEERS)) as threads:  # each to its own service
            running = {name: threads.submit(used, way, tier, cap, count, folder) for name, way in PEERS.items()}
            found |= {name: future.result() for name, future in running.items()}
        for place, (what, goal) in enumerate((("used", ">= 95 %"), ("refused", "< 1 %"), ("answered", "100 %"))):
            cells = {name: f"{100 * shares[place]:.1f} %" for name, shares in found.items()}
            yield Figure(f"{tier}, {binding} binds: {what}", goal, cells.pop("ours"), cells)


def used(way: Way, tier: str, cap: int, count: int, folder: Path) -> tuple[float, float, float]:
    """The share of the binding limit that was used in the whole minutes (all but the last), the share of the requests
    that was refused, and of the lines that was answered within twice the shortest possible time."""
    lines = [line(number, cap) for number in range(count)]
    with Service(limits=tier, minute=MINUTE, latency=MINUTE / 30) as kimi:
        report = kimi.report()
        rpm, tpm = report["limits"]["rpm"], report["limits"]["tpm"]
        ideal = max(count / rpm, sum(each["body"]["max_completion_tokens"] for each in lines) / tpm)

        async def run() -> int:
            return await asyncio.wait_for(way(kimi, lines, tier, folder), 2 * MINUTE * (1 + ideal))

        try:
            answered = asyncio.run(run())
        except asyncio.TimeoutError:
            answered = 0
        report = kimi.report()
    whole = report["minutes"][:-1] or report["minutes"]
    share = max(sum(each["admitted"] for each in whole) / rpm, sum(each["tokens"] for each in whole) / tpm)
    refused = sum(report["refused"].values())
    answered = answered or report["admitted"]
    return share / len(whole), refused / (refused + report["admitted"]), answered / count


def faults(folder: Path) -> Iterator[Figure]:
    """Half of the lines are streamed; each request is cut, refused or failed with the chances in `FAULTS`. The command
    is killed when half of the lines are there, and started again."""
    source, output = folder / "faulty.jsonl", folder / "answers.jsonl"
    lines = [line(number, 4096 if number % 2 else 8192) for number in range(FAULTY_LINES)]
    source.write_text("".join(json.dumps(each) + "\n" for each in lines))
    with Service(has_faults=True) as kimi:
        environ = {**os.environ, "MOONSHOT_BASE_URL": kimi.base_url, "MOONSHOT_API_KEY": kimi.api_key}
        command = [sys.executable, "-m", "kimi_openai", "bulk", str(source), "-o", str(output), "--concurrency", "50"]
        first = subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while first.poll() is None and (not output.exists() or _count(output) < FAULTY_LINES // 2):
            time.sleep(0.05)
        first.send_signal(signal.SIGKILL)
        first.wait()
        killed_at = _count(output)
        done = subprocess.run([*command, "--json"], env=environ, capture_output=True, text=True, check=False)
    records = [json.loads(each) for each in output.read_text().splitlines()]
    whole = {each["custom_id"] for each in records if _is_whole(each)}
    resumed = json.loads(done.stdout)["resumed"]
    what = f"{FAULTY_LINES:,} lines, 10 % cut, 10 % 429, 5 % 5xx, kill -9"
    yield Figure(f"{what}: whole", "100 %", f"{100 * len(whole) / FAULTY_LINES:.2f} %")
    yield Figure("  twice", "0", str(len(records) - len({each["custom_id"] for each in records})))
    yield Figure("  lost of what was written at the kill", "0", f"{max(killed_at - resumed, 0)} of {killed_at:,}")


def _count(output: Path) -> int:
    return output.read_bytes().count(b"\n")


def _is_whole(record: Any) -> bool:
    """Whether it is the whole answer to its own question, which the emulator quotes."""
    choice = record["response"]["body"]["choices"][0]
    content = choice["message"]["content"]
    quoted = f'"Say {record["custom_id"][1:]}."'
    return choice["finish_reason"] == "stop" and quoted in content and content.count("can only quote you") == 1


def cpu(folder: Path) -> Iterator[Figure]:
    """CPU time of this process for a line, 100 at once, the ways taking turns; the best turn of each counts."""
    ways: Mapping[str, Way] = {"bare": gathered, "ours": ours, "aiohttp": ours_by_aiohttp}
    best = dict.fromkeys(ways, float("inf"))
    with Service() as kimi:
        for turn in range(CPU_TURNS + 1):
            for name, way in ways.items():
                start = time.process_time()
                asyncio.run(way(kimi, [line(number) for number in range(CPU_LINES)], None, folder))
                if turn:  # the first turn warms up
                    best[name] = min(best[name], (time.process_time() - start) / CPU_LINES)
    for name, what in (("ours", "CPU a line, 100 at once"), ("aiohttp", "  with http_client=DefaultAioHttpClient()")):
        peers = {"gather": f"{1000 * best['bare']:.2f} ms"}
        yield Figure(what, "<= 0.5 bare", f"{1000 * best[name]:.2f} ms, {best[name] / best['bare']:.2f}", peers)


MEMORY = """
import resource, sys, warnings
warnings.simplefilter("ignore")
from kimi_openai import create_client
from kimi_openai.bulk import bulk
report = bulk(create_client(base_url=sys.argv[3], api_key=sys.argv[4]), sys.argv[1], sys.argv[2])
assert report.left == report.failed == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def memory(folder: Path) -> Iterator[Figure]:
    """The most MB of a process that has so many lines, of which the last `ASKED_LINES` are still to be asked."""
    with Service() as kimi:
        for count in (MEMORY_LINES // 10, MEMORY_LINES):
            source, output = folder / f"{count}.jsonl", folder / f"{count}.answers.jsonl"
            with source.open("w") as requests, output.open("w") as answers:
                for number in range(count):
                    each = line(number)
                    requests.write(json.dumps(each) + "\n")
                    if number < count - ASKED_LINES:
                        mark = fingerprint(each["body"])
                        record = {"custom_id": each["custom_id"], "fingerprint": mark, "response": None}
                        answers.write(json.dumps(record) + "\n")
            command = [sys.executable, "-c", MEMORY, str(source), str(output), kimi.base_url, kimi.api_key]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            yield Figure(f"memory, {count:,} lines", "< 300 MB", f"{float(done.stdout.split()[-1]):.0f} MB")


def ray(_: Path) -> Iterator[Figure]:
    """Two workers under one account, measured by `ray_bench`."""
    if find_spec("ray") is None or find_spec("tests.ray_bench") is None:
        yield Figure("two Ray workers, one account", ">= 90 %", "ray is not installed")
        return
    for what, _bare, measured, goal, unit in import_module("tests.ray_bench").ray_figures():
        yield Figure(what, f"{goal} {unit}", f"{measured:.1f} {unit}")


def show(sections: tuple[Any, ...] = (limits, faults, cpu, memory, ray)) -> None:
    """Measure everything, and print each row of the table when it is there."""
    warnings.simplefilter("ignore")
    print(f"{'':50}{'goal':>12}{'bulk':>22}" + "".join(f"{name:>12}" for name in PEERS))
    with tempfile.TemporaryDirectory() as name:
        for section in sections:
            for row in section(Path(name)):
                cells = "".join(f"{row.peers.get(name, ''):>12}" for name in PEERS)
                print(f"{row.what:50}{row.goal:>12}{row.ours:>22}{cells}".rstrip(), flush=True)


if __name__ == "__main__":
    show(tuple(globals()[name] for name in sys.argv[1:]) or (limits, faults, cpu, memory, ray))
