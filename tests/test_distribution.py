"""What is built for PyPI holds what belongs to the project, and nothing that lies about in its folders."""

from __future__ import annotations

import shutil
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]

FOLDERS = ("kimi_openai", "tests", "notebooks")
LITTER = (".env", ".env.local", "secret.txt", "key.pem", "notes.md", "scratch.ipynb", "dump.json~")
"""Files that developers leave in any folder."""

BELONGS = {".py", ".sse", ".json", ".ipynb", ".png", ".typed"}
"""How the names of the project's own files end."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project with litter in every folder."""
    copy = tmp_path / "project"
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    return copy


def litter(project: Path) -> None:
    """Leave files in every folder."""
    for folder in [project, *(path for path in project.rglob("*") if path.is_dir())]:
        for name in LITTER:
            (folder / name).write_text("sk-secret")


def own_files(project: Path, *folders: str) -> Iterator[str]:
    """The files of the project in these folders."""
    for folder in folders:
        for path in (project / folder).rglob("*"):
            if path.is_file() and path.suffix in BELONGS:
                yield path.relative_to(project).as_posix()


def test_the_archive_of_the_sources_has_the_project_and_nothing_else(project: Path) -> None:
    """By patterns: not what is left in a folder."""
    sdist: Any = pytest.importorskip("hatchling.builders.sdist")
    expected = {"PKG-INFO", "pyproject.toml", "README.md", "LICENSE", *own_files(project, *FOLDERS)}
    litter(project)
    (archive,) = sdist.SdistBuilder(str(project)).build(directory=str(project.parent / "dist"))
    with tarfile.open(archive) as file:
        assert {name.partition("/")[2] for name in file.getnames()} == expected


def test_the_wheel_has_the_package_and_nothing_else(project: Path) -> None:
    """Its modules and the marker for type checkers."""
    wheel: Any = pytest.importorskip("hatchling.builders.wheel")
    expected = set(own_files(project, "kimi_openai"))
    litter(project)
    (archive,) = wheel.WheelBuilder(str(project)).build(directory=str(project.parent / "dist"), versions=["standard"])
    with zipfile.ZipFile(archive) as file:
        assert {name for name in file.namelist() if ".dist-info/" not in name} == expected
