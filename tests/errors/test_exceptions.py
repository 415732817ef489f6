"""The exceptions: their bases, their exact texts, and that copies and pickles keep them whole."""

from __future__ import annotations

import copy
import pickle
import traceback
from collections.abc import Callable
from importlib import import_module
from typing import Any

import openai
import pytest
from openai.types import Batch
from openai.types.chat import ChatCompletion
from openai.types.responses import Response

import kimi_openai
from kimi_openai.emulator import Emulator, reset_after
from kimi_openai.errors import (
    BatchFailedError,
    BatchUnfinishedError,
    CompatError,
    IncompleteResponseError,
    KimiCompatWarning,
    LimitsError,
    MissingKeyError,
    Note,
    SettingsError,
    StreamCutError,
    TruncatedAnswerError,
    UnexpectedAnswerError,
)
from kimi_openai.tools import ToolRun, TooManyTurnsError
from tests.canned import LIBRARY
from tests.conftest import Mode
from tests.responses.shapes import message, response

REQUEST = LIBRARY.Request("POST", "https://api.moonshot.ai/v1/chat/completions")
COMPLETION = ChatCompletion(id="1", choices=[], created=1, model="kimi-k3", object="chat.completion")
BATCH = Batch.construct(None, id="batch_1", status="failed")
RESPONSE = Response.model_validate(response(message("Hel"), status="incomplete"))
NOTES = (
    Note("role", "messages.0.role", "sent as 'system'", "Kimi has no such role", "write 'system'"),
    Note("n", "n", "left out", "only 1 is allowed", "leave it out", fatal=True),
)

EXAMPLES: dict[str, Exception] = {
    "SettingsError": SettingsError("no"),
    "MissingKeyError": MissingKeyError("no key"),
    "CompatError": CompatError(NOTES),
    "LimitsError": LimitsError("it reserves more than the account has"),
    "BatchFailedError": BatchFailedError(BATCH, "line 3 is no JSON"),
    "BatchUnfinishedError": BatchUnfinishedError(BATCH, "after 60 s"),
    "UnexpectedAnswerError": UnexpectedAnswerError("the balance", {"a": 1}),
    "StreamCutError": StreamCutError(request=REQUEST, text="ab", reasoning="c", cause=OSError("gone")),
    "TruncatedAnswerError": TruncatedAnswerError("too short", COMPLETION),
    "IncompleteResponseError": IncompleteResponseError("max_output_tokens", RESPONSE),
    "TooManyTurnsError": TooManyTurnsError(ToolRun(completion=COMPLETION, messages=[], usage={"n": 1}, turns=2)),
    "KimiCompatWarning": KimiCompatWarning("left out"),
}

BASES: dict[str, tuple[type, ...]] = {
    "SettingsError": (openai.OpenAIError, ValueError),
    "MissingKeyError": (SettingsError,),
    "CompatError": (openai.OpenAIError, ValueError),
    "LimitsError": (openai.OpenAIError,),
    "BatchFailedError": (openai.OpenAIError,),
    "BatchUnfinishedError": (openai.OpenAIError,),
    "UnexpectedAnswerError": (openai.OpenAIError,),
    "StreamCutError": (openai.APIConnectionError,),
    "TruncatedAnswerError": (openai.LengthFinishReasonError,),
    "IncompleteResponseError": (openai.OpenAIError, RuntimeError),
    "TooManyTurnsError": (openai.OpenAIError,),
    "KimiCompatWarning": (UserWarning,),
}


def test_no_public_exception_is_left_out_here() -> None:
    """A new exception gets an example, so that the tests below hold for it too."""
    public = {name: getattr(kimi_openai, name) for name in kimi_openai.__all__}
    assert {name for name, value in public.items() if isinstance(value, type) and issubclass(value, Exception)} == {
        *EXAMPLES
    }


@pytest.mark.parametrize("name", EXAMPLES)
def test_it_derives_from_what_code_catches(name: str) -> None:
    """Code that catches the SDK's class catches ours."""
    assert all(isinstance(EXAMPLES[name], base) for base in BASES[name])


@pytest.mark.parametrize(("name", "error"), EXAMPLES.items(), ids=EXAMPLES)
def test_a_traceback_shows_the_public_module(name: str, error: Exception) -> None:
    """The name in a traceback is one that the user can import."""
    module = "kimi_openai.tools" if name == "TooManyTurnsError" else "kimi_openai.errors"
    assert traceback.format_exception_only(error)[0].startswith(f"{module}.{name}: ")
    assert getattr(import_module(module), name) is type(error)


COPIES: dict[str, Callable[[Any], Any]] = {
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda error: pickle.loads(pickle.dumps(error)),
    "pickle protocol 0": lambda error: pickle.loads(pickle.dumps(error, protocol=0)),
}


