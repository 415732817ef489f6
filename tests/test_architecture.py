"""The layers hold, the SDK's HTTP library is not named, and the public names are what `__all__` says."""

from __future__ import annotations

import ast
import importlib
import inspect
import logging
import pkgutil
import pydoc
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import get_origin

import pytest

import kimi_openai

PACKAGE = Path(kimi_openai.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
PUBLIC_PACKAGES = sorted(
    each.name
    for each in pkgutil.iter_modules(kimi_openai.__path__)
    if each.ispkg and each.name not in ("_internal", "cli")
)


def test_imports_follow_the_layers() -> None:
    """The contracts in pyproject.toml are kept: layers, no cycles, an emulator of its own, no httpx."""
    linter = pytest.importorskip("importlinter.cli")
    disabled = {name: logger.disabled for name, logger in _loggers().items()}
    try:
        assert linter.lint_imports(config_filename=str(PACKAGE.parent / "pyproject.toml"), no_cache=True) == 0
    finally:
        for name, logger in _loggers().items():  # it disables all loggers but its own
            logger.disabled = disabled.get(name, False)


def _loggers() -> dict[str, logging.Logger]:
    found = logging.Logger.manager.loggerDict.items()
    return {name: logger for name, logger in found if isinstance(logger, logging.Logger)}


def test_no_type_is_ignored() -> None:
    """What the type checkers refuse is written differently."""
    assert [path.name for path in MODULES if "type: ignore" in path.read_text()] == []


def test_every_module_says_what_it_holds() -> None:
    """A docstring, and `__all__` except in the two entry points."""
    trees = {str(path.relative_to(PACKAGE)): ast.parse(path.read_text()) for path in MODULES}
    assert [name for name, tree in trees.items() if not ast.get_docstring(tree)] == []
    assert [name for name, tree in trees.items() if not _says_what_is_public(tree)] == ["__main__.py"]


def _says_what_is_public(tree: ast.Module) -> bool:
    names = {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return "__all__" in names or all(isinstance(node, ast.Expr) for node in tree.body)


@pytest.mark.parametrize("name", ["", *PUBLIC_PACKAGES])
def test_public_names_are_what_all_says(name: str) -> None:
    """Each is there and documented, and none has the name of a module, which would hide it."""
    package = importlib.import_module(f"kimi_openai.{name}".rstrip("."))
    names = package.__all__
    values = {each: getattr(package, each) for each in names if get_origin(getattr(package, each)) is None}
    assert [each for each, value in values.items() if inspect.isfunction(value) and not value.__doc__] == []
    assert [each for each, value in values.items() if inspect.isclass(value) and not value.__doc__] == []
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert modules.isdisjoint(names)


def test_the_package_shows_its_public_names_only() -> None:
    """`dir`, tab completion and `help` list the public names, not what the package needs to find them."""
    shown = [name for name in dir(kimi_openai) if not name.startswith("__")]
    assert sorted(shown) == kimi_openai.__all__
    text = pydoc.plain(pydoc.render_doc(kimi_openai))
    assert "create_client(" in text
    assert "import_module" not in text


def test_a_public_package_needs_no_import_of_its_own() -> None:
    """`import kimi_openai` is enough for `kimi_openai.errors.StreamCutError`, whichever package is used first."""
    code = """
import sys
for name in sys.argv[1:]:
    for module in [each for each in sys.modules if each.partition(".")[0] == "kimi_openai"]:
        del sys.modules[module]
    import kimi_openai
    print(getattr(kimi_openai, name).__name__)
"""
    command = [sys.executable, "-c", code, *PUBLIC_PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"kimi_openai.{name}" for name in PUBLIC_PACKAGES]


def test_the_version_is_the_distributions() -> None:
    """`kimi_openai.__version__` and the package metadata agree."""
    assert kimi_openai.__version__ == metadata.version("kimi-openai")


def test_importing_the_package_imports_nothing_else() -> None:
    """Nothing is loaded before a name is used, and a client loads neither IPython, matplotlib nor the emulator."""
    heavy = ("openai", "tenacity", "IPython", "matplotlib", "pytest", "kimi_openai.emulator")
    code = f"""
import sys, kimi_openai
print([m for m in {heavy} if m in sys.modules])
kimi_openai.create_client
print([m for m in {heavy} if m in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout == "[]\n['openai']\n"


def test_every_public_function_names_its_errors_and_its_source() -> None:
    """Functions that ask the service say in their docstring where their facts come from."""
    for name in ("get_balance", "estimate_tokens", "list_models", "extract_text", "upload_media", "stream", "complete"):
        assert "Source:" in (inspect.getdoc(getattr(kimi_openai, name)) or ""), name
