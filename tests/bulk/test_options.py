"""The numbers that `bulk` is called with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kimi_openai import create_client
from kimi_openai.bulk import bulk
from kimi_openai.emulator import Emulator

from .conftest import line

OPTIONS = [
    *(("budget", value) for value in ("abc", "5,00", "", "nan", -1, float("nan"), True)),
    *(("concurrency", value) for value in (0, -1, "3", 2.5, True)),
    *(("max_parts", value) for value in (0, "3")),
    *(("limit", value) for value in (-1, "3", 2.5)),
]


@pytest.mark.parametrize(("name", "value"), OPTIONS)
def test_a_bad_option_is_named(kimi: Emulator, tmp_path: Path, name: str, value: Any) -> None:
    """Before a file is there."""
    options: Any = {name: value}
    client = create_client(base_url=kimi.base_url, api_key=kimi.api_key)
    with client, pytest.raises(ValueError, match=f"^{name} is "):
        bulk(client, [line(0)], tmp_path / "out.jsonl", **options)
    assert list(tmp_path.iterdir()) == []
