"""The notebooks: executed against the emulator, and their outputs are those that are committed.

Text is compared but for measured times, pictures by being there. All run in one kernel, each in a namespace of its own,
since starting one takes longer than most notebooks. `python -m tests.test_notebooks` executes them and writes the
outputs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")
pytest.importorskip("matplotlib")
run_sync = pytest.importorskip("jupyter_core.utils").run_sync

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))

TIMES = re.compile(r"[\d.]+ m?s to the first token( · \d+ tokens/s)?")
"""What differs from run to run in the last line of a live answer."""

FRESH = "%matplotlib inline\nimport matplotlib\nmatplotlib.pyplot.close('all')\n%unload_ext kimi_openai\n%reset -sf"


class Kernel:
    """A kernel in an empty folder, where no `.env` of the machine is found."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._manager: Any = None

    def executed(self, path: Path) -> Any:
        """The notebook with fresh outputs as they are committed."""
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
            client.execute()
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
        """End it."""
        if self._manager is not None:
            run_sync(self._manager.shutdown_kernel)(now=True)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """The kernel of all notebooks."""
    kernel = Kernel(str(tmp_path_factory.mktemp("notebooks")))
    yield kernel
    kernel.close()


def outputs(notebook: Any) -> list[Any]:
    """What its cells print and show, as far as it is the same each time."""
    found = [json.loads(json.dumps(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]
    return [[_comparable(output) for output in cell] for cell in found]


def _comparable(output: Any) -> Any:
    for kind in output.get("data", {}):
        if kind.startswith("image/"):
            output["data"][kind] = "a picture"
    return json.loads(TIMES.sub("(times)", json.dumps(output, ensure_ascii=False)))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_committed(path: Path, kernel: Kernel) -> None:
    """Every cell runs without a key, and nothing differs from what a reader of the repository sees."""
    assert outputs(kernel.executed(path)) == outputs(nbformat.read(path, as_version=4))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_its_picture(path: Path) -> None:
    """None of a size that a repository would mind."""
    text = path.read_text()
    assert "image/png" in text
    assert len(text) < 200_000


if __name__ == "__main__":
    with TemporaryDirectory() as empty:
        writer = Kernel(empty)
        for each in NOTEBOOKS:
            nbformat.write(writer.executed(each), each)
        writer.close()
