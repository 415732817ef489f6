"""Proof that Kimi accepted a request: `signed` asks for it, `verify_signature` checks it.

Source: platform docs, signatures--verify, 2026-09-03.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from dataclasses import asdict
from typing import Any, TypedDict, overload
from uuid import uuid4

import openai

from kimi_openai._internal.flow import AnyClient, Flow, run
from kimi_openai.client.proofs import NONCE_HEADER, Signature, signatures_in
from kimi_openai.errors.exceptions import UnexpectedAnswerError

from .any_client import guarded

__all__ = ["Signature", "signatures_of", "signed", "verify_signature"]


class SignedArguments(TypedDict):
    """The arguments that `signed` adds to a call."""

    extra_headers: Mapping[str, str]


def signed(*, nonce: str | None = None, extra_headers: Mapping[str, str] | None = None) -> SignedArguments:
    """The argument that makes Kimi sign the answer: `create(**signed(), ...)`, also for `stream` and Responses.

    It is `extra_headers` with a nonce in it, by default a random UUID; `extra_headers` of your own are kept. A retry
    sends the same nonce again, and each answer has its own signature. What makes a nonce too long is not documented;
    with one that Kimi does not take, only the signature is missing. Raises `ValueError` for a nonce that cannot be the
    value of a header. Source: platform docs, signatures--verify, 2026-09-03.

    >>> signed(nonce="ticket-17")
    {'extra_headers': {'X-Msh-Request-Nonce': 'ticket-17'}}
    """
    nonce = str(uuid4()) if nonce is None else nonce
    if not nonce or not nonce.isascii() or not nonce.isprintable() or nonce != nonce.strip():
        raise ValueError("nonce must be a text of printable ASCII without blanks around it, a UUID for example")
    return {"extra_headers": {**(extra_headers or {}), NONCE_HEADER: nonce}}


def signatures_of(answer: object) -> tuple[Signature, ...]:
    """The signatures of an answer, to be kept and verified later, by anyone with a key. One, unless `stream` or
    `complete` sent several requests.

    Raises `ValueError` if it was not asked for with `signed()`, or is an object of a client of the bare SDK (take the
    raw response, or the stream), and `UnexpectedAnswerError` if it came without: the nonce was not valid, or a relay
    between you and Kimi did not pass the headers on.
    """
    found = signatures_in(answer)
    if not found:
        raise ValueError(
            f"this {type(answer).__name__} has no signature: ask for one with **signed(), and pass a completion of "
            "create_client's, a stream or a raw response"
        )
    whole = tuple(each for each in found if each is not None)
    if len(whole) < len(found):
        raise UnexpectedAnswerError("a signature (the nonce was no good, or a relay drops the headers)", found)
    return whole


@overload
def verify_signature(client: openai.OpenAI, answer: object) -> bool: ...
@overload
def verify_signature(client: openai.AsyncOpenAI, answer: object) -> Coroutine[Any, Any, bool]: ...
def verify_signature(client: AnyClient, answer: object) -> bool | Coroutine[Any, Any, bool]:
    """Whether Kimi signed the answer, from POST /v1/signatures/verify; the client may be of another account.

    `answer` came from a call with `**signed()`: a completion, a stream of the SDK's or of `stream`, read or not, a raw
    response, an answer of Responses; or it is a `Signature`. It verifies what was really sent, after `model_aliases`,
    and the headers of the last attempt. If several requests made the answer, all of their signatures must be valid.

    What it proves: Moonshot accepted a request with this nonce for this model at this time, so a relay really sent it.
    What it does not prove: that the request succeeded, that the answer is whole, or what was in either. Nonces are not
    recorded, so an old signature stays valid: compare the nonce with yours, and the `timestamp` of `signatures_of` with
    the clock. To check a relay, let `client` be one that asks Moonshot itself.

    Raises the errors of `signatures_of`, the SDK's, and `UnexpectedAnswerError` if the answer has another shape. A text
    that Kimi does not take for a signature (400) is not valid. Source: platform docs, signatures--verify, 2026-09-03.
    """
    signatures = (answer,) if isinstance(answer, Signature) else signatures_of(answer)
    return run(client, guarded("whether a signature is valid", _are_valid(client, signatures)))


def _are_valid(client: AnyClient, signatures: tuple[Signature, ...]) -> Flow[bool]:
    for signature in signatures:
        try:
            answer = yield client.post("/signatures/verify", body=asdict(signature), cast_to=object)
        except openai.BadRequestError:
            return False
        match answer:
            case {"valid": True}:
                continue
            case {"valid": False}:
                return False
            case _:
                raise UnexpectedAnswerError("whether a signature is valid", answer)
    return True
