"""What the writer of a run on Ray counts, without Ray: rows that failed before and are asked again."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

from kimi_openai.bulk.ray_journal import Journal, Line
from kimi_openai.usage.costs import Tokens, price_list

PRICES = price_list(None)


def failure(name: str, cost: str) -> str:
    error = {"code": "timeout", "message": "late"}
    return json.dumps({"id": name, "custom_id": name, "fingerprint": "0", "cost": cost, "error": error})


def test_rows_that_are_asked_again(tmp_path: Path) -> None:
    """Their old lines stay, and count once: before they are asked, after they failed again, and after a restart."""
    output, errors = tmp_path / "out.jsonl", tmp_path / "out.errors.jsonl"
    errors.write_text(f"{failure('a', '0.5')}\n{failure('b', '0.25')}\n")
    begin = errors.stat().st_size
    journal = Journal(output, errors, PRICES, begin)
    assert journal.done(["a", "b"]) == ("", [False, False])
    assert journal.counts().cost == Decimal("0.75")
    journal.write([Line("a", failure("a", "0.75"), "timeout", Tokens(), Decimal("0.75"))])
    counts = journal.close()
    assert (counts.failures, counts.cost) == (1, Decimal("1.00"))
    again = Journal(output, errors, PRICES, begin)
    assert again.done(["a", "b"]) == ("", [True, False])
    assert again.close() == counts
