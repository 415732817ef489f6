"""`%load_ext kimi_openai`: `%kimi`, `%%kimi`, `%kimi_balance`, `%kimi_tokens`, and a display for the SDK's own values.

The magics keep their state in the notebook's namespace, where the user can see and change it: `kimi_client`,
`kimi_messages` (the conversation) and `kimi_reply` (the last answer). `short_errors.py` says what a failed call shows.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Generator, Mapping
from keyword import iskeyword
from typing import Any, TypeVar, cast

import openai
from IPython.core import magic_arguments
from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand

from kimi_openai._internal.secrets import shown
from kimi_openai.client.factories import create_client
from kimi_openai.endpoints.balance import get_balance
from kimi_openai.endpoints.token_estimate import estimate_tokens
from kimi_openai.errors.exceptions import SettingsError
from kimi_openai.messages.builders import join_partial, partial_message
from kimi_openai.models.catalog import CURRENT
from kimi_openai.models.reasoning import thinking
from kimi_openai.streaming.chat_stream import stream
from kimi_openai.usage.costs import price_list

from .display import ShownReply, live, show
from .formatters import add_formatters, remove_formatters
from .search import searched
from .short_errors import short_errors
from .tab_completion import OPTIONS_OF, complete

__all__ = ["KimiMagics", "fill_in", "load_magics", "unload_magics"]

STATE_NAMES = ("kimi_client", "kimi_messages", "kimi_reply")
"""Variables of the notebook in which the magics keep their state."""

arguments: Any = magic_arguments
Magic = TypeVar("Magic", bound=Callable[..., Any])


def with_arguments(*each: Any) -> Callable[[Magic], Magic]:
    """IPython's `magic_arguments` decorators as one, with types."""

    def decorate(magic: Magic) -> Magic:
        for argument in reversed(each):
            magic = argument(magic)
        decorated: Magic = arguments.magic_arguments()(magic)
        return decorated

    return decorate


@magics_class
class KimiMagics(Magics):
    """The magics. `%kimi?` shows their own help."""

    _made: openai.OpenAI | None = None

    @with_arguments(
        arguments.argument("question", nargs="*", help="the question; in %%%%kimi it is the cell"),
        arguments.argument("-m", "--model", default=CURRENT[0], help="model id (default: %(default)s)"),
        arguments.argument(
            "-t", "--thinking", action="store_true", default=None, help="think, as most models always do"
        ),
        arguments.argument(
            "-T", "--no-thinking", dest="thinking", action="store_false", help="do not think (not on K3)"
        ),
        arguments.argument("-e", "--effort", help="how much to think: low, high or max (kimi-k3 only)"),
        arguments.argument("-s", "--system", help="system message; replaces the conversation's"),
        arguments.argument("-p", "--prefix", help="how the answer begins (partial mode)"),
        arguments.argument("--to", metavar="NAME", help="variable for the answer's text"),
        arguments.argument("--search", action="store_true", help="let Kimi search the web; each search has a price"),
        arguments.argument("-n", "--new", action="store_true", help="start a new conversation"),
    )
    @no_var_expand
    @line_cell_magic
    def kimi(self, line: str, cell: str | None = None) -> None:
        """Ask Kimi, and show the answer while it arrives.

        `{name}` in a question is replaced by that variable of the notebook; other braces stay as they are. Questions
        continue the conversation in `kimi_messages` until `--new`. The last answer is `kimi_reply`, also the part of
        one that had arrived before an error; it is then not in the conversation. The client is `kimi_client`, made by
        `create_client()` unless you set it. Below the answer, `--search` shows its sources.
        """
        options = _parsed(KimiMagics.kimi, line)
        if options.to is not None and not _is_free(options.to):
            raise UsageError(f"--to {shown(options.to)}: this is no name for a variable of yours")
        question = fill_in(cell if cell is not None else _as_typed(line, options.question), self._names)
        if cell is not None and options.question:
            raise UsageError(f"the question is the cell; what is {shown(' '.join(options.question))}?")
        history = self._history(new=options.new, system=options.system)
        if not question.strip():
            if not options.new and options.system is None:
                raise UsageError("what is the question? %kimi? shows the options")
            self._names["kimi_messages"] = history
            return
        history.append({"role": "user", "content": question.strip()})
        prefix: str = fill_in(options.prefix, self._names) if options.prefix else ""
        begun = [partial_message(prefix)] if prefix else []
        extra = _thinking(options)
        if begun and options.search:
            raise UsageError("--prefix and --search do not go together: a search is not the beginning of an answer")
        request: dict[str, Any] = {"model": options.model, "messages": [*history, *begun], "extra_body": extra}
        ask = searched if options.search else _answered
        with self._call() as client:
            reply = ask(client, request)
        text = join_partial(prefix, reply.content) if prefix else reply.content
        self._names.update(
            kimi_messages=[*history, {**reply.message(), "content": text}],
            kimi_reply=reply,
            **({options.to: text} if options.to else {}),
        )

    @line_magic
    def kimi_balance(self, line: str) -> None:
        """%kimi_balance: what the account has left."""
        if line.strip():
            raise UsageError("%kimi_balance takes nothing")
        with self._call() as client:
            show(get_balance(client))

    @with_arguments(
        arguments.argument("text", nargs="*", help="the text; the conversation so far if there is none"),
        arguments.argument("-m", "--model", default=CURRENT[0], help="model id (default: %(default)s)"),
    )
    @no_var_expand
    @line_cell_magic
    def kimi_tokens(self, line: str, cell: str | None = None) -> int:
        """How many tokens a text, or the conversation so far, costs as a prompt."""
        options = _parsed(KimiMagics.kimi_tokens, line)
        text = fill_in(cell if cell is not None else _as_typed(line, options.text), self._names)
        messages = [{"role": "user", "content": text}] if text else self._names.get("kimi_messages")
        if not messages:
            raise UsageError("there is no conversation yet: %kimi_tokens TEXT, or %%kimi_tokens with a cell")
        with self._call() as client:
            return estimate_tokens(client, model=options.model, messages=messages)

    @property
    def _names(self) -> dict[str, Any]:
        shell: Any = self.shell
        names: dict[str, Any] = shell.user_ns
        return names

    @contextlib.contextmanager
    def _call(self) -> Generator[openai.OpenAI, None, None]:
        """The client for one call, whose errors are shown as one line.

        If the key of a client that was made here is refused, it is made again next time, when the key may be another.
        """
        client = self._client()
        try:
            with short_errors(self._names):
                yield client
        except openai.AuthenticationError:
            if client is self._made:
                self._names["kimi_client"] = None
            raise

    def _client(self) -> openai.OpenAI:
        try:
            client = self._names.setdefault("kimi_client", None)
            if client is None:
                client = self._made = create_client()
        except SettingsError as problem:  # no key, or settings that cannot work: one line, and not a traceback
            raise UsageError(" ".join(str(problem).split())) from None
        if not isinstance(client, openai.OpenAI):
            raise UsageError(f"kimi_client is a {type(client).__name__}; the magics take one of create_client()")
        self._names["kimi_client"] = client
        return client

    def _history(self, *, new: bool, system: str | None) -> list[Any]:
        """A copy of the conversation: the user's list changes only when the answer is whole."""
        history: list[Any] = [] if new else list(self._names.get("kimi_messages") or [])
        if system is not None:
            history = [message for message in history if message.get("role") != "system" or message.get("tools")]
            history.insert(0, {"role": "system", "content": fill_in(system, self._names)})
        return history


