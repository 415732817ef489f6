"""Completion in the shell, and what help and completion do not wait for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from kimi_openai.cli.completion import SHELLS

from .conftest import ROOT, TIMEOUT, Run, environment


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_has_a_script(run: Run, shell: str) -> None:
    """It names the command."""
    code, out, errors = run("completion", shell)
    assert (code, errors, "kimi-openai" in out) == (0, "", True)


def test_without_argcomplete_the_extra_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing goes to a shell that would evaluate it."""
    monkeypatch.setitem(sys.modules, "argcomplete.shell_integration", None)
    code, out, errors = run("completion", "bash")
    assert (code, out, "pip install 'kimi-openai[cli]'" in errors) == (2, "", True)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("kimi-openai ba", {"balance", "batch"}),
        ("kimi-openai chat --model k3.1-pro-", {"k3.1-pro-highspeed"}),
        ("kimi-openai chat --effort ", {"low", "high", "max"}),
        ("kimi-openai chat --no-r", {"--no-reasoning"}),
    ],
)
def test_bash_completes(tmp_path: Path, line: str, expected: set[str]) -> None:
    """With the script that is printed: commands, options, models and levels."""
    command = tmp_path / "kimi-openai"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kimi_openai "$@"\n')
    command.chmod(0o755)
    script = f"""
    eval "$(kimi-openai completion bash)"
    COMP_LINE={line!r}; COMP_POINT=${{#COMP_LINE}}; COMP_TYPE=9; COMP_KEY=9
    COMP_WORDS=($COMP_LINE); [[ "$COMP_LINE" == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 ))
    _python_argcomplete kimi-openai "${{COMP_WORDS[COMP_CWORD]}}"
    printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    variables = environment()
    variables["PATH"] = f"{tmp_path}:{variables['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=TIMEOUT, env=variables, cwd=tmp_path
    )
    assert {word.strip() for word in done.stdout.splitlines()} == expected, done.stderr


@pytest.mark.parametrize("arguments", [["--help"], ["chat", "--help"], ["--version"], ["completion", "bash"]])
def test_help_and_completion_do_not_wait_for_the_sdk(arguments: list[str]) -> None:
    """Neither the SDK nor what draws on terminals is imported: those take most of the time of a start."""
    code = f"""
import sys
from kimi_openai.cli.main import main
assert main({arguments!r}) == 0
print([name for name in ("openai", "pydantic", "rich", "prompt_toolkit", "asyncio") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.splitlines()[-1] == "[]"
