"""README.md: every Python block runs as it stands, against the emulator, and the set-up is two commands."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import pytest

from kimi_openai import KimiCompatWarning
from kimi_openai.emulator import Emulator

README = (Path(__file__).parent.parent / "README.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("code", BLOCKS, ids=[block.strip().splitlines()[-1][:40] for block in BLOCKS])
def test_a_block_runs_as_it_stands(code: str, kimi: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a key in the environment, as the reader has it, and nothing else."""
    warnings.simplefilter("ignore", KimiCompatWarning)  # the reader is to see them
    monkeypatch.setenv("MOONSHOT_API_KEY", kimi.api_key)
    monkeypatch.setenv("MOONSHOT_BASE_URL", kimi.base_url)
    exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})


def test_the_set_up_is_two_commands() -> None:
    """One line each: the demo and the tests."""
    lines = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(lines) == 2
    assert (lines[0].endswith("-m kimi_openai demo"), lines[1].endswith("-m pytest")) == (True, True)