def _answered(client: openai.OpenAI, request: Mapping[str, Any]) -> ShownReply:
    """The answer to a request; it has been shown."""
    return live(stream(client, **request), prices=price_list(client))


def _is_free(name: str) -> bool:
    return name.isidentifier() and not iskeyword(name) and name not in STATE_NAMES


def fill_in(text: str, names: Mapping[str, Any]) -> str:
    """The text with each `{name}` that is a variable replaced by its value; all other braces stay.

    >>> fill_in('{n} times {"a": 1} {unknown}', {"n": 3})
    '3 times {"a": 1} {unknown}'
    """
    return re.sub(r"\{([^\W\d]\w*)\}", lambda found: str(names.get(found[1], found[0])), text)


def _parsed(magic: Any, line: str) -> Any:
    """The arguments in a line. Quotes around the value of an option are removed; quotes in a question stay."""
    try:
        found: Any = arguments.parse_argstring(magic, line)
    except ValueError as problem:
        raise UsageError(f"{problem}: close the quote, or do not begin a word with one") from None
    values = cast("dict[str, Any]", vars(found))
    for name, value in values.items():
        if isinstance(value, str) and len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
            values[name] = value[1:-1]
    return found


def _as_typed(line: str, words: list[str]) -> str:
    """The words with the blanks between them as in the line, unless there are options between the words."""
    if not words:
        return ""
    raw = line[line.find(words[0]) : line.rfind(words[-1]) + len(words[-1])]
    return raw if "".join(raw.split()) == "".join("".join(words).split()) else " ".join(words)


def _thinking(options: Any) -> dict[str, Any]:
    try:
        return thinking(options.model, enabled=options.thinking, effort=options.effort)
    except ValueError as problem:
        raise UsageError(str(problem)) from None


def load_magics(shell: Any) -> None:
    """Register the magics and the display of the SDK's values in a shell; `%load_ext kimi_openai` calls it."""
    shell.register_magics(KimiMagics)
    for name in OPTIONS_OF:
        for key in (f"%{name}", f"%%{name}"):
            shell.set_hook("complete_command", complete, str_key=key)
    add_formatters(shell)


def unload_magics(shell: Any) -> None:
    """Remove the display again; `%unload_ext kimi_openai` calls it. The magics stay until the kernel ends, as IPython's
    do."""
    remove_formatters(shell)
