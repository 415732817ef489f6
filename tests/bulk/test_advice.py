"""The suggestion of a smaller output limit, from the first answers."""

from __future__ import annotations

from kimi_openai.bulk.advice import CapAdvice
from kimi_openai.bulk.requests import Request
from kimi_openai.usage.costs import Tokens

from .conftest import Files, line


def advice(cap: int | None, longest: int, count: int = 100) -> str:
    """What is suggested after so many answers."""
    body = {**line(0)["body"], "max_completion_tokens": cap}
    found = CapAdvice()
    for number in range(count):
        found.take(Request(number, "x", body), Tokens(prompt=100, output=longest if number == 7 else 10))
    return found.text


def test_texts() -> None:
    """Twice what the longest answer needed; none if little is to be gained, or too little is known."""
    assert advice(None, 900).startswith(
        "the longest of the first 100 answers has 900 tokens, and a request reserves 131,072"
    )
    assert "max_completion_tokens=2048 (--max-tokens 2048) 61 times as many requests" in advice(None, 900)
    assert (advice(8192, 900, 99), advice(4096, 900), advice(8192, 1500)) == ("", "", "")


def test_a_run_tells_it(files: Files) -> None:
    """In its report, after 100 answers; the run may then go on with the smaller limit."""
    files.write([line(number, max_completion_tokens=50_000) for number in range(110)])
    report = files.run(limit=105)
    assert "max_completion_tokens=1024" in report.advice
    assert report.advice in str(report)
    more = files.run(params={"max_completion_tokens": 1024})
    assert (more.answered, more.resumed) == (5, 105)
