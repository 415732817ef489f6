"""The notebooks are run against the emulator, and their outputs must be the committed ones.

Text is compared except for measured times; a picture only has to be there. All notebooks run in one kernel, each with a
fresh namespace, because starting a kernel takes longer than most notebooks. `python -m tests.notebook.test_notebooks`
runs them and writes the outputs. A notebook about other packages names them in its metadata, as `needs`, and is run
where they are installed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("matplotlib")
run_sync = pytest.importorskip("jupyter_core.utils").run_sync

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))

TIMES = re.compile(r"[\d.]+ m?s to the first token( · \d+ tokens/s)?")
"""The part of a summary line that differs from run to run."""

FRESH = """%matplotlib inline
import matplotlib, os, pathlib
matplotlib.pyplot.close("all")
matplotlib.rcdefaults()
[os.remove(path) for path in pathlib.Path().iterdir()]
%unload_ext kimi_openai
%reset -sf"""


class Kernel:
    """A kernel in an empty folder, without a `.env` of this machine."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._manager: Any = None

    def executed(self, path: Path) -> Any:
        """The notebook with new outputs, in the form in which they are committed."""
        notebook = nbformat.read(path, as_version=4)
        notebook.cells.insert(0, nbformat.v4.new_code_cell(FRESH))
        resources = {"metadata": {"path": self._folder}}
        client = nbclient.NotebookClient(
            notebook,
            km=self._manager,
            timeout=60,
            kernel_name="python3",
            resources=resources,
            coalesce_streams=True,  # what is printed bit by bit
        )
        if self._manager is None:
            client.create_kernel_manager()
            self._manager = client.km
            client.owns_km = False
        try:
            client.execute(env={**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True"})  # not one from the network
        finally:
            if client.kc is not None:
                client.kc.stop_channels()
        del notebook.cells[0]
        for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), 1):
            cell.metadata.pop("execution", None)
            for numbered in (cell, *(output for output in cell.outputs if "execution_count" in output)):
                numbered.execution_count = number
        notebook.metadata.language_info = {"name": "python"}
        return notebook

    def close(self) -> None:
        """End the kernel."""
        if self._manager is not None:
            run_sync(self._manager.shutdown_kernel)(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """The kernel for all notebooks."""
    kernel = Kernel(str(tmp_path_factory.mktemp("notebooks")))
    yield kernel
    kernel.close()


def outputs(notebook: Any) -> list[Any]:
    """What the cells print and show, as far as it is the same each time: without progress bars, which are on stderr."""
    found = [json.loads(json.dumps(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]
    return [[_comparable(output) for output in cell if output.get("name") != "stderr"] for cell in found]


def _comparable(output: Any) -> Any:
    for kind in output.get("data", {}):
        if kind.startswith("image/"):
            output["data"][kind] = "a picture"
    return json.loads(TIMES.sub("(times)", json.dumps(output, ensure_ascii=False)))


def absent(path: Path) -> list[str]:
    """The modules that a notebook needs, by its metadata, and that are not installed here."""
    needed = nbformat.read(path, as_version=4).metadata.get("needs", [])
    return [name for name in needed if find_spec(name) is None]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_committed(path: Path, kernel: Kernel) -> None:
    """Every cell runs without a key, and a reader of the repository sees the same outputs."""
    if missing := absent(path):
        pytest.skip(f"{', '.join(missing)} missing")
    assert outputs(kernel.executed(path)) == outputs(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_what_is_learnt_and_where_to_go_next(path: Path) -> None:
    """Its first cell and its last one; the next notebook exists."""
    cells = nbformat.read(path, as_version=4).cells
    assert cells[0].source.startswith("# ")
    assert "\n\nYou learn " in cells[0].source
    assert cells[-1].source.startswith("**Next:** ")
    links = re.findall(r"\]\((.+?)\)", cells[-1].source)
    assert links
    assert all((path.parent / link).is_file() for link in links)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_its_picture(path: Path) -> None:
    """It has at least one, and the file stays small."""
    text = path.read_text()
    assert "image/png" in text
    assert len(text) < 200_000


if __name__ == "__main__":
    with TemporaryDirectory() as empty:
        writer = Kernel(empty)
        for each in (path for path in NOTEBOOKS if not absent(path)):
            nbformat.write(writer.executed(each), each)
        writer.close()
