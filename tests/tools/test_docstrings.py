"""Docstrings: the description of a function and of its parameters."""

from __future__ import annotations

import pytest

from kimi_openai.tools.docstrings import parse_docstring

DOCSTRINGS: dict[str, tuple[str, tuple[str, dict[str, str]]]] = {
    "none": ("", ("", {})),
    "no sections": ("Do.\n\nMore.", ("Do.\n\nMore.", {})),
    "Google": (
        "Do.\n\nArgs:\n    a (int, optional):\n        First.\n\n        Still.\n    **b: Two: yes\nRaises:\n    c: d",
        ("Do.", {"a": "First. Still.", "b": "Two: yes"}),
    ),
    "Sphinx": (
        "Do.\n\n:param int a: First\n    still.\n:param b: Second\n:returns: c",
        ("Do.", {"a": "First still.", "b": "Second"}),
    ),
    "other sections": ("Do.\n\nReturns:\n    a: b", ("Do.", {})),
}


@pytest.mark.parametrize(("docstring", "parsed"), DOCSTRINGS.values(), ids=DOCSTRINGS)
def test_descriptions_are_found(docstring: str, parsed: tuple[str, dict[str, str]]) -> None:
    """In both styles, over several lines, up to the next section."""
    assert parse_docstring(docstring) == parsed
