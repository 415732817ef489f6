"""Signed answers: the headers of an answer, and `POST /v1/signatures/verify`.

Source: platform docs, signatures--verify, 2026-09-03. The platform keeps no nonces, so an old proof stays valid.
"""

from __future__ import annotations

from typing import Any

from kimi_openai.emulator.errors import invalid_request
from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.json_values import is_object
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.validation.fields import wrong_type

__all__ = ["signature_headers", "verify_signature"]

NONCE = "X-Msh-Request-Nonce"
PREFIX = "reqsigv1_"


def signature_headers(state: ServiceState, request: Request, status: int = 200) -> tuple[tuple[str, str], ...]:
    """The headers that sign an answer, if the request has exactly one nonce; a bad nonce is no error."""
    nonces, behaviour = request.headers.getall(NONCE, []), state.behaviour
    if len(nonces) != 1 or not nonces[0].strip() or not is_object(request.json):
        return ()
    if len(nonces[0]) > behaviour.max_nonce or (status != 200 and not behaviour.sign_errors):
        return ()
    timestamp = str(int(state.clock() * 1000))
    signature = state.signature(nonces[0], timestamp, str(request.json.get("model")))
    return (("Msh-Request-Timestamp", timestamp), ("Msh-Request-Signature", signature))


def verify_signature(state: ServiceState, request: Request) -> Response:
    """Whether a signature is this service's for nonce, time and model."""
    body: Any = request.json
    if not is_object(body) or not all(body.get(key) for key in ("nonce", "timestamp", "model", "signature")):
        return invalid_request("nonce, timestamp, model and signature are required").response()
    timestamp, signature = body["timestamp"], str(body["signature"])
    if type(timestamp) is not int:
        return wrong_type("timestamp", "int64", timestamp).response()
    if state.behaviour.reject_malformed_signatures and not signature.startswith(PREFIX):
        return invalid_request("the signature is malformed").response()
    lifetime = state.behaviour.signature_lifetime
    is_old = lifetime is not None and state.clock() - timestamp / 1000 > lifetime
    expected = state.signature(str(body["nonce"]), str(timestamp), str(body["model"]))
    return json_response({"valid": expected == signature and not is_old}, 200, ("Cache-Control", "no-store"))
