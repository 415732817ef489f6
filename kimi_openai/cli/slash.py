"""The commands inside of a conversation, such as `/model k3`: what there is, and what each does.

A line that begins with a slash is never sent. `talk.py` reads it and calls `run_command`, `prompt.py` completes it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import get_terminal_size
from typing import Any

from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.endpoints.files import extract_text
from kimi_openai.messages.builders import file_message, image_part, video_part
from kimi_openai.models.catalog import facts
from kimi_openai.models.short_names import full_name, short_names
from kimi_openai.usage.costs import money
from kimi_openai.usage.ledger import Ledger

from .console import Console
from .conversation import Conversation, Message

__all__ = ["COMMANDS", "Session", "as_document", "help_text", "run_command", "word_choices"]


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works on. `ask` asks a question; `has_editor`: a question can have several lines."""

    client: KimiOpenAI
    conversation: Conversation
    console: Console
    ledger: Ledger
    ask: Callable[[list[Message]], object]
    has_editor: bool


@dataclass(frozen=True, slots=True)
class Command:
    """A command: what it takes, what it does, and the function that does it, with the text after its name."""

    takes: str
    does: str
    run: Callable[[Session, str], object]
    is_path: bool = False


UNKNOWN = " (not known here; `kimi-openai models` lists those that the key may use)"


def _model(session: Session, name: str) -> None:
    conversation = session.conversation
    if name:
        conversation.model = full_name(name)
        try:
            _ = conversation.request
        except ValueError as problem:  # the other model thinks in another way
            conversation.enabled = conversation.effort = None
            session.console.note(f"{problem}; now as the model does by default")
    is_known = facts(conversation.model).is_known
    session.console.note(f"{conversation.model}{'' if is_known else UNKNOWN}")


def _effort(session: Session, level: str) -> None:
    conversation = session.conversation
    before = conversation.effort
    if level:
        conversation.effort = level
        try:
            _ = conversation.request
        except ValueError:
            conversation.effort = before
            raise
    session.console.note(f"effort: {conversation.effort or facts(conversation.model).default_effort or 'the default'}")


def _system(session: Session, text: str) -> None:
    if text:
        session.conversation.system = text
    session.console.note(f"system text: {session.conversation.system or 'none'}")


def _file(session: Session, path: str) -> None:
    session.conversation.documents.append(as_document(session.client, path, session.console))
    session.console.note(f"{Path(path).name} goes with the next question")


def _image(session: Session, path: str) -> None:
    session.conversation.media.append(image_part(path))
    session.console.note(f"{Path(path).name} goes with the next question")


def _video(session: Session, path: str) -> None:
    session.conversation.media.append(video_part(path))
    session.console.note(f"{Path(path).name} goes with the next question")


def _save(session: Session, path: str) -> None:
    messages = session.conversation.messages
    target = Path(path).expanduser()
    as_json = json.dumps(messages, ensure_ascii=False, indent=1) + "\n"
    with target.open("x", encoding="utf-8", errors="backslashreplace") as file:  # an existing file stays
        file.write(as_json if target.suffix == ".json" else _as_markdown(messages))
    session.console.note(f"saved in {target}")


def _as_markdown(messages: list[Message]) -> str:
    """The conversation for people to read, without the texts of documents, images and reasoning."""
    names = {"user": "You", "assistant": "Kimi"}
    parts = [f"## {names[each['role']]}\n\n{_text_of(each['content'])}\n" for each in messages if each["role"] in names]
    return "\n".join(parts)


def _text_of(content: Any) -> str:
    return content if isinstance(content, str) else "\n".join(part.get("text", f"({part['type']})") for part in content)


def _retry(session: Session, _: str) -> None:
    session.conversation.retry(session.ask)


def _cost(session: Session, _: str) -> None:
    tokens, ledger = session.ledger.tokens, session.ledger
    session.console.note(
        f"answers: {ledger.calls}, {tokens.prompt:,} tokens in ({tokens.cached_share:.0%} from the cache), "
        f"{tokens.output:,} out: {money(ledger.cost, ledger.prices.currency)}"
    )


def _new(session: Session, _: str) -> None:
    session.conversation.restart()
    session.console.note("a new conversation; the system text and the first documents stay")


def _help(session: Session, _: str) -> None:
    session.console.note(help_text(get_terminal_size().columns, has_editor=session.has_editor))


def _quit(_: Session, __: str) -> None:
    raise EOFError


COMMANDS: Mapping[str, Command] = {
    "model": Command("[ID]", "show or change the model; k3 is short for kimi-k3", _model),
    "effort": Command("[LEVEL]", "show or change how much to think", _effort),
    "system": Command("[TEXT]", "show or change how Kimi is to behave", _system),
    "file": Command("PATH", "a document, for the next question", _file, is_path=True),
    "image": Command("PATH", "an image, for the next question", _image, is_path=True),
    "video": Command("PATH", "a video, for the next question", _video, is_path=True),
    "retry": Command("", "ask the last question again", _retry),
    "save": Command("PATH", "write the conversation to a new file: Markdown, or .json", _save, is_path=True),
    "cost": Command("", "what this session has used and cost", _cost),
    "new": Command("", "forget the conversation", _new),
    "help": Command("", "show this", _help),
    "quit": Command("", "leave; so does Ctrl-D", _quit),
}

KEYS = {"Ctrl-C": "end an answer; what has arrived of it is remembered"}
EDITOR_KEYS = {"Alt-Enter": "a new line in the question; a paste is one question anyway"}
WIDE = 80
"""The columns of a terminal from which on each command is explained beside its name, not below."""
INDENT = "    "


def help_text(columns: int = WIDE, *, has_editor: bool = True) -> str:
    """The commands and keys, and what each does. `has_editor`: with those of prompt_toolkit."""
    keys = {**KEYS, **EDITOR_KEYS} if has_editor else KEYS
    entries = {**{f"/{name} {each.takes}": each.does for name, each in COMMANDS.items()}, **keys}
    if columns >= WIDE:
        return "\n".join(f"  {name:15} {does}" for name, does in entries.items())
    return "\n".join(f"  {name}\n{_indented(does, columns)}" for name, does in entries.items())


def _indented(text: str, columns: int) -> str:
    return textwrap.fill(text, columns, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False)


def run_command(session: Session, line: str) -> None:
    """Run the command in a line that begins with a slash. Raises `EOFError` to end the conversation, `ValueError` if
    there is no such command, and what the command raises."""
    name, _, argument = line[1:].strip().partition(" ")
    command = COMMANDS.get(name)
    if command is None:
        word = f"/{name}".splitlines()[0]
        raise ValueError(f"{word} is no command and was not sent; /help lists them; to send it, put a space before it")
    if command.takes.isalpha() and not argument.strip():
        raise ValueError(f"/{name} needs a {command.takes}")
    if argument.strip() and not command.takes:
        raise ValueError(f"/{name} takes nothing, and was not run; to send it as text, put a space before it")
    command.run(session, argument.strip())


def word_choices(name: str, model: str) -> list[str]:
    """What can follow a command, as far as it is known here: models, or the effort levels of the model.

    >>> word_choices("effort", "kimi-k3")
    ['low', 'high', 'max']
    """
    if name == "model":
        return [*short_names(), *short_names().values()]
    return list(facts(model).efforts) if name == "effort" else []


def as_document(client: KimiOpenAI, path: str, console: Console) -> Message:
    """The message with the text of a document."""
    with console.waiting(f"Kimi reads {Path(path).name}"):
        return {**file_message(extract_text(client, path))}
