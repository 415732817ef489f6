"""The question of `chat`: its words, what comes in on stdin, and a template around them.

Any bytes are taken from stdin; what cannot be decoded is replaced, and the caller is told.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TextIO

__all__ = ["decoded", "question_from", "question_message", "read_stdin"]

Message = Mapping[str, Any]

QUESTION, STDIN = "{question}", "{stdin}"
"""The places in a template. Other braces in it are text."""

PATIENCE = 2.0
"""Seconds of silence on stdin after which a note says what is being waited for."""

BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}


def question_from(
    words: Sequence[str], stdin: TextIO, *, template: str | None = None, note: Callable[[str], object] = bool
) -> str | None:
    """The question. Raises `ValueError` if it is empty.

    It is the words, with stdin below them if that is a pipe or a file, or if one of the words is `-`. `None`: there are
    no words, and stdin is a terminal. A template has `{question}` for the words and `{stdin}` for stdin, or is put
    above both. `note` is told what is wrong with stdin.
    """
    if not words and template is None and stdin.isatty():
        return None
    text = " ".join(word for word in words if word != "-")
    has_stdin = "-" in words or not stdin.isatty()
    below = read_stdin(stdin, note, is_expected=not text or "-" in words) if has_stdin else ""
    question = f"{text}\n\n{below}".strip() if template is None else _filled(template, text, below)
    if not question:
        raise ValueError("the question is empty: write it as words, or put it on stdin")
    return question


def _filled(template: str, text: str, below: str) -> str:
    """The template with both texts in their places; one without a place stands below."""
    if QUESTION in template and not text:
        raise ValueError(f"the --template has {QUESTION} in it: write the question as words")
    if STDIN in template and not below:
        raise ValueError(f"the --template has {STDIN} in it, and nothing came on stdin")
    rest = [part for place, part in ((QUESTION, text), (STDIN, below)) if place not in template]
    before, *parts = template.split(STDIN)  # so that a {question} in what stdin brought stays as it is
    filled = below.join(part.replace(QUESTION, text) for part in (before, *parts))
    return "\n\n".join(part for part in (filled.strip(), *rest) if part).strip()


def read_stdin(stdin: TextIO, note: Callable[[str], object], *, is_expected: bool = True) -> str:
    """All of stdin as text. `is_expected`: the command has no other text, so the user knows what it waits for."""
    timer = threading.Timer(PATIENCE, note, ["reading stdin to its end; if there is nothing to read: < /dev/null"])
    timer.daemon = True
    if not (is_expected or stdin.isatty()):
        timer.start()
    try:
        content: str | bytes = stdin.buffer.read() if hasattr(stdin, "buffer") else stdin.read()
    finally:
        timer.cancel()
    if isinstance(content, str):
        return content
    text, lost = decoded(content)
    if lost:
        what = "1 character" if lost == 1 else f"{lost} characters"
        note(f"stdin: {what} cannot be decoded as UTF-8 and became \ufffd; a document goes with --file PATH")
    return text


def decoded(content: bytes) -> tuple[str, int]:
    r"""The text in some bytes, and how many characters of it could not be decoded. A byte order mark says UTF-16.

    >>> decoded(b"caf\xe9"), decoded("é".encode("utf-16"))
    (('caf\ufffd', 1), ('é', 0))
    """
    encoding = next((name for mark, name in BYTE_ORDER_MARKS.items() if content.startswith(mark)), "utf-8")
    text = content.decode(encoding, errors="replace")
    genuine = content.decode(encoding, errors="ignore").count("\ufffd")
    return text, text.count("\ufffd") - genuine


def question_message(text: str, media: Sequence[Message] = ()) -> Message:
    """The user's message.

    >>> question_message("Hi")
    {'role': 'user', 'content': 'Hi'}
    """
    return {"role": "user", "content": [*media, {"type": "text", "text": text}] if media else text}
