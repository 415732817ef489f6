"""Prints the table of a fuzz run; exits with 1 if there was a foreign exception."""

from __future__ import annotations

import argparse
import sys
import time

import openai

from .run import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--bodies", type=int, default=20_000, help="how many answers are damaged in memory")
    parser.add_argument("--sockets", type=int, default=400, help="how many more come over sockets")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, nargs="*", default=[], help="the numbers of single runs")
    options = parser.parse_args()
    foreign = 0
    for count, on_sockets in ((options.bodies, False), (options.sockets, True)):
        if not count:
            continue
        begun = time.monotonic()
        outcomes = fuzz(count, options.seed, only=options.only, on_sockets=on_sockets)
        foreign += len(outcomes.foreign)
        where = "over sockets" if on_sockets else "in memory"
        print(f"\nopenai {openai.__version__}, {where}, seed {options.seed}, {time.monotonic() - begun:.0f} s\n")
        print(outcomes.table())
        print(f"\n{outcomes.report()}")
        for trace in outcomes.traces.values() if options.only else ():
            print(f"\n{trace}")
    return 1 if foreign else 0


if __name__ == "__main__":
    sys.exit(main())
