"""The commands that ask once and print the answer: `balance`, `models`, `tokens`, `files`, `env`.

Each takes a client, the parsed options and a console, and returns an exit code. `main.py` calls them.
"""

from __future__ import annotations

import json
import shlex
import sys
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from io import BytesIO
from pathlib import Path
from typing import Any, TextIO, cast

from kimi_openai._internal.json_values import is_array, to_json
from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.client.settings import Settings
from kimi_openai.endpoints.balance import Balance, get_balance
from kimi_openai.endpoints.files import MAX_FILE_BYTES, extract_text
from kimi_openai.endpoints.model_list import KimiModel, list_models
from kimi_openai.endpoints.token_estimate import estimate_tokens
from kimi_openai.messages.media import media_kind, media_type_of, read_file
from kimi_openai.models.catalog import facts
from kimi_openai.models.short_names import full_name

from .console import Console
from .question import read_stdin

__all__ = ["balance", "env", "exports", "files", "messages_from", "models", "tokens"]

OPENAI_ACCOUNTS = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT")
"""Variables that OpenAI programs send as headers; they mean nothing to Kimi."""


def balance(client: KimiOpenAI, options: Namespace, console: Console) -> int:
    """Run `kimi-openai balance`."""
    left = get_balance(client)
    console.table(balance_rows(left), instead=asdict(left) if options.json else None)
    if left.is_exhausted:
        console.note("nothing is left: requests are refused until the account is topped up")
    return 0


def balance_rows(left: Balance) -> list[tuple[object, ...]]:
    """The three amounts, with their currency if it is known."""
    return [(name, getattr(left, name), left.currency or "") for name in ("available", "voucher", "cash")]


def models(client: KimiOpenAI, options: Namespace, console: Console) -> int:
    """Run `kimi-openai models`."""
    found = list_models(client)
    as_json = [model.model_dump(mode="json") for model in found] if options.json else None
    header = ("id", "context", "images", "videos", "thinking", "note")
    console.table([header, *map(model_row, found)], instead=as_json)
    return 0


def model_row(model: KimiModel) -> tuple[object, ...]:
    """One row of the table: "-" for what the platform did not say."""
    known = facts(model.id)
    as_word = {True: "yes", False: "no", None: "-"}
    return (
        model.id,
        model.context_length or "-",
        as_word[model.supports_image_in],
        as_word[model.supports_video_in],
        "/".join(known.efforts) or as_word[model.supports_reasoning],
        f"ends {known.ends}" if known.ends else "",
    )


def tokens(client: KimiOpenAI, options: Namespace, console: Console, stdin: TextIO) -> int:
    """Run `kimi-openai tokens`."""
    if options.words and options.file:
        raise ValueError("give the text as words or as --file, not both")
    text = _text_of(options.file) if options.file else " ".join(options.words) or read_stdin(stdin, console.note)
    messages = messages_from(text) if options.messages else [{"role": "user", "content": text}]
    console.line(str(estimate_tokens(client, model=full_name(options.model), messages=messages)))
    return 0


def messages_from(text: str) -> list[Mapping[str, Any]]:
    """The messages in a JSON text: a list of them, or an object with `messages`. Raises `ValueError` for anything else.

    >>> messages_from('{"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}')
    [{'role': 'user', 'content': 'Hi'}]
    """
    try:
        found: Any = json.loads(text)
    except ValueError as problem:
        raise ValueError(f"--messages: this is not JSON ({problem})") from None
    messages: Any = cast("dict[str, Any]", found).get("messages") if isinstance(found, dict) else found
    if not is_array(messages) or not all(isinstance(each, dict) for each in messages):
        raise ValueError("--messages: this JSON is neither a list of messages nor an object with 'messages'")
    return messages


def _text_of(path: str) -> str:
    content, name = read_file(path, "text")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text; for a document: kimi-openai files extract") from None


