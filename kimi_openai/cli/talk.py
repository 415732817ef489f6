"""The conversation at a terminal: reads a question or a command, prints the answer, until Ctrl-D or `/quit`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import openai

from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.errors.exceptions import CompatError
from kimi_openai.usage.ledger import track

from .console import Console
from .conversation import Conversation
from .flags import error_text
from .printer import exit_code
from .prompt import has_editor, question_reader
from .slash import Session, run_command

__all__ = ["talk"]

Message = Mapping[str, Any]


def talk(client: KimiOpenAI, conversation: Conversation, console: Console) -> int:
    """Hold a conversation; returns the exit code."""
    read = question_reader(console, lambda: conversation.model, keeps_history=conversation.log is not None)
    console.note(f"{conversation.model}; /help tells more, Ctrl-D ends")

    def ask(question: list[Message]) -> None:
        reply = conversation.ask(client, conversation.printer(console), question, console)
        exit_code(reply, console)
        if reply.usage:
            console.aside(f"{reply.usage.get('prompt_tokens')} tokens in, {reply.usage.get('completion_tokens')} out\n")

    with track(client) as ledger:
        session = Session(client, conversation, console, ledger, ask, has_editor(console))
        while _one_turn(session, read):
            pass
    return 0


def _one_turn(session: Session, read: Callable[[], str]) -> bool:
    """Read and do one thing. Returns whether the conversation continues; a problem is printed and does not end it."""
    try:
        text = read()
        if text.startswith("/"):
            run_command(session, text)
        elif text.strip():
            session.ask(session.conversation.question(text.strip()))
    except EOFError:
        return False
    except KeyboardInterrupt:
        session.console.note("")
    except UnicodeDecodeError:
        session.console.note("this is not UTF-8 and was not sent")
    except (openai.OpenAIError, CompatError, ValueError, OSError) as problem:
        if isinstance(problem, BrokenPipeError):
            raise
        session.console.note(error_text(problem))
    return True
