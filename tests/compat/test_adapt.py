"""Requests of a client that OpenAI accepts and Kimi does not: changed, refused, or sent as they are."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import warnings
from typing import Any

import openai
import pytest

from kimi_openai.client.options import Options, with_environment
from kimi_openai.compat.adapt import last_notes
from kimi_openai.emulator import Emulator
from kimi_openai.errors.exceptions import CompatError, KimiCompatWarning, Note, SettingsError
from tests.conftest import Mode

HI: Any = [{"role": "user", "content": "Hi"}]
OLD: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "developer", "content": "x"}, *HI], "temperature": 0.2}
NEW = {"model": "kimi-k3", "messages": [{"role": "system", "content": "x"}, *HI]}


def ask(mode: Mode, client: Any, **options: Any) -> Any:
    """Sends one chat request; the call is in this file, for the place of the warning."""

    async def awaited() -> Any:
        return await client.chat.completions.create(**options)

    return mode.run(awaited()) if mode.is_async else client.chat.completions.create(**options)


def test_adapt_sends_the_nearest_request_and_reports_it(
    kimi: Emulator, mode: Mode, caplog: pytest.LogCaptureFixture
) -> None:
    """By default, with a warning at the caller's line, a log line, and a call of `on_note`."""
    noted: list[Note] = []
    client = mode.client(kimi, on_note=noted.append)
    with caplog.at_level(logging.INFO, "kimi_openai"), pytest.warns(KimiCompatWarning) as warned:
        ask(mode, client, **OLD)
    assert kimi.chats == [NEW]
    assert [note.kind for note in noted] == ["temperature", "developer"]
    assert {warning.filename for warning in warned} == {__file__}
    assert [record.message for record in caplog.records if record.name == "kimi_openai"] == [
        f"{note.where}: {note.change}, because {note.why}" for note in noted
    ]


def test_one_place_is_warned_once(kimi: Emulator, mode: Mode) -> None:
    """Once per kind and line, even if other code resets the registry of the warnings module. Each request has notes."""
    noted: list[Note] = []
    client = mode.client(kimi, on_note=noted.append)

    async def awaited(body: dict[str, Any]) -> Any:
        return await client.chat.completions.create(**body)

    def asked(body: dict[str, Any]) -> Any:
        return mode.run(awaited(body)) if mode.is_async else client.chat.completions.create(**body)

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("default")
        for number in range(3):
            with warnings.catch_warnings():
                asked({**OLD, "temperature": number / 10})
    assert len(noted) == 6
    assert len(warned) == 2


def test_strict_raises_before_anything_is_sent(kimi: Emulator, mode: Mode) -> None:
    """The error lists every note, and is an `OpenAIError` and a `ValueError`."""
    client = mode.client(kimi)
    with pytest.raises(CompatError) as caught:
        ask(mode, client.with_options(compat="strict"), **OLD)
    assert kimi.requests == []
    assert isinstance(caught.value, openai.OpenAIError)
    assert isinstance(caught.value, ValueError)
    assert [note.where for note in caught.value.notes] == ["temperature", "messages.0.role"]
    assert str(caught.value).splitlines()[1:] == [f"  - {note}" for note in caught.value.notes]
    assert "leave temperature out" in str(caught.value)
    assert "write role 'system'" in str(caught.value)
    ask(mode, client.with_options(compat="strict"), **NEW)
    assert kimi.chats == [NEW]


def test_off_sends_what_the_sdk_built(kimi: Emulator, mode: Mode) -> None:
    """The same bytes as from the bare SDK, which Kimi refuses."""
    bare = openai.OpenAI(base_url=kimi.base_url, api_key=kimi.api_key)
    body = {**OLD, "messages": [*HI, {"role": "tool", "tool_call_id": "c", "content": None}], "extra_body": {"x": None}}
    for client in (bare, mode.client(kimi, compat="off", model_aliases={"kimi-k3": "kimi-k2.6"})):
        with pytest.raises(openai.BadRequestError, match="invalid temperature"):
            ask(mode, client, **body)
    bare.close()
    sent = [request.body for request in kimi.requests]
    assert sent[0] == sent[1]
    assert last_notes() == ()


