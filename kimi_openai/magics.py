"""`%load_ext kimi_openai`: `%kimi`, `%%kimi`, `%kimi_balance`, `%kimi_tokens`, and forms for the SDK's own values.

What a magic remembers is in the notebook's namespace, for the user to see and change: `kimi_client`, `kimi_messages`
(the conversation) and `kimi_reply` (the last answer).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from keyword import iskeyword
from typing import Any, TypeVar, cast

import openai
from IPython.core import magic_arguments
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from openai.types import CompletionUsage
from openai.types.chat import ChatCompletion

from .account import estimate_tokens, get_balance
from .costs import price_list
from .errors import CompatError, Note
from .factories import create_client
from .messages import join_partial, partial_message
from .models import CURRENT, facts
from .notebook import html_of, live, show
from .replies import Reply
from .steering import thinking
from .streaming import stream

__all__ = ["KimiMagics", "completions", "filled", "load_magics", "unload_magics"]

HANDLED = (ChatCompletion, CompletionUsage, Reply, openai.APIError, CompatError, Note)
"""What gets a form in a notebook that its class does not bring along."""

KEPT = ("kimi_client", "kimi_messages", "kimi_reply")
"""Variables in which a magic keeps what it needs."""

arguments: Any = magic_arguments
Magic = TypeVar("Magic", bound=Callable[..., Any])


def taking(*wanted: Any) -> Callable[[Magic], Magic]:
    """IPython's `magic_arguments`, with types."""

    def decorate(magic: Magic) -> Magic:
        for each in reversed(wanted):
            magic = each(magic)
        decorated: Magic = arguments.magic_arguments()(magic)
        return decorated

    return decorate


@magics_class
class KimiMagics(Magics):
    """The magics; see their own help: `%kimi?`."""

    @taking(
        arguments.argument("question", nargs="*", help="the question; in %%%%kimi it is the cell"),
        arguments.argument("-m", "--model", default=CURRENT[0], help="model id (default: %(default)s)"),
        arguments.argument(
            "-t", "--thinking", action="store_true", default=None, help="think, as most models always do"
        ),
        arguments.argument(
            "-T", "--no-thinking", dest="thinking", action="store_false", help="do not (kimi-k2.6 only)"
        ),
        arguments.argument("-e", "--effort", help="how much to think: low, high or max (kimi-k3 only)"),
        arguments.argument("-s", "--system", help="system message; replaces the conversation's"),
        arguments.argument("-p", "--prefix", help="how the answer begins (partial mode)"),
        arguments.argument("--to", metavar="NAME", help="variable for the answer's text"),
        arguments.argument("-n", "--new", action="store_true", help="start a new conversation"),
    )
    @no_var_expand
    @line_cell_magic
    def kimi(self, line: str, cell: str | None = None) -> None:
        """Ask Kimi, and watch the answer arrive.

        `{name}` in a question is replaced by that variable of the notebook; other braces stay as they are. Questions go
        on with the conversation in `kimi_messages` until `--new`. The last answer is `kimi_reply`. The client is
        `kimi_client`, made by `create_client()` unless you set it.
        """
        wanted = _parsed(KimiMagics.kimi, line)
        if wanted.to is not None and not _is_free(wanted.to):
            raise UsageError(f"--to {wanted.to}: this is no name for a variable of yours")
        asked = filled(cell if cell is not None else _verbatim(line, wanted.question), self._names)
        if cell is not None and wanted.question:
            raise UsageError(f"the question is the cell; what is {' '.join(wanted.question)!r}?")
        history = self._history(new=wanted.new, system=wanted.system)
        if not asked.strip():
            if not wanted.new and wanted.system is None:
                raise UsageError("what is the question? %kimi? shows the options")
            self._names["kimi_messages"] = history
            return
        history.append({"role": "user", "content": asked.strip()})
        prefix: str = filled(wanted.prefix, self._names) if wanted.prefix else ""
        begun = [partial_message(prefix)] if prefix else []
        extra = _thinking(wanted)
        client = self._client
        answer = stream(client, model=wanted.model, messages=[*history, *begun], extra_body=extra)
        reply = live(answer, prices=price_list(client))
        text = join_partial(prefix, reply.content) if prefix else reply.content
        self._names.update(
            kimi_messages=[*history, {**reply.message(), "content": text}],
            kimi_reply=reply,
            **({wanted.to: text} if wanted.to else {}),
        )

    @line_magic
    def kimi_balance(self, line: str) -> None:
        """%kimi_balance: what the account has left."""
        if line.strip():
            raise UsageError("%kimi_balance takes nothing")
        show(get_balance(self._client))

    @taking(
        arguments.argument("text", nargs="*", help="the text; the conversation so far if there is none"),
        arguments.argument("-m", "--model", default=CURRENT[0], help="model id (default: %(default)s)"),
    )
    @no_var_expand
    @line_cell_magic
    def kimi_tokens(self, line: str, cell: str | None = None) -> int:
        """How many tokens a text, or the conversation so far, costs as a prompt."""
        wanted = _parsed(KimiMagics.kimi_tokens, line)
        text = filled(cell if cell is not None else _verbatim(line, wanted.text), self._names)
        messages = [{"role": "user", "content": text}] if text else self._names.get("kimi_messages")
        if not messages:
            raise UsageError("there is no conversation yet: %kimi_tokens TEXT, or %%kimi_tokens with a cell")
        return estimate_tokens(self._client, model=wanted.model, messages=messages)

    @property
    def _names(self) -> dict[str, Any]:
        shell: Any = self.shell
        names: dict[str, Any] = shell.user_ns
        return names

    @property
    def _client(self) -> openai.OpenAI:
        client = self._names.setdefault("kimi_client", None) or create_client()
        if not isinstance(client, openai.OpenAI):
            raise UsageError(f"kimi_client is a {type(client).__name__}; the magics take one of create_client()")
        self._names["kimi_client"] = client
        return client

    def _history(self, *, new: bool, system: str | None) -> list[Any]:
        """A copy: what the user has stays as it is until the answer is whole."""
        history: list[Any] = [] if new else list(self._names.get("kimi_messages") or [])
        if system is not None:
            history = [message for message in history if message.get("role") != "system"]
            history.insert(0, {"role": "system", "content": filled(system, self._names)})
        return history


