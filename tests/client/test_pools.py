"""pools.py: several small connection pools, as many as the requests at once need."""

from __future__ import annotations

from typing import Any

from kimi_openai.client.pools import SHARE
from kimi_openai.emulator import Emulator
from tests.conftest import Mode


def pools_of(client: Any) -> Any:
    """The pools of this process and loop."""
    (found,) = client._client._kimi_pools.values()
    return getattr(found, "http", found)


def busy(mode: Mode, client: Any, count: int) -> Any:
    """The pools of the client when so many requests are being sent, and one more was sent; then all are over."""
    mode.run(client.models.list())
    pools = pools_of(client)
    sending = [pools._take() for _ in range(count)]
    mode.run(client.models.list())
    for pool in sending:
        pools._give_back(pool)
    return pools


def test_many_requests_at_once_use_several_pools(mode: Mode, kimi: Emulator) -> None:
    """None of them has more than its share; one request after the other uses the first."""
    client = mode.client(kimi)
    assert len(busy(mode, client, SHARE - 1).clients) == 1
    pools = busy(mode, client, 2 * SHARE)
    assert len(pools.clients) == 3
    assert [len(http._transport._pool.connections) for http in pools.clients] == [1, 0, 1]


def test_idle_pools_are_closed(mode: Mode, kimi: Emulator) -> None:
    """The last one at each later request, and never the first."""
    client = mode.client(kimi)
    pools = busy(mode, client, 2 * SHARE)
    first, *others = pools.clients
    mode.run(client.models.list())
    assert pools.clients == [first, *others]
    pools._idle_seconds = 0
    for _ in range(3):
        mode.run(client.models.list())
    assert pools.clients == [first]
    assert [http.is_closed for http in (first, *others)] == [False, True, True]


def test_closing_the_client_closes_all(mode: Mode, kimi: Emulator) -> None:
    """Each pool."""
    client = mode.client(kimi)
    found = busy(mode, client, SHARE).clients
    assert len(found) == 2
    mode.run(client.close())
    assert all(http.is_closed for http in found)
