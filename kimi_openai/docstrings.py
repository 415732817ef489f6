"""What a docstring says about a function and each of its parameters, in Google's or Sphinx's way; pure."""

from __future__ import annotations

import re

__all__ = ["described_parameters"]

SECTIONS = re.compile(
    r"^(Args|Arguments|Parameters|Returns?|Raises?|Yields?|Examples?|Notes?):\s*$|^:\w+[^:]*:", re.MULTILINE
)
ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)")
FIELD = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+):\s*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)


def described_parameters(docstring: str) -> tuple[str, dict[str, str]]:
    """The text before the first section, and what is said of each parameter.

    >>> described_parameters("Add.\\n\\nArgs:\\n    a: the first\\n        number\\n    b (int): the second\\n")
    ('Add.', {'a': 'the first number', 'b': 'the second'})
    >>> described_parameters("Add.\\n\\n:param int a: the first\\n:returns: it")
    ('Add.', {'a': 'the first'})
    """
    first = SECTIONS.search(docstring)
    about = docstring[: first.start()] if first else docstring
    fields = {name: " ".join(text.split()) for name, text in FIELD.findall(docstring)}
    return about.strip(), fields | _entries(docstring)


def _entries(docstring: str) -> dict[str, str]:
    """The entries of the section of arguments: each begins where the first one does, and goes on deeper."""
    found: dict[str, str] = {}
    section = re.search(r"^(?:Args|Arguments|Parameters):\s*$", docstring, re.MULTILINE)
    name, depth = "", 0
    for line in docstring[section.end() :].strip("\n").splitlines() if section else ():
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        depth = depth or indent
        if text and not indent:
            break
        entry = ENTRY.match(text) if indent == depth else None
        if entry:
            name = entry[1]
            found[name] = entry[2]
        elif text and name:
            found[name] = f"{found[name]} {text}".strip()
    return found