def _is_free(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and name not in KEPT


def filled(text: str, names: Mapping[str, Any]) -> str:
    """The text with each `{name}` that is a variable replaced by it; all other braces stay.

    >>> filled('{n} times {"a": 1} {unknown}', {"n": 3})
    '3 times {"a": 1} {unknown}'
    """
    return re.sub(r"\{([^\W\d]\w*)\}", lambda found: str(names.get(found[1], found[0])), text)


def _parsed(magic: Any, line: str) -> Any:
    """The arguments in a line, options without the quotes around them; a question keeps its own."""
    try:
        found: Any = arguments.parse_argstring(magic, line)
    except ValueError as problem:
        raise UsageError(f"{problem}: begin a word with a quote only where another ends") from None
    values = cast("dict[str, Any]", vars(found))
    for name, value in values.items():
        if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            values[name] = value[1:-1]
    return found


def _verbatim(line: str, words: list[str]) -> str:
    """The words as they stand in the line, blanks and all, unless options stand between them."""
    if not words:
        return ""
    raw = line[line.find(words[0]) : line.rfind(words[-1]) + len(words[-1])]
    return raw if "".join(raw.split()) == "".join("".join(words).split()) else " ".join(words)


def _thinking(wanted: Any) -> dict[str, Any]:
    try:
        return thinking(wanted.model, enabled=wanted.thinking, effort=wanted.effort)
    except ValueError as problem:
        raise UsageError(str(problem)) from None


OPTIONS = ("--model", "--thinking", "--no-thinking", "--effort", "--system", "--prefix", "--to", "--new")
FLAGS_OF = {"kimi": OPTIONS, "kimi_tokens": ("--model",)}


def completions(line: str, symbol: str) -> list[str]:
    """What can stand where `symbol` begins: an option, a model id, an effort.

    >>> completions("%kimi --effort ", ""), completions("%kimi --n", "--n")
    (['low', 'high', 'max'], ['--no-thinking', '--new'])
    """
    before = line[: len(line) - len(symbol)].split() if symbol else line.split()
    magic = before[0].lstrip("%") if before else ""
    model = next((before[at + 1] for at, word in enumerate(before[:-1]) if word in ("-m", "--model")), CURRENT[0])
    last = before[-1] if before else ""
    if last in ("-m", "--model"):
        found: tuple[str, ...] = CURRENT
    elif last in ("-e", "--effort"):
        found = facts(model).efforts
    else:
        found = FLAGS_OF.get(magic, ()) if symbol.startswith("-") or not symbol else ()
    return [word for word in found if word.startswith(symbol)]


def _complete(_: Any, event: Any) -> list[str]:
    words = event.text_until_cursor.split(" ")
    return completions(event.text_until_cursor, words[-1])


def load_magics(shell: Any) -> None:
    """What `%load_ext kimi_openai` does."""
    shell.register_magics(KimiMagics)
    for name in FLAGS_OF:
        for key in (f"%{name}", f"%%{name}"):
            shell.set_hook("complete_command", _complete, str_key=key)
    for kind in HANDLED:
        shell.display_formatter.formatters["text/html"].for_type(kind, html_of)


def unload_magics(shell: Any) -> None:
    """What `%unload_ext kimi_openai` does; a magic stays until the kernel ends, as IPython's own."""
    for kind in HANDLED:
        shell.display_formatter.formatters["text/html"].pop(kind, None)
