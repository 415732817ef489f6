"""Inputs, and what is in the files after a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kimi_openai import Limits
from kimi_openai.bulk import BulkReport, bulk
from kimi_openai.emulator import Emulator
from tests.conftest import Mode

Lines = list[dict[str, Any]]


def line(number: int, content: str = "", **body: Any) -> dict[str, Any]:
    """A line in the form of OpenAI's batches."""
    message = {"role": "user", "content": content or f"Say {number}."}
    body = {"model": "kimi-k3", "messages": [message], "max_completion_tokens": 4096, **body}
    return {"custom_id": f"r{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}


def records(path: Path) -> Lines:
    """The lines of an output file."""
    return [json.loads(each) for each in path.read_text().splitlines() if each.strip()]


def ids(path: Path) -> list[str]:
    """The ids in an output file, in its order."""
    return [record["custom_id"] for record in records(path)]


class Files:
    """Runs `bulk` from `input` to `output` in a folder of the test's."""

    def __init__(self, folder: Path, mode: Mode, kimi: Emulator) -> None:
        self.input, self.output = folder / "in.jsonl", folder / "out.jsonl"
        self.errors = folder / "out.errors.jsonl"
        self.mode, self.kimi = mode, kimi

    def write(self, lines: Lines) -> None:
        """Write the input."""
        self.input.write_text("".join(json.dumps(each) + "\n" for each in lines))

    def run(self, requests: Any = None, client: dict[str, Any] | None = None, **options: Any) -> BulkReport:
        """One run with a new client."""
        made = self.mode.client(self.kimi, **(client or {}))
        report: BulkReport = self.mode.run(bulk(made, requests or self.input, self.output, **options))
        return report


@pytest.fixture
def files(tmp_path: Path, mode: Mode, kimi: Emulator) -> Files:
    """An empty folder for a run."""
    return Files(tmp_path, mode, kimi)


__all__ = ["Callable", "Files", "Limits", "files", "ids", "line", "records"]
