"""The folder in which the command keeps what outlives it: the conversations and the history of the prompt.

`$XDG_STATE_HOME/kimi-openai`, by default `~/.local/state/kimi-openai`; on Windows in `%LOCALAPPDATA%`. The folder and
its files are for their owner only (0700 and 0600).
"""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["private_file", "state_folder"]


def state_folder() -> Path:
    """The folder, which may not exist yet."""
    base = os.environ.get("XDG_STATE_HOME") or (os.environ.get("LOCALAPPDATA") if os.name == "nt" else None)
    return Path(base or Path.home() / ".local" / "state") / "kimi-openai"


def private_file(*names: str) -> Path:
    """A file in the folder, made if it is not there. Raises `OSError`."""
    path = state_folder().joinpath(*names)
    for folder in (state_folder(), path.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_APPEND, 0o600))
    if os.name == "posix":
        path.chmod(0o600)  # it may be there already, with other permissions
    return path
