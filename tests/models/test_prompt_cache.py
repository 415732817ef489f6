"""`cache`."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai import cache
from kimi_openai.emulator import Emulator
from tests.conftest import Mode

TEXT: dict[str, Any] = {"model": "kimi-k3", "messages": [{"role": "user", "content": "word " * 600}]}


@pytest.mark.parametrize("ttl", ["5m", "1h"])
def test_it_is_sent_as_it_is(mode: Mode, kimi: Emulator, ttl: Any) -> None:
    """Without a note."""
    mode.run(mode.client(kimi, compat="strict").chat.completions.create(**TEXT, extra_body=cache(ttl=ttl)))
    assert kimi.chats[-1]["prompt_cache_options"] == {"mode": "implicit", "ttl": ttl}


def test_another_lifetime_is_refused() -> None:
    """Before it is sent."""
    ttl: Any = "2h"
    with pytest.raises(ValueError, match="'5m' or '1h'"):
        cache(ttl=ttl)


def test_nothing_sends_a_cache_key(mode: Mode, kimi: Emulator) -> None:
    """It was measured to cost more."""
    mode.run(mode.client(kimi).chat.completions.create(**TEXT))
    assert "prompt_cache_key" not in kimi.chats[-1]
