"""files.py: waiting for a file ends."""

from __future__ import annotations

import pytest

from kimi_openai import instant
from kimi_openai.emulator import Behaviour, Emulator
from tests.conftest import Mode
from tests.servers import MakeAnswering

FILE = {"id": "file_1", "object": "file", "bytes": 1, "created_at": 1, "filename": "a", "purpose": "file-extract"}


@pytest.mark.parametrize("status", ["ready", "ok", "processed", "error"])
def test_a_file_that_can_be_used_is_returned_at_once(mode: Mode, status: str) -> None:
    """Kimi says "ready" or "ok" where OpenAI says "processed"."""
    with Emulator(behaviour=Behaviour(file_status=status)) as kimi:
        client = mode.client(kimi)
        file = mode.run(client.files.create(file=("a.txt", b"a"), purpose="file-extract"))
        found = mode.run(client.files.wait_for_processing(file.id))
    assert (found.id, found.status) == (file.id, status)
    assert len(kimi.requests) == 2


def test_a_file_in_progress_is_waited_for(mode: Mode, answering: MakeAnswering) -> None:
    """Until its status is a final one; a copy of the client does so too."""
    statuses = iter(["parsing", "parsing", "ready"])
    server = answering(200, lambda _: {**FILE, "status": next(statuses)})
    client = mode.client(api_key="sk-1", base_url=server.base_url).with_options(timeout=9)
    with instant():
        assert mode.run(client.files.wait_for_processing("file_1", poll_interval=60)).status == "ready"
    assert next(statuses, None) is None


def test_waiting_has_an_end(mode: Mode, answering: MakeAnswering) -> None:
    """The error names the status."""
    client = mode.client(api_key="sk-1", base_url=answering(200, {**FILE, "status": "parsing"}).base_url)
    with instant(), pytest.raises(RuntimeError, match="file_1 still has the status 'parsing' after 600 seconds"):
        mode.run(client.files.wait_for_processing("file_1", max_wait_seconds=600))
