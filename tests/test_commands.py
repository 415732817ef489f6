"""The commands, as typed into a terminal."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kimi_openai import create_client
from kimi_openai.demo import EXAMPLES
from kimi_openai.emulator import Emulator

ROOT = str(Path(__file__).parent.parent)


def command(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """What `python -m kimi_openai` does with these arguments and variables."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-m", "kimi_openai", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": ROOT, **environ},
    )


def test_the_demo_without_a_key_says_so_first() -> None:
    """It starts the emulator, shows every example with its result, and ends well."""
    done = command("demo")
    assert (done.returncode, done.stderr) == (0, "")
    first, *_ = done.stdout.splitlines()
    assert first.startswith("No key found")
    assert "emulator" in first
    for number in range(1, len(EXAMPLES) + 1):
        assert f"\n{number}. " in done.stdout
    assert "Dear customer," in done.stdout.split("3. ")[1].split("print(join_partial")[1]


def test_the_demo_with_a_key_speaks_to_the_service(kimi: Emulator) -> None:
    """Its first line says where, and the requests arrive there."""
    done = command("demo", MOONSHOT_API_KEY=kimi.api_key, MOONSHOT_BASE_URL=kimi.base_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"This is Kimi at {kimi.base_url}")
    assert {request.path for request in kimi.requests} >= {"/v1/chat/completions", "/v1/users/me/balance", "/v1/files"}


def test_exit_codes_tell_whose_fault(kimi: Emulator) -> None:
    """1: the service said no; 2: wrong usage. In words, without a traceback."""
    wrong_key = command("demo", MOONSHOT_API_KEY="sk-wrong", MOONSHOT_BASE_URL=kimi.base_url)
    bad_key = command("demo", MOONSHOT_API_KEY="sk wrong")
    no_command = command()
    assert [wrong_key.returncode, bad_key.returncode, no_command.returncode] == [1, 2, 2]
    assert "Traceback" not in wrong_key.stderr + bad_key.stderr + no_command.stderr
    assert "401" in wrong_key.stderr
    assert "white space" in bad_key.stderr


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")
def test_the_emulator_command_serves_until_ctrl_c() -> None:
    """It prints the variables to export, answers, and ends cleanly."""
    with subprocess.Popen(
        [sys.executable, "-m", "kimi_openai", "emulator", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
    ) as process:
        assert process.stdout
        lines = [process.stdout.readline().strip() for _ in range(2)]
        settings = dict(line.removeprefix("export ").split("=", 1) for line in lines)
        with create_client(base_url=settings["MOONSHOT_BASE_URL"], api_key=settings["MOONSHOT_API_KEY"]) as client:
            assert client.models.list().data
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_port_that_is_taken_is_said_in_words(kimi: Emulator) -> None:
    """Wrong usage, and the way out."""
    done = command("emulator", "--port", str(kimi.port))
    assert done.returncode == 2
    assert "choose another with --port" in done.stderr
