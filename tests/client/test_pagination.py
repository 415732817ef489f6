"""pagination.py: a listing of files ends."""

from __future__ import annotations

from typing import Any

import pytest

from kimi_openai.emulator import Emulator
from tests.conftest import Mode


@pytest.mark.parametrize("ignores_after", [True, False], ids=["ignores after", "honours after"])
def test_listing_files_ends(mode: Mode, answering: Any, ignores_after: bool) -> None:
    """`for f in client.files.list()` gives each file once, on a server without `has_more`, whether or not it pages."""
    entry = {"object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "batch"}
    rows = [{"id": f"file_{n}", **entry} for n in range(5)]

    def page(query: dict[str, str]) -> Any:
        if ignores_after:
            return {"object": "list", "data": rows}
        start = int(query["after"].removeprefix("file_")) + 1 if "after" in query else 0
        return {"object": "list", "data": rows[start : start + 2]}

    client = mode.client(api_key="sk-1", base_url=answering(200, page).base_url)
    files = client.files.list()
    assert [file.id for file in mode.each(files)] == [f"file_{n}" for n in range(5)]
    assert [file.id for file in mode.run(client.files.list()).data][:2] == ["file_0", "file_1"]


def test_the_emulators_file_list_ends_too(mode: Mode, kimi: Emulator) -> None:
    """On the platform as documented: no `has_more`, no `after`."""
    client = mode.client(kimi)
    for name in ("a.txt", "b.txt"):
        mode.run(client.files.create(file=(name, b"a"), purpose="file-extract"))
    assert len(mode.each(client.files.list())) == 2
