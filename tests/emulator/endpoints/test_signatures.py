"""Signed answers and their verification over real sockets."""

from __future__ import annotations

from email.message import Message
from typing import Any

import pytest

from kimi_openai.emulator import Behaviour, Emulator
from tests.emulator.http import Got, chat, send


@pytest.mark.parametrize("stream", [False, True])
def test_signature(kimi: Emulator, stream: bool) -> None:
    """A nonce gets a signature that the verify endpoint confirms; an empty one gets none and no error."""
    got = chat(kimi, stream=stream, headers={"X_Msh_Request_Nonce": "n1"}).headers
    proof: dict[str, Any] = {"nonce": "n1", "model": "kimi-k3", "signature": got["Msh-Request-Signature"]}
    proof["timestamp"] = int(got["Msh-Request-Timestamp"])
    verdict = send(kimi, "POST", "/v1/signatures/verify", proof)
    assert (verdict.json, verdict.headers["Cache-Control"]) == ({"valid": True}, "no-store")
    assert send(kimi, "POST", "/v1/signatures/verify", {**proof, "nonce": "n2"}).json == {"valid": False}
    unsigned = chat(kimi, headers={"X_Msh_Request_Nonce": ""})
    assert (unsigned.status, unsigned.headers["Msh-Request-Signature"]) == (200, None)


@pytest.mark.parametrize(("proof", "status"), [({}, 400), ({"timestamp": "soon"}, 400), ({"timestamp": 1}, 200)])
def test_bad_proof(kimi: Emulator, proof: dict[str, Any], status: int) -> None:
    """A proof without its fields is a 400; so is a timestamp that is no integer."""
    whole = {"nonce": "n1", "model": "kimi-k3", "signature": "reqsigv1_0", **proof}
    got = send(kimi, "POST", "/v1/signatures/verify", whole)
    assert got.status == status
    assert got.json == {"valid": False} or status == 400


def verdict(kimi: Emulator, headers: Message, **changes: Any) -> Got:
    """What the verify endpoint says of a signed answer."""
    proof: dict[str, Any] = {"nonce": "n1", "model": "kimi-k3", "signature": headers["Msh-Request-Signature"]}
    proof |= {"timestamp": int(headers["Msh-Request-Timestamp"]), **changes}
    return send(kimi, "POST", "/v1/signatures/verify", proof)


def test_switches() -> None:
    """Lifetime, longest nonce, signed errors and malformed signatures are not documented, so each has a switch."""
    now = [1000.0]
    behaviour = Behaviour(max_nonce=3, sign_errors=True, signature_lifetime=60, reject_malformed_signatures=True)
    nonce = {"X_Msh_Request_Nonce": "n1"}
    with Emulator(behaviour=behaviour, clock=lambda: now[0]) as kimi:
        assert "Msh-Request-Signature" in chat(kimi, n=2, headers=nonce).headers
        assert "Msh-Request-Signature" not in chat(kimi, headers={"X_Msh_Request_Nonce": "long"}).headers
        got = chat(kimi, headers=nonce).headers
        assert verdict(kimi, got).json == {"valid": True}
        assert verdict(kimi, got, signature="x").status == 400
        now[0] += 61
        assert verdict(kimi, got).json == {"valid": False}
    with Emulator() as kimi:
        assert "Msh-Request-Signature" not in chat(kimi, n=2, headers=nonce).headers
