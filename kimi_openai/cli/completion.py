"""Completion in the shell, by argcomplete (extra `cli`): the script for a shell, and the answers when it asks."""

from __future__ import annotations

import os
from argparse import ArgumentParser, Namespace

from .console import Console

__all__ = ["SHELLS", "complete", "print_completion"]

SHELLS = ("bash", "zsh", "fish", "tcsh", "powershell")


def complete(parser: ArgumentParser) -> None:
    """If the shell asks what can follow, tell it and exit; else do nothing."""
    if "_ARGCOMPLETE" in os.environ:
        import argcomplete

        argcomplete.autocomplete(parser)


def print_completion(options: Namespace, console: Console) -> int:
    """Run `kimi-openai completion SHELL`: print the script that makes the shell ask."""
    try:
        from argcomplete.shell_integration import shellcode
    except ImportError:
        console.note("completion needs argcomplete: pip install 'kimi-openai[cli]'")
        return 2
    console.line(shellcode(["kimi-openai"], shell=options.shell).rstrip("\n"))
    return 0
