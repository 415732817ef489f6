"""Damaged answers at every entrance: `python -m tests.fuzz [--bodies 20000] [--seed 1]`.

`answers` damages real wire shapes, `wire` brings them to a client (from memory, some over sockets), `entrances` are the
ways in which a user asks, `run` counts what a user gets: the answer, an `openai.OpenAIError`, or any other exception.
"""
