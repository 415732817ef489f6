"""Which versions fit, and what is said where the SDK cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kimi_openai.cli.versions import installed_version, own_requirements, unfit, unfit_packages

from .conftest import TIMEOUT, environment


@pytest.mark.parametrize(
    ("version", "fits"),
    [("1.109.1", True), ("1.109", False), ("1.9.9", False), ("3.57.0rc1", True), ("3.99", True), ("4.0.0", False)],
)
def test_bounds(version: str, fits: bool) -> None:
    """By number, not by letter; the upper bound is outside."""
    assert [each.name for each in unfit(["openai<4,>=1.109.1"], {"openai": version})] == ([] if fits else ["openai"])


def test_an_extra_counts_only_if_it_is_installed() -> None:
    """What nobody asked for is not missing, and the SDK is."""
    needs = ["openai<4,>=1.109.1", "aiohttp>=3.9; extra == 'proxy'"]
    (found,) = unfit(needs, {"openai": ""})
    assert str(found) == "openai is not installed, kimi-openai needs <4,>=1.109.1"
    assert [each.name for each in unfit(needs, {"aiohttp": "3.8"})] == ["aiohttp"]


def test_this_installation_fits() -> None:
    """By its own metadata."""
    assert any(each.startswith("openai") for each in own_requirements())
    assert unfit_packages() == []
    assert installed_version("no-such-package") == ""


@pytest.mark.parametrize("command", ["doctor", "balance"])
def test_an_old_sdk_is_named_and_not_a_traceback(tmp_path: Path, command: str) -> None:
    """Also where it is so old that this package cannot be imported; the command says what to type."""
    (tmp_path / "openai").mkdir()
    (tmp_path / "openai" / "__init__.py").write_text("")
    (tmp_path / "openai-1.2.3.dist-info").mkdir()
    (tmp_path / "openai-1.2.3.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: openai\nVersion: 1.2.3\n"
    )
    variables = environment(MOONSHOT_API_KEY="sk-1")
    variables["PYTHONPATH"] = f"{tmp_path}:{variables['PYTHONPATH']}"
    done = subprocess.run(
        [sys.executable, "-m", "kimi_openai", command], capture_output=True, text=True, timeout=TIMEOUT, env=variables
    )
    assert done.returncode == 2
    assert "openai 1.2.3 is installed, kimi-openai needs" in done.stderr
    assert "pip install -U" in done.stderr
    assert "Traceback" not in done.stderr
