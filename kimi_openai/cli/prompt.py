"""Reads the questions of a conversation: with prompt_toolkit, or a line at a time where it is not installed.

With prompt_toolkit a pasted text is one question, Alt-Enter begins a new line, commands are completed, and what was
typed is kept on disk. On a terminal that cannot move its cursor (`TERM=dumb`) it is a line at a time too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from .console import Console
from .slash import COMMANDS, word_choices
from .state_folder import private_file

__all__ = ["completions", "has_editor", "question_reader"]

PROMPT = "> "
HISTORY = "history"


def question_reader(console: Console, model: Callable[[], str], *, keeps_history: bool = True) -> Callable[[], str]:
    """A function that reads a question. It raises `EOFError` at Ctrl-D, and `KeyboardInterrupt` at Ctrl-C.

    `model` returns the current model, whose effort levels are completed.
    """
    return _prompt_reader(console, model, keeps_history) if has_editor(console) else _line_reader(console)


def has_editor(console: Console) -> bool:
    """Whether prompt_toolkit reads the questions, so that one can have several lines."""
    if console.out_is_tty and not console.is_dumb:
        with suppress(ImportError):
            return bool(import_module("prompt_toolkit"))
    return False


def _line_reader(console: Console) -> Callable[[], str]:
    """With the editing of readline where it exists; no history is written to disk."""
    with suppress(ImportError):
        import_module("readline")

    def read() -> str:
        if console.out_is_tty:
            return input(PROMPT)
        console.err.write(PROMPT)
        console.err.flush()
        return input()

    return read


def _prompt_reader(console: Console, model: Callable[[], str], keeps_history: bool) -> Callable[[], str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
    from prompt_toolkit.document import Document
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.output import ColorDepth

    paths = PathCompleter(expanduser=True)

    class CommandCompleter(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
            name, space, argument = document.text_before_cursor[1:].partition(" ")
            if space and name in COMMANDS and COMMANDS[name].is_path and document.text.startswith("/"):
                yield from paths.get_completions(Document(argument), complete_event)
            for word, start in completions(document.text_before_cursor, model()):
                yield Completion(word, start_position=start)

    def history() -> History:
        if keeps_history:
            try:
                return FileHistory(str(private_file(HISTORY)))
            except OSError as problem:
                console.note(f"what is typed is not kept on disk: {problem}")
        return InMemoryHistory()

    keys = KeyBindings()

    def send(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    def begin_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    keys.add("enter")(send)
    keys.add("escape", "enter")(begin_line)
    keys.add("escape", "c-j")(begin_line)
    session: PromptSession[str] = PromptSession(
        PROMPT,
        multiline=True,  # with the keys above
        history=history(),
        completer=CommandCompleter(),
        complete_while_typing=False,
        key_bindings=keys,
        prompt_continuation="  ",
        color_depth=None if console.has_colour else ColorDepth.DEPTH_1_BIT,
    )
    return session.prompt


def completions(line: str, model: str) -> Iterator[tuple[str, int]]:
    """What can follow a line that begins with a slash: each word, and where it starts, counted back from the end.

    >>> list(completions("/mo", "kimi-k3")), list(completions("/effort h", "kimi-k3"))
    ([('/model', -3)], [('high', -1)])
    """
    if not line.startswith("/") or "\n" in line:
        return
    name, space, argument = line[1:].partition(" ")
    words: Any = word_choices(name, model) if space else [f"/{each}" for each in COMMANDS]
    typed = argument if space else line
    yield from ((word, -len(typed)) for word in words if word.startswith(typed))
