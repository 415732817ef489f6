"""The fixture `recorded`: what a tracing tool recorded of the SDK's client and of ours."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .comparison import Recorded

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """What the tool of the test module recorded. It runs once for the module, in an environment without settings."""
    module: Any = request.module
    folder = tmp_path_factory.mktemp("tracing")
    paths = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": paths, "HOME": str(folder)}
    command = [sys.executable, "-m", "tests.tracing.recording", f"tests.tracing.{Path(module.__file__).stem}"]
    file = folder / "recorded.json"
    ran = subprocess.run(
        [*command, str(file)], cwd=folder, env=environment, capture_output=True, text=True, timeout=300
    )
    assert file.exists(), ran.stderr
    return Recorded(json.loads(file.read_text()), module.VOLATILE)
