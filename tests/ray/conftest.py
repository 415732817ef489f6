"""A Ray cluster of this machine that can reach nothing but loopback, and the emulator with the limits of an account.

Ray listens on whatever address the machine has, also if it is told another one. So the tests run in a network namespace
that has a loopback device only, or not at all.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kimi_openai.emulator import Emulator

MINUTE = 6.0
NEW_NETWORK = 0x40000000  # CLONE_NEWNET


@pytest.fixture(scope="session")
def only_loopback() -> Iterator[None]:
    """A network namespace without other devices, for this thread and what it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        pytest.skip("Ray may listen on other addresses than loopback, and there are no network namespaces here")
    before = os.open("/proc/self/ns/net", os.O_RDONLY)
    if libc.unshare(NEW_NETWORK) != 0:
        pytest.skip("Ray may listen on other addresses than loopback, and a network namespace needs root")
    try:
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        assert [name for _, name in socket.if_nameindex()] == ["lo"]
        yield
    finally:
        libc.setns(before, NEW_NETWORK)
        os.close(before)


@pytest.fixture(scope="session")
def ray(only_loopback: None) -> Iterator[Any]:
    """Ray, started."""
    ray = pytest.importorskip("ray")
    # workers import the tests, warn as they like, and tell nobody
    settings = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_AUTH_MODE": "disabled", "RAY_DATA_DISABLE_PROGRESS_BARS": "1"}
    os.environ.update(settings, PYTHONPATH=str(Path(__file__).parents[2]))
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        object_store_memory=100_000_000,
        log_to_driver=False,
    )
    yield ray
    ray.shutdown()


@pytest.fixture
def account(ray: Any) -> Iterator[Emulator]:
    """An account of the first tier; its minute is shorter."""
    with Emulator(limits="tier1", minute=MINUTE, latency=0.2) as kimi:
        yield kimi
