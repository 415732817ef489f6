"""The options of `kimi-openai chat`, and those that other commands have too."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import Any

from kimi_openai.models.catalog import CURRENT, MODELS
from kimi_openai.models.short_names import short_names

__all__ = ["add_chat_options", "add_model"]


def add_model(command: argparse.ArgumentParser, default: str | None = CURRENT[0], about: str = "") -> None:
    """The option for the model."""
    about = about or f"default {CURRENT[0]}"
    option: Any = command.add_argument(
        *("-m", "--model"), default=default, metavar="ID", help=f"{about}; short names work: k3 is kimi-k3"
    )
    option.completer = _completer([*short_names(), *short_names().values()])


def _completer(words: Sequence[str]) -> Callable[..., Sequence[str]]:
    """What argcomplete calls for the words that can follow an option."""

    def complete(**_: object) -> Sequence[str]:
        return words

    return complete


def add_chat_options(command: argparse.ArgumentParser) -> None:
    """The options of `chat`."""
    command.description = (
        "The reasoning is shown dim on a terminal, and is in the output of --json. Conversations are kept in "
        "~/.local/state/kimi-openai, for you only; in a conversation /help lists its commands."
    )
    command.add_argument(
        "words",
        nargs="*",
        metavar="WORD",
        help="the question, with stdin below it if that is a pipe or a file ('-' says so). Without any: stdin, or a "
        "conversation if that is a terminal",
    )
    add_model(command, default=None, about=f"default {CURRENT[0]}, or that of the conversation (-c)")
    command.add_argument("-s", "--system", metavar="TEXT", help="how Kimi is to behave")
    command.add_argument(
        *("-c", "--continue"), action="store_true", dest="proceed", help="go on with the last conversation"
    )
    command.add_argument(
        "--no-log", action="store_false", dest="log", help="keep neither the conversation nor what is typed on disk"
    )
    _add_thinking(command)
    command.add_argument("--max-tokens", type=int, metavar="N", help="the most tokens of reasoning and answer together")
    command.add_argument("--search", action="store_true", help="let Kimi search the web; each search has a price")
    command.add_argument("--file", action="append", default=[], metavar="PATH", help="a document to read; repeatable")
    command.add_argument(
        "--image", action="append", default=[], metavar="PATH", help="an image to see, or its ms://ID; repeatable"
    )
    command.add_argument(
        "--video", action="append", default=[], metavar="PATH", help="a video to see, or its ms://ID; repeatable"
    )
    command.add_argument(
        "--template", metavar="FILE", help="a text with {question} and {stdin} in it, or one to put above both"
    )
    command.add_argument("--schema", metavar="FILE", help="a JSON Schema; the answer is JSON that fits it")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object: text, reasoning, usage, ...")
    form.add_argument("--raw", action="store_true", help="print the chunks as they come, one JSON a line")


def _add_thinking(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--thinking", action=argparse.BooleanOptionalAction, help="if the model can switch it; default: the model's"
    )
    levels = list(dict.fromkeys(level for model in MODELS.values() for level in model.efforts))
    effort: Any = command.add_argument("--effort", metavar="LEVEL", help=f"how much to think: {', '.join(levels)} (k3)")
    effort.completer = _completer(levels)
    command.add_argument(
        "--no-reasoning", action="store_false", dest="reasoning", help="do not show the reasoning; Kimi thinks anyway"
    )
