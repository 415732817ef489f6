"""The commands that ask once and print what came: `balance`, `models`, `tokens`, `files`, `env`.

Each takes a client, the parsed arguments and a screen, and returns an exit code; what is printed is a value of a pure
function. `__main__.py` calls them.
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
from typing import Any, TextIO, TypeGuard, cast

from . import Balance, KimiModel, KimiOpenAI, estimate_tokens, extract_text, get_balance, list_models
from .files import MAX_FILE_BYTES
from .messages import IMAGE_TYPES, VIDEO_TYPES, media_type_of, read_file
from .models import facts
from .screen import Screen
from .settings import Settings
from .terminal import json_text, table

__all__ = ["balance", "counted_messages", "env", "exports", "files", "models", "tokens"]

OPENAI_ACCOUNTS = ("OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENAI_ORGANIZATION", "OPENAI_PROJECT")


def balance(client: KimiOpenAI, wanted: Namespace, screen: Screen) -> int:
    """`kimi-openai balance`."""
    left = get_balance(client)
    screen.line(json_text(asdict(left)) if wanted.json else table(balance_rows(left)))
    if left.is_exhausted:
        screen.note("nothing is left: requests are refused until the account is topped up")
    return 0


def balance_rows(left: Balance) -> list[tuple[object, ...]]:
    """The three amounts, with their currency where it is known."""
    return [(name, getattr(left, name), left.currency or "") for name in ("available", "voucher", "cash")]


def models(client: KimiOpenAI, wanted: Namespace, screen: Screen) -> int:
    """`kimi-openai models`."""
    found = list_models(client)
    if wanted.json:
        screen.line(json_text([model.model_dump(mode="json") for model in found]))
    else:
        screen.line(table([("id", "context", "images", "videos", "thinking", "note"), *map(model_row, found)]))
    return 0


def model_row(model: KimiModel) -> tuple[object, ...]:
    """One line of the table: "-" for what the platform did not say."""
    known = facts(model.id)
    words = {True: "yes", False: "no", None: "-"}
    return (
        model.id,
        model.context_length or "-",
        words[model.supports_image_in],
        words[model.supports_video_in],
        "/".join(known.efforts) or words[model.supports_reasoning],
        f"ends {known.ends}" if known.ends else "",
    )


def tokens(client: KimiOpenAI, wanted: Namespace, screen: Screen, stdin: TextIO) -> int:
    """`kimi-openai tokens`."""
    if wanted.words and wanted.file:
        raise ValueError("give the text as words or as --file, not both")
    text = _text_of(wanted.file) if wanted.file else " ".join(wanted.words) or stdin.read()
    messages = counted_messages(text) if wanted.messages else [{"role": "user", "content": text}]
    screen.line(str(estimate_tokens(client, model=wanted.model, messages=messages)))
    return 0


def counted_messages(text: str) -> list[Mapping[str, Any]]:
    """The messages in a JSON text: a list of them, or an object that has them as `messages`. Else a `ValueError`.

    >>> counted_messages('{"model": "kimi-k3", "messages": [{"role": "user", "content": "Hi"}]}')
    [{'role': 'user', 'content': 'Hi'}]
    """
    try:
        found: Any = json.loads(text)
    except ValueError as problem:
        raise ValueError(f"--messages: this is not JSON ({problem})") from None
    messages: Any = cast("dict[str, Any]", found).get("messages") if isinstance(found, dict) else found
    if not _is_list(messages) or not all(isinstance(each, dict) for each in messages):
        raise ValueError("--messages: this JSON is neither a list of messages nor an object with 'messages'")
    return messages


def _is_list(value: object) -> TypeGuard[list[Any]]:
    return isinstance(value, list)


def _text_of(path: str) -> str:
    content, name = read_file(path, "text")
    try:
        return content.decode()
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not UTF-8 text; for a document: kimi-openai files extract") from None


def files(client: KimiOpenAI, wanted: Namespace, screen: Screen, stdin: TextIO) -> int:
    """`kimi-openai files ...`."""
    match wanted.action:
        case "list":
            found = [file.model_dump(mode="json", exclude_none=True) for file in client.files.list()]
            columns = ("id", "purpose", "bytes", "status", "filename")
            rows = [columns, *([file.get(column, "-") for column in columns] for file in found)]
            screen.line(json_text(found) if wanted.json else table(rows))
        case "upload":
            _upload(client, Path(wanted.path), wanted.purpose, screen)
        case "extract":
            with screen.waiting(f"Kimi reads {Path(wanted.path).name}"):
                text = extract_text(client, wanted.path)
            screen.answer(text)
            screen.end_answer()
        case _:
            return _delete(client, wanted.ids, screen, stdin, is_sure=wanted.yes)
    return 0


def _upload(client: KimiOpenAI, path: Path, purpose: Any, screen: Screen) -> None:
    content, name = read_file(path, "upload")
    if not 0 < len(content) <= MAX_FILE_BYTES:
        raise ValueError(f"{name} is {'over 100 MB' if content else 'empty'}, which Kimi does not take")
    purpose = purpose or purpose_of(content, name)
    body = _Counted(content)
    with screen.waiting(f"uploading {name}", body.share):
        uploaded = client.files.create(file=(name, body), purpose=purpose)
    screen.line(uploaded.id)
    if purpose in ("image", "video"):
        screen.note(f"in a message it is ms://{uploaded.id}")


def purpose_of(content: bytes, name: str) -> str:
    """What a file is uploaded for, where nobody says.

    >>> purpose_of(b"GIF89a", "x"), purpose_of(b"%PDF", "x.pdf")
    ('image', 'file-extract')
    """
    kind = media_type_of(content, name)
    return "image" if kind in IMAGE_TYPES else "video" if kind in VIDEO_TYPES else "file-extract"


class _Counted(BytesIO):
    """A file in memory that knows how much of it was read last; rewound by the HTTP library for another attempt."""

    def share(self) -> float:
        """From 0 to 1."""
        return self.tell() / len(self.getbuffer())


def _delete(client: KimiOpenAI, ids: Sequence[str], screen: Screen, stdin: TextIO, *, is_sure: bool) -> int:
    if not is_sure:
        if not stdin.isatty():
            raise ValueError("nobody is there to be asked: files delete needs --yes here")
        screen.err.write(f"delete {', '.join(ids)}? [y/N] ")
        screen.err.flush()
        if stdin.readline().strip().lower() not in ("y", "yes"):
            screen.note("nothing was deleted")
            return 0
    for file_id in ids:
        client.files.delete(file_id)
        screen.line(file_id)
    return 0


def env(settings: Settings, wanted: Namespace, screen: Screen, environ: Mapping[str, str]) -> int:
    """`kimi-openai env`."""
    screen.line(str(settings.api_key) if wanted.key else "\n".join(exports(settings, environ)))
    return 0


def exports(settings: Settings, environ: Mapping[str, str]) -> list[str]:
    """Lines for a POSIX shell. The key is not in them: they name its variable, or read it from `.env` when they are
    run.

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
