"""`python -m tests.ray_bench`: how well two Ray workers use the limits of one account together.

The service is the emulator with its limits on and a shorter minute. `ray_figures` has the rows for `tests.bench`.
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kimi_openai.bulk.ray import bulk_ray, shared_limits
from kimi_openai.emulator import Emulator
from tests.ray.cluster import Unavailable, cluster

MINUTE = 6.0


def line(number: int, cap: int) -> dict[str, Any]:
    message = {"role": "user", "content": f"Say {number}."}
    body = {"model": "kimi-k3", "messages": [message], "max_completion_tokens": cap}
    return {"custom_id": f"r{number}", "body": body}


def used(tier: str, cap: int, count: int, folder: Path) -> tuple[float, float]:
    """The share of the binding limit that was used in the whole minutes, and the share of requests refused."""
    with Emulator(limits=tier, minute=MINUTE, latency=MINUTE / 30) as kimi:
        limits = shared_limits(tier, minute=MINUTE, ttl=MINUTE / 2, name=f"{tier}-{cap}")
        client = {"base_url": kimi.base_url, "api_key": kimi.api_key}
        lines = [line(number, cap) for number in range(count)]
        report = bulk_ray(lines, folder / f"{tier}-{cap}.jsonl", limits=limits, workers=2, client=client)
        assert report.answered == count
        limit = kimi.limits
    whole = limit.minutes[:-1]
    requests, tokens = (sum(getattr(each, name) for each in whole) for name in ("admitted", "tokens"))
    share = max(requests / (limit.limits.rpm or 1), tokens / (limit.limits.tpm or 1)) / max(len(whole), 1)
    refused = sum(limit.refused.values())
    return share, refused / (refused + limit.admitted)


def ray_figures() -> Iterator[tuple[str, float | None, float, str, str]]:
    """What, no figure of the bare SDK, ours, the goal, the unit. Raises `Unavailable` with the reason."""
    warnings.simplefilter("ignore")
    with cluster(), tempfile.TemporaryDirectory() as folder:
        for tier, cap, count, limit in (("tier1", 4096, 400, "RPM"), ("tier1", 100_000, 80, "TPM")):
            share, refused = used(tier, cap, count, Path(folder))
            yield f"two Ray workers, {tier}: {limit} used, whole minutes", None, 100 * share, ">=90", "%"
            yield f"two Ray workers, {tier}: refused ({limit} binds)", None, 100 * refused, "<1", "%"


if __name__ == "__main__":
    try:
        for figure in ray_figures():
            print(*figure, flush=True)
    except Unavailable as reason:
        sys.exit(f"not measured: {reason}")
