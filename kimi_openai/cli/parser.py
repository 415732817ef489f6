"""The commands of `kimi-openai`, the options of each, and their help texts.

Nothing is run here; `main.py` passes the parsed options to the command.
"""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Sequence
from typing import Any, NoReturn

from kimi_openai._internal.secrets import mask_keys
from kimi_openai.models.tiers import TIERS

from .chat_options import add_chat_options, add_model
from .completion import SHELLS
from .usage_errors import NEAR, Parser
from .versions import installed_version

__all__ = ["parser", "with_command"]

EPILOG = (
    'Without a command it is `chat`: kimi-openai "Why is the sky blue?". Exit codes: 0 fine, 1 the service said no, '
    "2 wrong usage, 130 Ctrl-C. The key: MOONSHOT_API_KEY, or in .env."
)


class Version(argparse.Action):
    """Prints the versions of this package and of the SDK; they are looked up only then."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        ours, sdk = installed_version("kimi-openai") or "(not installed)", installed_version("openai") or "missing"
        print(f"kimi-openai {ours} (openai {sdk})")
        parser.exit()


def with_command(arguments: Sequence[str]) -> Sequence[str]:
    """The arguments with `chat` before them, if they begin with neither a command nor an option of the program.

    A word that is nearly a command stays as it is, so that the parser refuses it, if it is alone or if an option or an
    action follows. So does a key.

    >>> with_command(["Why?"]), with_command(["-m", "k3", "Why?"]), with_command(["file", "list"])
    (['chat', 'Why?'], ['chat', '-m', 'k3', 'Why?'], ['file', 'list'])
    """
    if not arguments or arguments[0] in (*COMMANDS, "-h", "--help", "--version"):
        return arguments
    first, *rest = arguments
    is_near = bool(difflib.get_close_matches(first, COMMANDS, 1, NEAR))
    is_slip = is_near and (not rest or rest[0].startswith("-") or rest[0] in ACTIONS)
    return arguments if is_slip or mask_keys(first) != first else ["chat", *arguments]


def parser() -> argparse.ArgumentParser:
    """The argument parser of `kimi-openai`."""
    root = Parser(prog="kimi-openai", description="Kimi through the OpenAI SDK.", epilog=EPILOG)
    root.add_argument("--version", action=Version, nargs=0, help="print the versions of this package and of the SDK")
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_chat_options(commands.add_parser("chat", help="ask Kimi: one question, or a conversation at a terminal"))
    _with_json(commands.add_parser("balance", help="what the account has left"))
    _with_json(commands.add_parser("models", help="the models that this key may use"))
    _tokens(commands.add_parser("tokens", help="how many tokens a text or messages cost as a prompt"))
    _files(commands.add_parser("files", help="list, upload, extract or delete files on the platform"))
    _batch(commands.add_parser("batch", help="many requests at 60 %% of the price, answered within hours or days"))
    env = commands.add_parser(
        "env",
        help="exports that point any OpenAI-compatible program at Kimi",
        description='Use it as: eval "$(kimi-openai env)". The key itself is not printed: the exports name the '
        "variable that holds it, or read it where they are run. Programs that name OpenAI's models, or send what only "
        "OpenAI accepts, need `kimi-openai proxy`.",
    )
    env.add_argument("--key", action="store_true", help="print the key and nothing else, for use in $(...)")
    _with_json(commands.add_parser("doctor", help="what works, what does not and what to do; one tiny call is made"))
    commands.add_parser("demo", help="what this package does, before and after, on a local emulator")
    _bulk(commands.add_parser("bulk", help="answer the requests of a file, under the account's limits, into a file"))
    emulator = commands.add_parser("emulator", help="a local Kimi, until Ctrl-C or SIGTERM")
    emulator.add_argument("--port", type=int, default=8765, help="where it listens on 127.0.0.1 (default 8765, 0: any)")
    emulator.add_argument("--token-delay", type=float, default=0.0, help="seconds between two chunks (default 0)")
    emulator.add_argument("--limits", choices=TIERS, help="count the limits of a tier, and refuse what is beyond them")
    _proxy(commands.add_parser("proxy", help="a local OpenAI endpoint for Kimi, for programs that know a base URL"))
    completion = commands.add_parser("completion", help="a script for the shell, which then completes with Tab")
    completion.description = 'Use it as: eval "$(kimi-openai completion bash)". It needs the extra kimi-openai[cli].'
    completion.add_argument("shell", choices=SHELLS, metavar="SHELL", help=", ".join(SHELLS))
    return root


COMMANDS = (
    *("chat", "balance", "models", "tokens", "files", "batch", "env", "doctor", "demo", "bulk", "emulator", "proxy"),
    "completion",
)
ACTIONS = ("list", "upload", "extract", "delete", "submit", "status", "wait", "results", "cancel")
"""What can follow `files` and `batch`."""


def _proxy(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Serves an OpenAI-compatible API on this machine that adapts requests for Kimi, until Ctrl-C or SIGTERM. It "
        "prints the base URL and the API key (its token) that programs need. The key of Kimi is read as by all "
        "commands, and no program sees it. What it changes is in its log and in the response header x-kimi-notes."
    )
    command.epilog = (
        "Programs that name OpenAI's models need no change: set KIMI_MODEL_ALIASES=gpt-4o=kimi-k3,gpt-4o-mini=kimi-k3 "
        "for the proxy."
    )
    command.add_argument("--port", type=int, default=8766, help="where it listens (default 8766, 0: any)")
    command.add_argument(
        "--host", default="127.0.0.1", metavar="ADDRESS", help="default 127.0.0.1: this machine only; 0.0.0.0: all"
    )
    command.add_argument(
        "--token", metavar="TOKEN", help="what programs send as their API key; default: KIMI_PROXY_TOKEN, or random"
    )
    command.add_argument(
        "--inline-images", action="store_true", help="fetch images behind https URLs and send them, since Kimi does not"
    )
    command.add_argument(
        "--max-concurrency", type=int, metavar="N", help="how many requests may be open at once; others wait"
    )
    command.add_argument(
        "--limits", choices=TIERS, help="the account's tier: requests wait until its limits admit them"
    )


def _with_json(command: argparse.ArgumentParser) -> None:
    command.add_argument("--json", action="store_true", help="print JSON")


def _tokens(command: argparse.ArgumentParser) -> None:
    command.add_argument("words", nargs="*", metavar="WORD", help="the text; default: stdin")
    command.add_argument("--file", metavar="PATH", help="the text is in this file (UTF-8)")
    command.add_argument(
        "--messages", action="store_true", help="the text is JSON: a list of messages, or a body with them"
    )
    add_model(command)


def _bulk(command: argparse.ArgumentParser) -> None:
    command.description = (
        "Each line is checked before anything is sent. The output is the checkpoint: the same command goes on where "
        "the last one stopped, however it stopped. Ctrl-C finishes what is being answered; a second one does not."
    )
    command.add_argument("input", metavar="INPUT", help="lines as of OpenAI's batches (.jsonl), or a table (.csv)")
    command.add_argument("-o", "--output", required=True, metavar="PATH", help="the answers, one JSON a line")
    command.add_argument("--limits", metavar="TIER", help="the account's tier: tier0 to tier5")
    command.add_argument(
        "--engine",
        choices=("live", "batch", "ray"),
        default="live",
        help="batch: the Batch API, 60 %% of the price, in hours; ray: workers of a Ray cluster (kimi-openai[ray])",
    )
    command.add_argument("--workers", type=int, default=2, metavar="N", help="of the engine ray (default 2)")
    command.add_argument("--window", default="24h", metavar="TIME", help="of a batch: from 12h to 7d (default 24h)")
    command.add_argument("--delete-files", action="store_true", help="delete a batch's files once its answers are here")
    command.add_argument("--budget", metavar="AMOUNT", help="what may be spent at most, in the account's currency")
    add_model(command, default=None, about="instead of what the lines say")
    command.add_argument("--max-tokens", type=int, metavar="N", help="max_completion_tokens of each line")
    command.add_argument("--messages", metavar="TEXT", help="for a table: the question, with {columns} in braces")
    command.add_argument("--limit", type=int, metavar="N", help="only the first N lines")
    command.add_argument("--concurrency", type=int, metavar="N", help="lines at once; default: the tier's, else 100")
    command.add_argument("--ordered", action="store_true", help="put the answers into the input's order at the end")
    command.add_argument(
        "--dedupe", action="store_true", help="ask the same request once, and write its answer for all"
    )
    command.add_argument("--patience", type=float, metavar="SECONDS", help="for one line at most; then it has failed")
    command.add_argument("--retry-failed", action="store_true", help="ask the lines again that failed")
    command.add_argument("--yes", action="store_true", help="do not ask whether the cost is all right")
    _with_json(command)


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
    delete = actions.add_parser("delete", help="delete files, after asking")
    delete.add_argument("ids", nargs="+", metavar="ID")
    delete.add_argument("--yes", action="store_true", help="do not ask")


def _batch(command: argparse.ArgumentParser) -> None:
    command.description = "The file has a line for each request, in the form of OpenAI's batches (JSONL)."
    actions: Any = command.add_subparsers(dest="action", required=True, metavar="ACTION")
    submit = actions.add_parser("submit", help="check and upload a file, create its batch, print its id")
    submit.add_argument("path", metavar="FILE")
    submit.add_argument("--window", default="24h", metavar="TIME", help="from 12h to 7d (default 24h)")
    submit.add_argument("--tag", metavar="TEXT", help="the batch that was submitted with it before is not made again")
    _with_json(submit)
    status = actions.add_parser("status", help="how far it is")
    status.add_argument("id", metavar="ID")
    _with_json(status)
    wait = actions.add_parser("wait", help="wait for its end, print its status")
    wait.add_argument("id", metavar="ID")
    wait.add_argument("--patience", type=float, metavar="SECONDS", help="give up after this; exit code 1")
    _with_json(wait)
    results = actions.add_parser("results", help="print one JSON a request: custom_id, status, completion or error")
    results.add_argument("id", metavar="ID")
    results.add_argument("--delete", action="store_true", help="then delete its files on the platform")
    cancel = actions.add_parser("cancel", help="end it; what is done stays")
    cancel.add_argument("id", metavar="ID")
    _with_json(cancel)
    _with_json(actions.add_parser("list", help="the batches of the organization"))
