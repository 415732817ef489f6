"""The examples in the docstrings of the package."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
EXAMPLES = [path for path in sorted((ROOT / "kimi_openai").rglob("*.py")) if ">>> " in path.read_text()]
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in EXAMPLES]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_give_what_they_show(name: str) -> None:
    """Each docstring shows what really comes back."""
    found = doctest.testmod(importlib.import_module(name))
    assert found.attempted
    assert not found.failed
