"""The `kimi-openai` command: `main` runs one of the commands that `parser` describes.

Answers go to stdout, everything else to stderr, also why a request waits and how long; the reasoning is shown on a
terminal only. Ctrl-C (exit code 130) keeps what has arrived. Control characters in what a model or a server wrote are
written out (`\\x1b[2J`), also in pipes; `--json` has the exact text. `env` prints no key: its exports name the variable
that holds it, or read it from `.env` when they are run (`env --key` is what they call, and prints it). Where key and
base URL were found goes to stderr.
"""
