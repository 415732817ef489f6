"""`signed` and `verify_signature`, under every reading of what the docs leave open."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace
from typing import Any

import openai
import pydantic
import pytest

from kimi_openai import UnexpectedAnswerError, complete, instant, signatures_of, signed, stream, verify_signature
from kimi_openai.emulator import Emulator, cut, overloaded, say
from kimi_openai.emulator.behaviour import Behaviour
from tests.conftest import Mode
from tests.servers import MakeAnswering

QUESTION: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}


class Prime(pydantic.BaseModel):
    """A form of an answer."""

    number: int


def asked(mode: Mode, client: Any, way: str, **options: Any) -> Any:
    """What a call returns that verify_signature takes."""
    chat, options = client.chat.completions, {**QUESTION, **options}
    match way:
        case "create":
            return mode.run(chat.create(**options))
        case "stream, not read":
            return mode.run(chat.create(**options, stream=True))
        case "stream, read":
            found = mode.run(chat.create(**options, stream=True))
            mode.each(found)
            return found
        case "raw":
            return mode.run(chat.with_raw_response.create(**options))
        case "raw, parsed":
            return mode.run(chat.with_raw_response.create(**options)).parse()
        case "parse":
            return mode.run(chat.parse(**options, response_format=Prime))
        case "response":
            return mode.run(client.responses.create(model=options.pop("model"), input="Hi", **signed_only(options)))
        case "kimi stream":
            found = stream(client, **options)
            mode.each(found)
            return found
        case "complete":
            return mode.run(complete(client, **options))
        case _:
            return mode.run(helper(mode, chat, options))


def signed_only(options: dict[str, Any]) -> dict[str, Any]:
    """The headers of the options."""
    return {"extra_headers": options["extra_headers"]}


def helper(mode: Mode, chat: Any, options: Any) -> Any:
    """The SDK's own stream helper, read to its end."""
    if not mode.is_async:
        with chat.stream(**options) as found:
            list(found)
            return found

    async def read() -> Any:
        async with chat.stream(**options) as found:
            async for _ in found:
                pass
            return found

    return read()


WAYS = (
    "create",
    "stream, not read",
    "stream, read",
    "raw",
    "raw, parsed",
    "parse",
    "kimi stream",
    "complete",
    "response",
    "the SDK's .stream()",
)


@pytest.mark.parametrize("way", WAYS)
def test_every_kind_of_answer_can_be_verified(mode: Mode, kimi: Emulator, way: str) -> None:
    """With the model that was sent in place of an alias."""
    client = mode.client(kimi, model_aliases={"gpt-4o": "kimi-k3"})
    if way == "parse":
        kimi.script(say('{"number": 7}'))
    answer = asked(mode, client, way, model="gpt-4o", **signed(nonce="ticket"))
    assert mode.run(verify_signature(client, answer)) is True
    (signature,) = signatures_of(answer)
    assert (signature.nonce, signature.model) == ("ticket", "kimi-k3")
    body = kimi.requests[-1].json
    assert body == {
        "nonce": "ticket",
        "timestamp": signature.timestamp,
        "model": "kimi-k3",
        "signature": signature.signature,
    }
    if way == "stream, not read":
        mode.run(answer.close())


def test_what_was_changed_is_not_valid(mode: Mode, kimi: Emulator) -> None:
    """Each part counts; and someone else may verify."""
    client = mode.client(kimi)
    (signature,) = signatures_of(asked(mode, client, "create", **signed()))
    other = mode.client(kimi)
    assert mode.run(verify_signature(other, signature)) is True
    for change in ({"nonce": "x"}, {"timestamp": signature.timestamp + 1}, {"model": "kimi-k2.6"}):
        assert mode.run(verify_signature(other, replace(signature, **change))) is False


@pytest.mark.parametrize("rejects", [True, False])
def test_what_is_no_signature_is_not_valid(mode: Mode, rejects: bool) -> None:
    """Whether Kimi answers with 400 or with false."""
    with Emulator(behaviour=Behaviour(reject_malformed_signatures=rejects)) as kimi:
        client = mode.client(kimi)
        (signature,) = signatures_of(asked(mode, client, "create", **signed()))
        assert mode.run(verify_signature(client, replace(signature, signature="made up"))) is False


@pytest.mark.parametrize("lifetime", [None, 0.0])
def test_a_signature_may_have_an_end(mode: Mode, lifetime: float | None) -> None:
    """No end is documented; after one it is not valid."""
    clock = iter(range(1_800_000_000, 1_900_000_000))
    with Emulator(behaviour=Behaviour(signature_lifetime=lifetime), clock=lambda: float(next(clock))) as kimi:
        client = mode.client(kimi)
        answer = asked(mode, client, "create", **signed())
        assert mode.run(verify_signature(client, answer)) is (lifetime is None)


