"""The table of commands: what each takes, and the words that `--help` has for it.

Pure: a parser is built and nothing is run. `__main__.py` hands what it reads to the command.
"""

from __future__ import annotations

import argparse
from typing import Any

from .models import CURRENT

__all__ = ["parser"]

EPILOG = "Exit codes: 0 fine, 1 the service said no, 2 wrong usage, 130 Ctrl-C. The key: MOONSHOT_API_KEY, or in .env."


def parser() -> argparse.ArgumentParser:
    """The parser of `kimi-openai`."""
    root = argparse.ArgumentParser(prog="kimi-openai", description="Kimi through the OpenAI SDK.", epilog=EPILOG)
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _chat(commands.add_parser("chat", help="ask Kimi: one question, or a conversation at a terminal"))
    _with_json(commands.add_parser("balance", help="what the account has left"))
    _with_json(commands.add_parser("models", help="the models that this key may use"))
    _tokens(commands.add_parser("tokens", help="how many tokens a text or messages cost as a prompt"))
    _files(commands.add_parser("files", help="list, upload, extract or delete files on the platform"))
    env = commands.add_parser(
        "env",
        help="exports that point any OpenAI-compatible program at Kimi",
        description='Use it as: eval "$(kimi-openai env)". The key itself is not printed: the exports name the '
        "variable that holds it, or read it where they are run.",
    )
    env.add_argument("--key", action="store_true", help="print the key and nothing else, for use in $(...)")
    _with_json(commands.add_parser("doctor", help="what works, what does not and what to do; one tiny call is made"))
    commands.add_parser("demo", help="what Kimi does, on the real service with a key, else on a local emulator")
    emulator = commands.add_parser("emulator", help="a local Kimi, until Ctrl-C")
    emulator.add_argument("--port", type=int, default=8765, help="where it listens on 127.0.0.1 (default 8765, 0: any)")
    emulator.add_argument("--token-delay", type=float, default=0.0, help="seconds between two chunks (default 0)")
    return root


def _with_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _with_model(command: argparse.ArgumentParser) -> None:
    command.add_argument("--model", default=CURRENT[0], metavar="ID", help=f"default {CURRENT[0]}")


def _chat(command: argparse.ArgumentParser) -> None:
    command.description = "The reasoning is shown dim on a terminal, and is in the output of --json."
    command.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="the question; '-' puts stdin below it. Without any: stdin, or a conversation if that is a terminal",
    )
    _with_model(command)
    command.add_argument("--system", metavar="TEXT", help="how Kimi is to behave")
    command.add_argument(
        "--thinking", action=argparse.BooleanOptionalAction, help="where the model can switch it; default: its own"
    )
    command.add_argument("--effort", metavar="LEVEL", help="how much to think: low, high or max (kimi-k3)")
    command.add_argument("--file", action="append", default=[], metavar="PATH", help="a document to read; repeatable")
    command.add_argument(
        "--image", action="append", default=[], metavar="PATH", help="an image to see, or its ms://ID; repeatable"
    )
    command.add_argument(
        "--video", action="append", default=[], metavar="PATH", help="a video to see, or its ms://ID; repeatable"
    )
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object: text, reasoning, usage, ...")
    form.add_argument("--raw", action="store_true", help="print the chunks of the wire, one JSON a line")


def _tokens(command: argparse.ArgumentParser) -> None:
    command.add_argument("words", nargs="*", metavar="WORD", help="the text; default: stdin")
    command.add_argument("--file", metavar="PATH", help="the text is in this file (UTF-8)")
    command.add_argument(
        "--messages", action="store_true", help="the text is JSON: a list of messages, or a body with them"
    )
    _with_model(command)


def _files(command: argparse.ArgumentParser) -> None:
    actions: Any = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    _with_json(actions.add_parser("list", help="what is there"))
    upload = actions.add_parser("upload", help="upload a file, print its id")
    upload.add_argument("path", metavar="PATH")
    upload.add_argument(
        "--purpose",
        choices=["file-extract", "image", "video", "batch"],
        help="default: image or video if it is one, else file-extract",
    )
    extract = actions.add_parser("extract", help="print the text of a document, as Kimi reads it; nothing stays there")
    extract.add_argument("path", metavar="PATH")
    delete = actions.add_parser("delete", help="delete files, after a question")
    delete.add_argument("ids", nargs="+", metavar="ID")
    delete.add_argument("--yes", action="store_true", help="ask no question")
