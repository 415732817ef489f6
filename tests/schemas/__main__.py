"""`python -m tests.schemas [COUNT] [SEED]`: the counts for so many schemas of each kind."""

from __future__ import annotations

import sys
from dataclasses import asdict

from .measure import Counts, measured
from .mixtures import examples
from .realistic import KINDS, several

COUNT = 500


def main(count: int = COUNT, seed: int = 1) -> None:
    """Print one line for each kind."""
    columns = [*asdict(Counts())]
    print(f"seed {seed}\n\n{'':14}", *(f"{column:>8}" for column in columns))
    for kind in [*KINDS, "any keywords"]:
        schemas = several(kind, count, seed) if kind in KINDS else examples(3 * count, seed)
        print(f"{kind:14}", *(f"{value:8}" for value in asdict(measured(schemas)).values()), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