@pytest.mark.parametrize("error", EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("again", COPIES.values(), ids=COPIES)
def test_a_copy_has_the_message_and_the_attributes(error: Any, again: Callable[[Any], Any]) -> None:
    """Worker processes and test runners hand exceptions on as pickles."""
    other = again(error)
    assert type(other) is type(error)
    assert (str(other), repr(other), other.args) == (str(error), repr(error), error.args)
    attributes, expected = dict(vars(other)), dict(vars(error))
    if "request" in expected:  # the HTTP library's requests compare by identity
        assert attributes.pop("request").url == expected.pop("request").url
    assert attributes == expected


def test_a_cut_stream_of_a_real_client_can_be_pickled(mode: Mode, kimi: Emulator) -> None:
    """The request that the HTTP library made can be pickled too."""
    kimi.fail(reset_after(4))
    stream = mode.run(
        mode.client(kimi).chat.completions.create(
            model="kimi-k3", messages=[{"role": "user", "content": "hi"}], stream=True
        )
    )
    with pytest.raises(StreamCutError) as caught:
        mode.each(stream)
    other = pickle.loads(pickle.dumps(caught.value))
    assert (str(other), other.text, other.reasoning) == (
        str(caught.value),
        caught.value.text,
        caught.value.reasoning,
    )
    assert other.request.url.path == "/v1/chat/completions"


CUT = "the stream was cut before its finish_reason"
AFTER = "after 2 characters of content and 1 of reasoning; the connection's or Kimi's side; ask again"
STREAM = "or use kimi_openai.stream, which goes on where the text broke off (not retried)"

TEXTS: dict[str, tuple[Exception, str]] = {
    "CompatError": (
        CompatError(NOTES),
        "the request was not sent, Kimi does not accept 2 things in it:"
        "\n  - messages.0.role: sent as 'system', because Kimi has no such role; write 'system'"
        "\n  - n: left out, because only 1 is allowed; leave it out",
    ),
    "CompatError with one note": (
        CompatError(NOTES[1:]),
        "the request was not sent, Kimi does not accept 1 thing in it:"
        "\n  - n: left out, because only 1 is allowed; leave it out",
    ),
    "UnexpectedAnswerError": (
        UnexpectedAnswerError("the balance", {"a": "x" * 300}),
        f"the answer does not have the balance in it: \"{{'a': '{'x' * 193}\"; "
        "Kimi's side or a proxy's (is the base URL Kimi's?)",
    ),
    "StreamCutError": (
        StreamCutError(request=REQUEST, text="ab", reasoning="c", cause=OSError("secret")),
        f"{CUT} (OSError), {AFTER}, {STREAM}",
    ),
    "StreamCutError without a cause": (
        StreamCutError(request=REQUEST, text="ab", reasoning="c"),
        f"{CUT} (it just ended), {AFTER}, {STREAM}",
    ),
    "StreamCutError after attempts": (
        StreamCutError(request=REQUEST, text="ab", reasoning="c", outcome="resumed 3 times"),
        f"{CUT} (it just ended), {AFTER} (resumed 3 times)",
    ),
    "StreamCutError of a response": (
        StreamCutError(request=REQUEST, text="ab", reasoning="c", end="its last event"),
        f"the stream was cut before its last event (it just ended), {AFTER}, {STREAM}",
    ),
    "BatchFailedError": (
        EXAMPLES["BatchFailedError"],
        "batch batch_1 failed, none of its requests ran: line 3 is no JSON; the file's side; check its model "
        "(list_models) and its lines, and submit it again",
    ),
    "BatchFailedError without a reason": (
        BatchFailedError(BATCH),
        "batch batch_1 failed, none of its requests ran: Kimi does not say why; the file's side; check its model "
        "(list_models) and its lines, and submit it again",
    ),
    "BatchUnfinishedError": (
        EXAMPLES["BatchUnfinishedError"],
        "batch batch_1 is failed, after 60 s; Kimi's side; go on later with wait_for_batch and its id",
    ),
    "IncompleteResponseError": (
        EXAMPLES["IncompleteResponseError"],
        "the response is incomplete (max_output_tokens), after 3 characters of text; the request's side; raise "
        "max_output_tokens, which pays for the reasoning too, or ask for less (not retried)",
    ),
    "SettingsError": (EXAMPLES["SettingsError"], "no"),
    "MissingKeyError": (EXAMPLES["MissingKeyError"], "no key"),
    "LimitsError": (EXAMPLES["LimitsError"], "it reserves more than the account has"),
    "KimiCompatWarning": (EXAMPLES["KimiCompatWarning"], "left out"),
    "TruncatedAnswerError": (EXAMPLES["TruncatedAnswerError"], "too short"),
    "TooManyTurnsError": (
        EXAMPLES["TooManyTurnsError"],
        "after 2 turns the model still calls tools; the request's side; raise max_turns, or look in "
        "result.messages for what it is trying to do",
    ),
}


@pytest.mark.parametrize(("error", "text"), TEXTS.values(), ids=TEXTS)
def test_the_text_is_exact(error: Exception, text: str) -> None:
    """The whole text, not a part of it: what happened, whose side, what to do."""
    assert str(error) == text


def test_the_text_of_every_public_exception_is_pinned() -> None:
    """A new exception gets its text above."""
    assert {type(error).__name__ for error, _ in TEXTS.values()} == {*EXAMPLES}


WITH_KEY = "what is sk-secret"

MASKED: dict[str, Exception] = {
    "SettingsError": SettingsError(WITH_KEY),
    "MissingKeyError": MissingKeyError(WITH_KEY),
    "CompatError": CompatError((Note("model", "model", WITH_KEY, WITH_KEY, WITH_KEY),)),
    "UnexpectedAnswerError": UnexpectedAnswerError("a key", WITH_KEY),
}


@pytest.mark.parametrize("error", MASKED.values(), ids=MASKED)
def test_a_key_is_in_no_text(error: Exception) -> None:
    """Wherever the words came from: the caller, a rule, the server."""
    assert "what is sk-***" in str(error)
    assert "secret" not in f"{error!r} {getattr(error, 'notes', ())!r}"


def test_attributes_carry_what_came() -> None:
    """The parts of an answer are on the exception, and the cause of a cut is its `__cause__`."""
    cause = OSError("gone")
    cut = StreamCutError(request=REQUEST, text="ab", reasoning="c", cause=cause)
    assert (cut.text, cut.reasoning, cut.request, cut.__cause__) == ("ab", "c", REQUEST, cause)
    assert CompatError(NOTES).notes == NOTES
    assert UnexpectedAnswerError("the balance", {"a": 1}).body == {"a": 1}
    assert TruncatedAnswerError("too short", COMPLETION).completion is COMPLETION
