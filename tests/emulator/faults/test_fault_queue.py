"""Which request gets a fault: by queue and path, by header, by chance."""

from __future__ import annotations

from kimi_openai.emulator import Emulator, overloaded
from tests.emulator.http import chat, error_of, send


def test_fault_by_path(kimi: Emulator) -> None:
    """A fault with a path waits for a request with that path."""
    kimi.fail(overloaded(), path="/models")
    assert chat(kimi).status == 200
    assert send(kimi, "GET", "/v1/models").status == 429
    assert send(kimi, "GET", "/v1/models").status == 200


def test_fault_by_header(kimi: Emulator) -> None:
    """A request may choose its fault in a header; an unknown one is a 400 with the reason."""
    assert chat(kimi, headers={"X_Emulator_Fault": "rate_limited=rpm"}).json == error_of("rate_rpm")[1]
    got = chat(kimi, headers={"X_Emulator_Fault": "flood"})
    assert got.status == 400
    assert got.json["error"]["message"].startswith("emulator: X-Emulator-Fault: no fault 'flood'")
    assert chat(kimi).status == 200


def test_chance_is_seeded() -> None:
    """Faults by chance follow from the seed."""

    def statuses(seed: int) -> list[int]:
        with Emulator(seed=seed, chance={overloaded(): 0.5}) as kimi:
            return [send(kimi, "GET", "/v1/models").status for _ in range(12)]

    assert statuses(1) == statuses(1)
    assert set(statuses(1)) == {200, 429}
    assert statuses(1) != statuses(2)


def test_clear(kimi: Emulator) -> None:
    """`clear` removes the queued faults."""
    kimi.fail(overloaded())
    kimi.clear()
    assert chat(kimi).status == 200