def test_what_cannot_be_repaired_is_an_error(kimi: Emulator, mode: Mode) -> None:
    """In mode "adapt" too; the error has only the fatal notes."""
    with pytest.raises(CompatError, match="tool_call_id c is not found") as caught:
        ask(
            mode, mode.client(kimi), **{**OLD, "messages": [*HI, {"role": "tool", "tool_call_id": "c", "content": "1"}]}
        )
    assert [note.fatal for note in caught.value.notes] == [True]
    assert kimi.requests == []


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
def test_last_notes_are_of_this_thread_and_task(kimi: Emulator, mode: Mode) -> None:
    """They are empty after a request that needed no change."""

    async def in_tasks(client: Any) -> list[int]:
        async def one(body: dict[str, Any]) -> int:
            await client.chat.completions.create(**body)
            await asyncio.sleep(0.01)
            return len(last_notes())

        return await asyncio.gather(one(OLD), one(NEW))

    client = mode.client(kimi)
    if mode.is_async:
        assert mode.run(in_tasks(client)) == [2, 0]
        return
    ask(mode, client, **OLD)
    assert [note.kind for note in last_notes()] == ["temperature", "developer"]
    elsewhere: list[Any] = []
    thread = threading.Thread(target=lambda: elsewhere.append(last_notes()))
    thread.start()
    thread.join()
    assert elsewhere == [()]
    ask(mode, client, **NEW)
    assert last_notes() == ()


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
def test_every_kind_of_chat_request_is_adapted(kimi: Emulator, mode: Mode) -> None:
    """Raw, streamed, by `client.post`, with extra_body, with messages that are no list, and the token estimate."""
    client = mode.client(kimi)
    completions = client.chat.completions
    mode.run(completions.with_raw_response.create(**OLD))
    mode.each(mode.run(completions.create(**OLD, stream=True)))
    mode.run(client.post("/chat/completions", body=OLD, cast_to=object))
    mode.run(client.post(f"{kimi.base_url}/chat/completions", body=OLD, cast_to=object))
    mode.run(completions.create(model="kimi-k3", messages=OLD["messages"], extra_body={"temperature": 0.2}))
    mode.run(completions.create(model="kimi-k3", messages=iter(OLD["messages"]), temperature=0.2))
    mode.run(completions.create(model="kimi-k3", messages=tuple(OLD["messages"]), temperature=openai.NOT_GIVEN))
    in_tuple = {**OLD, "messages": tuple(OLD["messages"])}
    mode.run(client.post("/chat/completions", body=in_tuple, cast_to=object))
    assert [{key: chat[key] for key in NEW} for chat in kimi.chats] == [NEW] * 8
    assert all("temperature" not in chat for chat in kimi.chats)
    mode.run(client.post("/tokenizers/estimate-token-count", body=OLD, cast_to=object))
    assert kimi.requests[-1].json == NEW


def test_the_caller_s_objects_stay_as_they_are(kimi: Emulator, mode: Mode) -> None:
    """Neither the arguments nor the messages are changed."""
    body = json.loads(json.dumps(OLD))
    with pytest.warns(KimiCompatWarning):
        ask(mode, mode.client(kimi), **body)
    assert body == OLD


@pytest.mark.filterwarnings("ignore::kimi_openai.errors.KimiCompatWarning")
def test_the_purpose_of_an_upload_is_adapted(kimi: Emulator, mode: Mode) -> None:
    """An upload for assistants becomes a document; with strict it is an error."""
    client = mode.client(kimi)
    uploaded = mode.run(client.files.create(file=("a.txt", b"text"), purpose="assistants"))
    assert uploaded.purpose == "file-extract"
    with pytest.raises(CompatError, match="Invalid purpose"):
        mode.run(client.with_options(compat="strict").files.create(file=("a.txt", b"text"), purpose="user_data"))
    assert len(kimi.requests) == 1


def test_other_endpoints_are_not_adapted(kimi: Emulator, mode: Mode) -> None:
    """The body is sent as it is."""
    with pytest.raises(openai.APIStatusError):
        mode.run(mode.client(kimi).post("/embeddings", body={**OLD, "model": "kimi-latest"}, cast_to=object))
    assert kimi.requests[-1].json == {**OLD, "model": "kimi-latest"}


def test_aliases_of_the_client_and_of_the_environment(
    kimi: Emulator, mode: Mode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are used, the client's first; an alias is no change for strict."""
    monkeypatch.setenv("KIMI_MODEL_ALIASES", "gpt-4o = kimi-k3, o3=kimi-k3.1-pro")
    monkeypatch.setenv("KIMI_COMPAT", "Strict")
    ask(mode, mode.client(kimi), model="gpt-4o", messages=HI)
    ask(mode, mode.client(kimi, model_aliases={"gpt-4o": "kimi-k3.1-pro"}), model="gpt-4o", messages=HI)
    assert [chat["model"] for chat in kimi.chats] == ["kimi-k3", "kimi-k3.1-pro"]
    assert mode.client(kimi).kimi_options.compat == "strict"
    assert mode.client(kimi, compat="adapt").with_options(timeout=1).kimi_options.compat == "adapt"


def test_a_wrong_mode_or_alias_is_an_error() -> None:
    """It names the variable or the alias."""
    with pytest.raises(SettingsError, match="KIMI_COMPAT"):
        with_environment(Options(), {"KIMI_COMPAT": "loose"})
    with pytest.raises(SettingsError, match="'gpt-4o'"):
        with_environment(Options(), {"KIMI_MODEL_ALIASES": "gpt-4o"})
    assert with_environment(Options(), {}).compat == "adapt"


@pytest.mark.parametrize("compat", ["adapt", "strict"])
def test_the_old_search_is_noted(kimi: Emulator, mode: Mode, compat: Any) -> None:
    """It is sent as it is, in strict mode too, and the note names what to use instead."""
    noted: list[Note] = []
    client = mode.client(kimi, on_note=noted.append, compat=compat)
    search = {"type": "builtin_function", "function": {"name": "$web_search"}}
    ask(mode, client, model="kimi-k3", messages=HI, tools=[search])
    assert kimi.chats[0]["tools"] == [search]
    assert [note.kind for note in noted] == ["web_search"]
    assert "formula_tools" in str(last_notes()[0] if not mode.is_async else noted[0])
