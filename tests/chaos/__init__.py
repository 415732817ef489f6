"""Chaos: seeded runs of every way of asking, through a TCP proxy that breaks what passes.

`plans` makes a run of a seed. `clients`, `ways` and `judges` ask, and compare the answer with what the server meant.
`proxy` stands between client and server; what it does is in `faults`, `head_damage` and `body_damage`, as `steps`.
`wire` reads HTTP, `meaning` knows which damage can be noticed, `shapes` answers in ways that the emulator does not.
`run` runs everything with `work` and `watch`, which counts what is left open. Started by `python -m tests.load chaos`.
"""
