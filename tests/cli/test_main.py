"""From exceptions and signals to exit codes and lines on stderr."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from typing import Any

import pytest

from kimi_openai import create_client
from kimi_openai._internal.clock import instant
from kimi_openai.emulator import Emulator, out_of_quota, rate_limited, reset, say

from .conftest import Run, environment, started

HAS_SIGNALS = pytest.mark.skipif(os.name == "nt", reason="Ctrl-C is sent as a signal")


def test_an_error_of_the_service_is_1(run: Run) -> None:
    """The message of the error goes to stderr."""
    run.kimi.fail(out_of_quota())
    code, out, errors = run("chat", "Hi")
    assert (code, out) == (1, "")
    assert "exceeded_current_quota_error" in errors
    assert run("files", "delete", "--yes", "file_nothing")[0] == 1
    assert run("chat", "--model", "kimi-none", "Hi")[0] == 1


def test_exit_codes_say_whose_side_it_is(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """1 if the service said no, 2 for wrong usage; never a traceback."""
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk-wrong")
    code, _, errors = run("balance")
    assert (code, "401" in errors, "Traceback" in errors) == (1, True, False)
    monkeypatch.setenv("MOONSHOT_API_KEY", "sk wrong")
    code, out, errors = run("balance")
    assert (code, out, "white space" in errors) == (2, "", True)


def test_a_changed_request_is_a_note(run: Run) -> None:
    """One line on stderr, not Python's form of a warning, whatever the warning filters are."""
    code, _, errors = run("chat", "--model", "kimi-k2.5", "Hi")
    assert code == 0
    assert errors.startswith("changed for Kimi: model: sent as 'kimi-k3'")
    assert len(errors.splitlines()) == 1


def test_a_long_wait_is_a_note(run: Run) -> None:
    """It says why and how long; a short wait is not mentioned."""
    with instant():
        run.kimi.fail(rate_limited(retry_after=7), reset())
        code, out, errors = run("chat", "Hi")
    assert (code, "Hi" in out) == (0, True)
    assert re.fullmatch(r"rate limit: asking again in [78] s\n", errors)


def serves(process: Any) -> None:
    """The emulator's process prints its variables, and answers."""
    lines = [process.stdout.readline().strip() for _ in range(2)]
    settings = dict(line.removeprefix("export ").split("=", 1) for line in lines)
    with create_client(base_url=settings["MOONSHOT_BASE_URL"], api_key=settings["MOONSHOT_API_KEY"]) as client:
        assert client.models.list().data


@HAS_SIGNALS
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_emulator_serves_until_a_signal(number: signal.Signals) -> None:
    """Ctrl-C and a service manager's SIGTERM both end it with exit code 0; in the background (`nohup`), where SIGINT is
    ignored, it goes on serving after that."""
    in_background = number == signal.SIGTERM
    if in_background:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    with started("emulator", "--port", "0", "--limits", "tier1") as process:
        if in_background:
            process.send_signal(signal.SIGINT)
        serves(process)
        process.send_signal(number)
        assert process.wait(timeout=20) == 0
        assert process.stderr.read() == "a local Kimi is listening; Ctrl-C ends it\n"


@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("command", ["emulator", "proxy"])
def test_a_port_in_use_is_wrong_usage(run: Run, command: str) -> None:
    """The note names the option to use."""
    code, out, errors = run(command, "--port", str(run.kimi.port))
    assert (code, out) == (2, "")
    assert "choose another with --port" in errors


@pytest.mark.parametrize("arguments", [["demo"], ["chat", "Hi"], ["chat", "--raw", "Hi"]], ids=" ".join)
def test_a_closed_pipe_is_no_error(arguments: list[str]) -> None:
    """The reader has seen enough: exit code 0, and nothing on stderr."""
    with Emulator(token_delay=0.01) as kimi:
        kimi.script(say("line\n" * 500))
        with started(*arguments, kimi=kimi) as process:
            assert process.stdout.readline()
            process.stdout.close()
            assert (process.stderr.read(), process.wait(timeout=20)) == ("", 0)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's device that is always full")
def test_a_full_disk_is_wrong_usage(kimi: Emulator) -> None:
    """The problem is on this machine, not with the service: exit code 2 and a note."""
    line = f'"{sys.executable}" -m kimi_openai balance > /dev/full'
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, env=environment(kimi), timeout=60)
    assert (done.returncode, done.stderr) == (2, "[Errno 28] No space left on device\n")