@pytest.mark.parametrize("signs", [True, False])
def test_the_answer_to_the_last_attempt_is_verified(mode: Mode, signs: bool) -> None:
    """A refusal that was signed, too, is another signature of the same nonce."""
    clock = iter(range(1_800_000_000, 1_900_000_000))
    with (
        Emulator(behaviour=Behaviour(sign_errors=signs), clock=lambda: float(next(clock))) as kimi,
        instant(),
    ):
        client = mode.client(kimi)
        kimi.fail(overloaded())
        answer = asked(mode, client, "create", **signed())
        assert mode.run(verify_signature(client, answer)) is True
        assert len(kimi.chats) == 2


@pytest.mark.parametrize("signs", [True, False])
def test_an_error_may_be_signed(mode: Mode, signs: bool) -> None:
    """Then it can be verified as well."""
    with Emulator(behaviour=Behaviour(sign_errors=signs)) as kimi:
        client = mode.client(kimi, compat="off")
        with pytest.raises(openai.BadRequestError) as raised:
            asked(mode, client, "create", temperature=0.1, **signed())
        if signs:
            assert mode.run(verify_signature(client, raised.value)) is True
        else:
            with pytest.raises(UnexpectedAnswerError, match="a signature"):
                mode.run(verify_signature(client, raised.value))


@pytest.mark.parametrize("way", ["kimi stream", "complete"])
def test_every_request_of_a_resumed_answer_is_verified(mode: Mode, kimi: Emulator, way: str) -> None:
    """Each has its own signature."""
    client = mode.client(kimi)
    kimi.script(say("one two three"), cut())
    kimi.script(say(" four"))
    with instant():
        answer = asked(mode, client, way, **signed())
    assert len(signatures_of(answer)) == 2
    assert mode.run(verify_signature(client, answer)) is True
    assert len([each for each in kimi.requests if each.path.endswith("/verify")]) == 2


@pytest.mark.parametrize("longest", [10, 4096])
def test_a_nonce_that_kimi_does_not_take_has_no_signature(mode: Mode, longest: int) -> None:
    """The request runs; to verify it is an error that says why."""
    with Emulator(behaviour=Behaviour(max_nonce=longest)) as kimi:
        client = mode.client(kimi)
        answer = asked(mode, client, "create", **signed(nonce="n" * 20))
        assert answer.choices[0].message.content
        if longest == 10:
            with pytest.raises(UnexpectedAnswerError, match="the nonce was no good, or a relay drops the headers"):
                mode.run(verify_signature(client, answer))
        else:
            assert mode.run(verify_signature(client, answer)) is True


def test_what_was_not_signed_cannot_be_verified(mode: Mode, kimi: Emulator) -> None:
    """The error says what to write."""
    client = mode.client(kimi)
    for answer in (asked(mode, client, "create"), "text"):
        with pytest.raises(ValueError, match="ask for one with \\*\\*signed"):
            mode.run(verify_signature(client, answer))


def test_a_raw_response_of_the_bare_sdk_can_be_verified(mode: Mode, kimi: Emulator) -> None:
    """Its completions have no headers."""
    client = (openai.AsyncOpenAI if mode.is_async else openai.OpenAI)(base_url=kimi.base_url, api_key=kimi.api_key)
    mode._clients.append(client)
    assert mode.run(verify_signature(client, asked(mode, client, "raw", **signed()))) is True
    with pytest.raises(ValueError, match="raw response"):
        mode.run(verify_signature(client, asked(mode, client, "create", **signed())))


def test_a_signature_stays_out_of_what_is_sent_and_shown(mode: Mode, kimi: Emulator) -> None:
    """It is in no dump; copies and pickles keep it."""
    client = mode.client(kimi)
    answer = asked(mode, client, "create", **signed())
    assert "ignature" not in answer.model_dump_json() + repr(answer)
    for same in (copy.copy(answer), copy.deepcopy(answer), pickle.loads(pickle.dumps(answer)), answer.model_copy()):
        assert same == answer
        assert signatures_of(same) == signatures_of(answer)


def test_an_odd_answer_is_an_error(mode: Mode, answering: MakeAnswering, kimi: Emulator) -> None:
    """Neither true nor false."""
    (signature,) = signatures_of(asked(mode, mode.client(kimi), "create", **signed()))
    client = mode.client(api_key="sk-1", base_url=answering(200, {"valid": "yes"}).base_url)
    with pytest.raises(UnexpectedAnswerError, match="whether a signature is valid"):
        mode.run(verify_signature(client, signature))


@pytest.mark.parametrize("nonce", ["", " x", "ä", "a\nb", "\x00"])
def test_a_nonce_is_the_value_of_a_header(nonce: str) -> None:
    """Anything else is refused before it is sent."""
    with pytest.raises(ValueError, match="printable ASCII"):
        signed(nonce=nonce)


def test_other_headers_stay() -> None:
    """And two calls have two nonces."""
    headers = signed(extra_headers={"X-Mine": "1"})["extra_headers"]
    assert headers["X-Mine"] == "1"
    assert signed() != signed()
