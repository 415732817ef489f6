"""A Ray cluster of this machine that can reach nothing but loopback.

Ray listens on whatever address the machine has, also if it is told another one. So it is started in a network namespace
that has a loopback device only, or not at all.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

NEW_NETWORK = 0x40000000  # CLONE_NEWNET
SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_AUTH_MODE": "disabled",  # else it writes a token to the home directory
    "PYTHONPATH": str(Path(__file__).parents[2]),  # of the workers
}


class Unavailable(Exception):
    """Why there is no cluster here."""


@contextmanager
def only_loopback() -> Iterator[None]:
    """A network namespace without other devices, for this thread and what it starts. Raises `Unavailable`."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        raise Unavailable("Ray may listen on other addresses than loopback, and there are no network namespaces here")
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        if libc.unshare(NEW_NETWORK) != 0:
            raise Unavailable("Ray may listen on other addresses than loopback, and a network namespace needs root")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            assert [name for _, name in socket.if_nameindex()] == ["lo"]
            yield
        finally:
            libc.setns(before, NEW_NETWORK)
    finally:
        os.close(before)


@contextmanager
def cluster() -> Iterator[Any]:
    """Ray, started with two CPUs. Raises `Unavailable`."""
    if find_spec("ray") is None:
        raise Unavailable("Ray is not installed (kimi-openai[ray])")
    with only_loopback():
        os.environ.update(SETTINGS)
        ray = import_module("ray")
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            _node_ip_address="127.0.0.1",
            object_store_memory=100_000_000,
            log_to_driver=False,
        )
        import_module("ray.data").DataContext.get_current().enable_progress_bars = False
        try:
            yield ray
        finally:
            ray.shutdown()
