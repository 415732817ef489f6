"""The notebooks: executed against the emulator, and their outputs are those that are committed.

`python -m tests.test_notebooks` executes them and writes the outputs.
"""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def executed(path: Path, folder: Path) -> Any:
    """The notebook with fresh outputs as they are committed, run in a folder where no `.env` of the machine is found."""
    notebook = nbformat.read(path, as_version=4)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=60, kernel_name="python3", resources=resources).execute()
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    notebook.metadata.language_info = {"name": "python"}
    return notebook


def outputs(notebook: Any) -> list[Any]:
    """What its cells print and show."""
    return [json.loads(json.dumps(cell.outputs)) for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_shows_what_is_committed(path: Path, tmp_path: Path) -> None:
    """Every cell runs without a key, and nothing differs from what a reader of the repository sees."""
    assert outputs(executed(path, tmp_path)) == outputs(nbformat.read(path, as_version=4))


if __name__ == "__main__":
    for each in NOTEBOOKS:
        with TemporaryDirectory() as empty:
            nbformat.write(executed(each, Path(empty)), each)
