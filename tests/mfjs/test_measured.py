"""A slice of `python -m tests.schemas`: what many schemas become."""

from __future__ import annotations

import pytest

from tests.schemas.__main__ import main
from tests.schemas.measure import Counts, measured
from tests.schemas.mixtures import examples
from tests.schemas.realistic import KINDS, several


@pytest.mark.parametrize("kind", KINDS)
def test_realistic_schemas_are_accepted(kind: str) -> None:
    """At every level, and nothing that was not noted became wider; some have names that Kimi refuses."""
    counts = measured(several(kind, 30, 1))
    assert (counts.lite, counts.strict, counts.ultra, counts.wider) == (0, 0, 0, 0)
    assert counts.renamed


def test_random_schemas_are_accepted() -> None:
    """At most one in 100 is refused, and each of those is noted."""
    counts = measured(examples(100, 1))
    assert counts.strict <= 1
    assert (counts.silent, counts.wider) == (0, 0)


def test_measuring_finds_what_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The counts are those of the validator and of JSON Schema; the command prints a line for each kind."""
    monkeypatch.setattr(
        "tests.schemas.measure.mfjs_problem", lambda _, level="strict": None if level == "lite" else "no"
    )
    monkeypatch.setattr("tests.schemas.measure.is_wider", lambda *_: True)
    assert measured([{"type": "object"}]) == Counts(total=1, strict=1, ultra=1, silent=1, wider=1)
    main(1)
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[3:]] == [
        kind.split()[0] for kind in [*KINDS, "any"]
    ]
