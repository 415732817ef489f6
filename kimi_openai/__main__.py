"""The commands: `kimi-openai COMMAND`, or `python -m kimi_openai COMMAND`.

Answers go to stdout, everything else to stderr. Exit codes: 0 fine, 1 the service said no, 2 wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import openai

from . import create_client, demo
from .errors import MissingKeyError, SettingsError

__all__ = ["main"]

NEEDS_EMULATOR = "the emulator needs aiohttp: pip install 'kimi-openai[emulator]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    parser = argparse.ArgumentParser(prog="kimi-openai", description="Kimi through the OpenAI SDK.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser("demo", help="what Kimi does, on the real service with a key, else on a local emulator")
    emulator = commands.add_parser("emulator", help="a local Kimi, until Ctrl-C")
    emulator.add_argument("--port", type=int, default=8765, help="where it listens on 127.0.0.1 (default 8765, 0: any)")
    emulator.add_argument("--token-delay", type=float, default=0.0, help="seconds between two chunks (default 0)")
    wanted = parser.parse_args(arguments)
    try:
        return run_demo() if wanted.command == "demo" else run_emulator(wanted.port, wanted.token_delay)
    except ModuleNotFoundError as missing:
        if missing.name != "aiohttp":
            raise
        print(NEEDS_EMULATOR, file=sys.stderr)
        return 2
    except SettingsError as problem:
        print(problem, file=sys.stderr)
        return 2


def run_demo() -> int:
    """The tour, on the service that the settings name or on the emulator."""
    try:
        client = create_client()
    except MissingKeyError:
        from .emulator import Emulator

        print("No key found (MOONSHOT_API_KEY is not set): this is a local emulator, not Kimi.")
        with Emulator() as kimi, create_client(base_url=kimi.base_url, api_key=kimi.api_key, region="ai") as client:
            return _tour(client)
    print(f"This is Kimi at {client.base_url}: the calls below use your account.")
    with client:
        return _tour(client)


def _tour(client: demo.KimiOpenAI) -> int:
    try:
        demo.run(client, sys.stdout)
    except openai.OpenAIError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def run_emulator(port: int, token_delay: float) -> int:
    """Serve until Ctrl-C, after printing what to export."""
    from .emulator import Emulator

    try:
        kimi = Emulator(port, token_delay=token_delay).start()
    except OSError as problem:
        print(f"port {port}: {problem.strerror or problem}; choose another with --port", file=sys.stderr)
        return 2
    print(f"export MOONSHOT_BASE_URL={kimi.base_url}\nexport MOONSHOT_API_KEY={kimi.api_key}", flush=True)
    print("a local Kimi is listening; Ctrl-C ends it", file=sys.stderr)
    kimi.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
