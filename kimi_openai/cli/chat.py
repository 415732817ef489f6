"""`chat`: one question and its answer, or a conversation at a terminal.

The options become a `Conversation`; `printer.py` prints one answer, `talk.py` holds the conversation.
"""

from __future__ import annotations

import json
import re
from argparse import Namespace
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from kimi_openai._internal.json_values import is_object
from kimi_openai._internal.sanitize import json_line
from kimi_openai.client.clients import KimiOpenAI
from kimi_openai.messages.builders import image_part, video_part
from kimi_openai.messages.media import read_file
from kimi_openai.messages.reply import Reply
from kimi_openai.models.catalog import CURRENT
from kimi_openai.models.short_names import full_name
from kimi_openai.tools.formulas import formula_tools

from .console import Console
from .conversation import Conversation
from .conversation_log import ConversationLog, last_conversation
from .printer import AnswerPrinter, Shown, exit_code
from .question import decoded, question_from
from .raw import INTERRUPTED, print_raw
from .search import SEARCH, SearchPrinter
from .slash import as_document
from .talk import talk

__all__ = ["chat", "json_of", "response_format"]


def chat(client: KimiOpenAI, options: Namespace, console: Console, stdin: TextIO) -> int:
    """Run `kimi-openai chat`; returns the exit code. Raises `ValueError` for wrong usage, and the SDK's errors."""
    template = _text_in(options.template, "template") if options.template else None
    question = question_from(options.words, stdin, template=template, note=console.note)
    if question is None and (options.json or options.raw or options.schema):
        raise ValueError("--json, --raw and --schema need a question: as words, or on stdin")
    if options.search and options.raw:
        raise ValueError("--raw prints the chunks of one answer, and --search takes several")
    conversation = _conversation(client, options, console)
    if question is None:
        return talk(client, conversation, console)
    messages = conversation.question(question)
    if options.raw:
        request = {**conversation.request, "messages": [*conversation.messages, *messages]}
        return print_raw(client, request, console)
    printer = conversation.printer(console)
    reply = conversation.ask(client, printer, messages, console)
    return _end(reply, printer, options, console)


def _conversation(client: KimiOpenAI, options: Namespace, console: Console) -> Conversation:
    """The conversation that the options describe."""
    log = last_conversation() if options.proceed else ConversationLog()
    is_logged = options.log and not options.raw and (options.proceed or console.err_is_tty)
    conversation = Conversation(
        model=full_name(options.model or log.saved.model or CURRENT[0]),
        enabled=options.thinking,
        effort=options.effort,
        params=_params(options),
        system=options.system,
        shown=Shown(
            text=not (options.json or options.schema), reasoning=options.reasoning, markdown=options.schema is None
        ),
        log=log if is_logged else None,
    )
    _ = conversation.request  # it raises before anything is uploaded
    conversation.media += [*map(image_part, options.image), *map(video_part, options.video)]
    conversation.resume(log.saved)
    conversation.opening += [as_document(client, path, console) for path in options.file]
    conversation.tools = formula_tools(client, SEARCH) if options.search else ()
    return conversation


def _params(options: Namespace) -> dict[str, Any]:
    params: dict[str, Any] = {}
    if options.max_tokens is not None:
        if options.max_tokens < 1:
            raise ValueError(f"--max-tokens is {options.max_tokens}; it is a number from 1 up")
        params["max_completion_tokens"] = options.max_tokens
    if options.schema:
        params["response_format"] = response_format(_text_in(options.schema, "schema"), Path(options.schema).stem)
    return params


def _text_in(path: str, kind: str) -> str:
    content, name = read_file(path, kind)
    text, lost = decoded(content)
    if lost:
        raise ValueError(f"--{kind}: {name} is not UTF-8 text")
    return text


def response_format(text: str, name: str) -> dict[str, Any]:
    """The request for an answer that fits a JSON Schema. Raises `ValueError` if the text is not one.

    >>> response_format('{"type": "object"}', "a b")["json_schema"]
    {'name': 'a_b', 'schema': {'type': 'object'}, 'strict': True}
    """
    try:
        schema: Any = json.loads(text)
    except ValueError as problem:
        raise ValueError(f"--schema: this is not JSON ({problem})") from None
    if not is_object(schema):
        raise ValueError('--schema: a JSON Schema is a JSON object, such as {"type": "object", ...}')
    safe_name = re.sub(r"[^A-Za-z0-9_-]", "_", name)[:64]
    return {"type": "json_schema", "json_schema": {"name": safe_name, "schema": schema, "strict": True}}


def _end(reply: Reply, printer: AnswerPrinter, options: Namespace, console: Console) -> int:
    """Print what is printed at the end of an answer; the exit code."""
    code = exit_code(reply, console)
    if options.json:
        console.line(json_line(json_of(reply, printer, reasoning=options.reasoning)))
    elif options.schema and reply.content:
        console.line(reply.content)
    if printer.is_interrupted:
        return INTERRUPTED
    if options.schema and not _is_json(reply.content):
        console.note("the answer is not JSON, as the --schema asks; ask again, or raise --max-tokens")
        return 1
    return code


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def json_of(reply: Reply, printer: AnswerPrinter | None = None, *, reasoning: bool = True) -> dict[str, Any]:
    """The object that `--json` prints; `finish_reason` is null if the answer is not whole. `sources` are those of a
    search."""
    references = printer.references if isinstance(printer, SearchPrinter) else None
    return {
        "text": reply.content,
        **({"reasoning": reply.reasoning} if reasoning else {}),
        "usage": reply.usage,
        "finish_reason": reply.finish_reason,
        "model": reply.head.get("model"),
        "id": reply.head.get("id"),
        **({"tool_calls": reply.tool_calls} if reply.tool_calls else {}),
        **({} if references is None else {"sources": [asdict(each) for each in references]}),
    }