def files(client: KimiOpenAI, options: Namespace, console: Console, stdin: TextIO) -> int:
    """Run `kimi-openai files ACTION`."""
    match options.action:
        case "list":
            found = list(map(to_json, client.files.list()))
            columns = ("id", "purpose", "bytes", "status", "filename")
            rows = [columns, *([file.get(column, "-") for column in columns] for file in found)]
            console.table(rows, instead=found if options.json else None)
        case "upload":
            _upload(client, Path(options.path), options.purpose, console)
        case "extract":
            with console.waiting(f"Kimi reads {Path(options.path).name}"):
                text = extract_text(client, options.path)
            console.answer(text)
            console.end_answer()
        case _:
            return _delete(client, options.ids, console, stdin, is_confirmed=options.yes)
    return 0


def _upload(client: KimiOpenAI, path: Path, purpose: Any, console: Console) -> None:
    content, name = read_file(path, "upload")
    if not 0 < len(content) <= MAX_FILE_BYTES:
        raise ValueError(f"{name} is {'over 100 MB' if content else 'empty'}, which Kimi does not take")
    purpose = purpose or purpose_of(content, name)
    body = _CountedFile(content)
    with console.waiting(f"uploading {name}", body.share):
        uploaded = client.files.create(file=(name, body), purpose=purpose)
    console.line(str(uploaded.id))
    if purpose in ("image", "video"):
        console.note(f"in a message it is ms://{uploaded.id}")


def purpose_of(content: bytes, name: str) -> str:
    """The purpose of an upload, from the type of the file.

    >>> purpose_of(b"GIF89a", "x"), purpose_of(b"%PDF", "x.pdf")
    ('image', 'file-extract')
    """
    return media_kind(media_type_of(content, name)) or "file-extract"


class _CountedFile(BytesIO):
    """A file in memory that knows how much of it has been read. For a retry the HTTP library rewinds it."""

    def share(self) -> float:
        """How much has been read, from 0 to 1."""
        return self.tell() / len(self.getbuffer())


def _delete(client: KimiOpenAI, ids: Sequence[str], console: Console, stdin: TextIO, *, is_confirmed: bool) -> int:
    if not is_confirmed:
        if not stdin.isatty():
            raise ValueError("files delete cannot ask here (stdin is no terminal); it needs --yes")
        console.err.write(f"delete {', '.join(ids)}? [y/N] ")
        console.err.flush()
        if stdin.readline().strip().lower() not in ("y", "yes"):
            console.note("nothing was deleted")
            return 0
    for file_id in ids:
        client.files.delete(file_id)
        console.line(file_id)
    return 0


def env(settings: Settings, options: Namespace, console: Console, environ: Mapping[str, str]) -> int:
    """Run `kimi-openai env`."""
    if options.key:
        console.line(str(settings.api_key))
    else:
        console.line("\n".join(exports(settings, environ)))
        console.note(f"key: {settings.key_source}; base URL: {settings.url_source}")
    return 0


def exports(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Lines for a POSIX shell. They do not contain the key: they name its variable, or read it from `.env` when they
    are run.

    >>> exports(Settings("sk-x", "https://api.moonshot.ai/v1", "ai", "KIMI_API_KEY in environment", ""), {})[-1]
    'export OPENAI_API_KEY="$KIMI_API_KEY"'
    """
    name, _, place = settings.key_source.partition(" in ")
    read = f"$({shlex.quote(sys.executable)} -m kimi_openai env --key)"
    lines = [
        f"export OPENAI_BASE_URL={shlex.quote(settings.base_url)}",
        'export OPENAI_API_BASE="$OPENAI_BASE_URL"',  # its name in older programs
        f'export OPENAI_API_KEY="{f"${name}" if place == "environment" else read}"',
    ]
    others = [each for each in OPENAI_ACCOUNTS if environ.get(each)]
    return [*lines, f"unset {' '.join(others)}"] if others else lines
