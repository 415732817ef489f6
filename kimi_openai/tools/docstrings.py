"""Reads docstrings in the style of Google or Sphinx: the description of a function and of its parameters. Pure."""

from __future__ import annotations

import re

__all__ = ["parse_docstring"]

SECTIONS = re.compile(
    r"^(Args|Arguments|Parameters|Returns?|Raises?|Yields?|Examples?|Notes?):\s*$|^:\w+[^:]*:", re.MULTILINE
)
ENTRY = re.compile(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)")
FIELD = re.compile(r"^:param\s+(?:[^:]*\s)?(\w+):\s*(.*(?:\n[ \t]+\S.*)*)", re.MULTILINE)


def parse_docstring(docstring: str) -> tuple[str, dict[str, str]]:
    """The text before the first section, and the description of each parameter.

    >>> parse_docstring("Add.\\n\\nArgs:\\n    a: the first\\n        number\\n    b (int): the second\\n")
    ('Add.', {'a': 'the first number', 'b': 'the second'})
    >>> parse_docstring("Add.\\n\\n:param int a: the first\\n:returns: it")
    ('Add.', {'a': 'the first'})
    """
    first = SECTIONS.search(docstring)
    description = docstring[: first.start()] if first else docstring
    fields = {name: " ".join(text.split()) for name, text in FIELD.findall(docstring)}
    return description.strip(), fields | _google_parameters(docstring)


def _google_parameters(docstring: str) -> dict[str, str]:
    """The entries of the arguments section. Each begins at the indent of the first; deeper lines continue it."""
    parameters: dict[str, str] = {}
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
            parameters[name] = entry[2]
        elif text and name:
            parameters[name] = f"{parameters[name]} {text}".strip()
    return parameters
