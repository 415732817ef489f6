"""The signature of an answer, kept with the answer until `verify_signature` asks Kimi about it.

A signature is in the headers of a response, and belongs to the nonce and the model of its request. An object that the
SDK makes of a response has neither, so the client puts what is needed on it, where it is in no dump of the object.
Source: platform docs, signatures--verify, 2026-09-03.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kimi_openai._internal.decode import decode_json
from kimi_openai._internal.json_values import as_dict

__all__ = ["NONCE_HEADER", "Signature", "Signatures", "keep_signatures", "signatures_in", "signatures_of_response"]

NONCE_HEADER = "X-Msh-Request-Nonce"
TIMESTAMP_HEADER = "Msh-Request-Timestamp"
SIGNATURE_HEADER = "Msh-Request-Signature"

ATTRIBUTE = "_kimi_signatures"


@dataclass(frozen=True, slots=True)
class Signature:
    """What POST /v1/signatures/verify takes: the nonce and the model as they were sent, the time of the request by
    Kimi's clock in milliseconds, and the signature."""

    nonce: str
    timestamp: int
    model: str
    signature: str


Signatures = tuple[Signature | None, ...]
"""One for each request that was signed, `None` if its answer came without one."""


def signatures_of_response(response: Any) -> Signatures:
    """The signature of a response; empty if its request had no nonce. The request is the one that was really sent:
    after aliases, and that of the last attempt."""
    nonce = response.request.headers.get(NONCE_HEADER)
    if nonce is None:
        return ()
    headers = response.headers
    timestamp, signature = headers.get(TIMESTAMP_HEADER, ""), headers.get(SIGNATURE_HEADER)
    try:
        model = as_dict(decode_json(response.request.content)).get("model")
        return (Signature(nonce, int(timestamp), str(model), signature),) if signature else (None,)
    except ValueError:  # the time is no number
        return (None,)


def keep_signatures(answer: object, signatures: Signatures) -> None:
    """Put the signatures on an answer. In its dumps and comparisons they are not."""
    if signatures:
        object.__setattr__(answer, ATTRIBUTE, signatures)  # as the SDK does with `_request_id`


def signatures_in(answer: Any) -> Signatures:
    """The signatures on an answer, or those of the response that an object holds: a stream of the SDK's, its `.stream`
    helper, a raw response, a status error."""
    kept: Signatures | None = getattr(answer, ATTRIBUTE, None)
    if kept is not None:
        return kept
    for name in ("http_response", "response", "_response"):
        response = getattr(answer, name, None)
        if hasattr(response, "headers") and hasattr(response, "request"):
            return signatures_of_response(response)
    return ()
