"""options.py, signatures.py: our options arrive and stay, and signatures and types name them and the SDK's."""

from __future__ import annotations

import inspect
from dataclasses import fields
from typing import Any, get_type_hints

import openai
import pytest

from kimi_openai import (
    AsyncKimiOpenAI,
    Gate,
    KimiOpenAI,
    Limits,
    ResponseMemory,
    create_async_client,
    create_client,
)
from kimi_openai.client import AsyncClientOptions, ClientOptions
from kimi_openai.client.options import Options
from kimi_openai.errors.exceptions import SettingsError
from tests.conftest import Mode

OURS: dict[str, Any] = {
    "region": "cn",
    "allow_http": True,
    "compat": "strict",
    "on_note": print,
    "model_aliases": {"gpt-4o": "kimi-k3"},
    "fetch_images": True,
    "remember_reasoning": False,
    "patience": 9.0,
    "on_retry": print,
    "max_concurrency": Gate(3),
    "limits": Limits(rpm=3),
    "response_memory": ResponseMemory(),
}


def test_our_options_arrive_and_copies_keep_them(mode: Mode) -> None:
    """What the factory or the constructor is given is in force in the client, its copies and theirs."""
    client = mode.client(api_key="sk-1", **OURS)
    direct = type(client)(api_key="sk-1", **OURS)
    for each in (client, direct, client.copy(), client.with_options(timeout=1).copy(max_retries=0)):
        assert {name: getattr(each.kimi_options, name) for name in OURS} == OURS


@pytest.mark.parametrize("name", OURS)
def test_a_copy_can_change_each_of_our_options(mode: Mode, name: str) -> None:
    """Only that one: the client and the other options stay."""
    client = mode.client(api_key="sk-1")
    before = client.kimi_options.as_keywords()
    copy = client.with_options(**{name: OURS[name]})
    assert copy.kimi_options.as_keywords() == {**before, name: OURS[name]}
    assert client.kimi_options.as_keywords() == before


def test_the_defaults() -> None:
    """Nothing is permitted, fetched or limited unless it is asked for."""
    defaults = {each.name: each.default for each in fields(Options) if each.name in OURS}
    on_or_off = {"allow_http": False, "fetch_images": False, "remember_reasoning": True}
    assert defaults == {**dict.fromkeys(OURS), **on_or_off}


@pytest.mark.parametrize(
    "option",
    [
        {"patience": 0},
        {"patience": "a minute"},
        {"max_concurrency": 0},
        {"max_concurrency": 1.5},
        {"compat": "loose"},
        {"response_memory": 3},
        {"limits": "tier9"},
    ],
    ids=str,
)
def test_invalid_options_are_errors_at_construction(mode: Mode, option: dict[str, Any]) -> None:
    """The error names the option, for copies too."""
    with pytest.raises(SettingsError, match=next(iter(option))):
        mode.client(api_key="sk-1", **option)
    with pytest.raises(SettingsError, match=next(iter(option))):
        mode.client(api_key="sk-1").with_options(**option)


# Signatures and types ------------------------------------------------------------------------------------------------

SIGNATURES = {
    "KimiOpenAI": (KimiOpenAI, openai.OpenAI),
    "KimiOpenAI.copy": (KimiOpenAI.copy, openai.OpenAI.copy),
    "KimiOpenAI.with_options": (KimiOpenAI.with_options, openai.OpenAI.with_options),
    "create_client": (create_client, openai.OpenAI),
    "AsyncKimiOpenAI": (AsyncKimiOpenAI, openai.AsyncOpenAI),
    "AsyncKimiOpenAI.copy": (AsyncKimiOpenAI.copy, openai.AsyncOpenAI.copy),
    "AsyncKimiOpenAI.with_options": (AsyncKimiOpenAI.with_options, openai.AsyncOpenAI.with_options),
    "create_async_client": (create_async_client, openai.AsyncOpenAI),
}


@pytest.mark.parametrize(("ours", "sdk"), SIGNATURES.values(), ids=SIGNATURES)
def test_a_signature_shows_the_sdks_parameters_and_ours(ours: Any, sdk: Any) -> None:
    """For `help()` and tab completion: each by name, no `**options`."""
    shown, known = inspect.signature(ours).parameters, inspect.signature(sdk).parameters
    is_copy = "_extra_kwargs" in known
    assert shown.keys() == {*known, *OURS, *([] if is_copy else ["env_file"])}
    for name in [name for name in known if not name.startswith("_")]:
        assert str(shown[name]) == str(known[name])
    assert {shown[name].kind for name in OURS} == {inspect.Parameter.KEYWORD_ONLY}
    assert shown["patience"].annotation == "float | None"
    assert shown["allow_http"].default is (openai.NOT_GIVEN if is_copy else False)
    if not is_copy:
        assert shown["env_file"].default == ".env"


def test_a_subclass_has_its_own_signature() -> None:
    """One of the caller's with another constructor."""

    class Mine(KimiOpenAI):
        def __init__(self, name: str) -> None:
            super().__init__(api_key=name)

    assert list(inspect.signature(Mine).parameters) == ["name"]


@pytest.mark.parametrize(
    ("types", "sdk"), [(ClientOptions, openai.OpenAI), (AsyncClientOptions, openai.AsyncOpenAI)], ids=["sync", "async"]
)
def test_the_types_name_every_public_option_of_the_sdk(types: Any, sdk: Any) -> None:
    """And every one of ours. If this fails, a new SDK has an option that `options.py` should name."""
    named = get_type_hints(types).keys()
    known = inspect.signature(sdk).parameters | inspect.signature(sdk(api_key="sk-1").copy).parameters
    assert {name for name in known if not name.startswith(("_", "set_default_"))} <= named
    assert OURS.keys() <= named
    assert Options.names() == (*OURS, "own_memory", "observers", "reasoning_memory", "origin")
