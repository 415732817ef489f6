"""What is shown while a run goes on: a bar of tqdm's in terminals and notebooks, a plain line without it."""

from __future__ import annotations

import io
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest

from kimi_openai.bulk.progress import shown_progress
from kimi_openai.bulk.report import Progress
from kimi_openai.emulator import Emulator
from kimi_openai.usage.costs import Tokens

from .conftest import Files, line

STATE = Progress(
    total=100,
    resumed=40,
    answered=28,
    failed=2,
    open=8,
    ready=3,
    tokens=Tokens(prompt=1000, output=234),
    cost=Decimal("0.5"),
    refused=1,
    seconds=60,
    advice="a smaller cap would do",
)
FACTS = "1,234 tokens, $0.50, 2 failed, 1 refused, waiting for 8 lines (3 ready)"


class Terminal(io.StringIO):
    """stderr as a terminal."""

    def isatty(self) -> bool:
        return True


def shown(monkeypatch: pytest.MonkeyPatch, stderr: io.StringIO, *states: Progress) -> str:
    """What is written for these states."""
    monkeypatch.setattr(sys, "stderr", stderr)
    with shown_progress(True) as show:
        assert show is not None
        for state in states:
            show(state)
    return stderr.getvalue()


def test_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines, rate, tokens, cost, refusals, what is waited for; the time left leaves out what earlier runs did."""
    import tqdm

    clock = iter(range(0, 10_000, 30))
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock))
    monkeypatch.setattr("tqdm.asyncio.tqdm_asyncio.monitor_interval", 0)
    out = shown(monkeypatch, Terminal(), Progress(total=100, resumed=40), STATE)
    last = out.split("\r")[-1]
    assert tqdm.__version__
    assert "70/100" in last
    assert FACTS in last
    assert "a smaller cap would do\n" in out
    elapsed, rest = last.split("[")[1].split("<")
    assert rest.split(",")[0] == elapsed  # 30 of 60 lines are done: as long again, not 3/7 of it


@pytest.mark.parametrize("terminal", [True, False])
def test_a_plain_line_without_tqdm(monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    """On stderr, drawn anew on a terminal, else now and then and at the end."""
    monkeypatch.setitem(sys.modules, "tqdm", None)
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    out = shown(monkeypatch, Terminal() if terminal else io.StringIO(), STATE, STATE, STATE)
    text = f"70 of 100 lines, 30 lines/min, 1 min left, {FACTS}"
    assert out.count(text) == (3 if terminal else 2)
    assert out.count("\r" + text) == (3 if terminal else 0)
    assert out.count("a smaller cap would do\n") == 1
    assert out.endswith("\n")


@pytest.mark.parametrize("has_tqdm", [True, False])
def test_a_run_shows_it(files: Files, monkeypatch: pytest.MonkeyPatch, has_tqdm: bool) -> None:
    """With `progress=True`, to the end."""
    if not has_tqdm:
        monkeypatch.setitem(sys.modules, "tqdm.auto", None)
    stderr = Terminal()
    monkeypatch.setattr(sys, "stderr", stderr)
    files.write([line(number) for number in range(3)])
    assert files.run(progress=True).answered == 3
    assert ("3/3" if has_tqdm else "3 of 3 lines") in stderr.getvalue()


CELL = """
from kimi_openai import create_client
from kimi_openai.bulk import bulk
client = create_client(base_url={base_url!r}, api_key={api_key!r})
bulk(client, [dict(word=word) for word in "abc"], "out.jsonl", messages="Say {{word}}", model="kimi-k3",
     params=dict(max_completion_tokens=99), progress=True).answered
"""


def test_in_a_notebook(kimi: Emulator, tmp_path: Path) -> None:
    """The cell shows the bar and the result, and no warning about widgets."""
    notebook = nbformat.v4.new_notebook()
    notebook.cells = [nbformat.v4.new_code_cell(CELL.format(base_url=kimi.base_url, api_key=kimi.api_key))]
    resources: Any = {"metadata": {"path": str(tmp_path)}}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    client = nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources)
    client.execute(env=environment)
    shown = "".join(str(output.get("text") or output.get("data")) for output in notebook.cells[0].outputs)
    assert "3/3" in shown
    assert "'text/plain': '3'" in shown
    assert "IProgress" not in shown


def test_the_time_left() -> None:
    """At the rate of this run, without what earlier runs did."""
    assert (STATE.done, STATE.left, STATE.rate, STATE.eta) == (70, 30, 30.0, 60.0)
    assert Progress(total=3).eta is None
