"""Finds and reads the `.env` file of a client. `settings.py` decides what its values are used for.

A file that is found by its name may have come with somebody's repository, or lie in a folder that others can write to.
So a file of another user is not read, and no value is put together from variables of the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import dotenv

from kimi_openai._internal.secrets import shown
from kimi_openai.errors.exceptions import SettingsError

__all__ = ["ENV_FILE", "EnvFile", "FoundFile", "find_env_file", "foreign_env_files"]

EnvFile = str | os.PathLike[str] | None
"""A file name that is searched from the working directory upwards, a path, or `None` for no file."""

ENV_FILE = ".env"
"""The default. Unlike a file that was named, it may be missing."""

ROOT = 0


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file and its variables. `is_near`: it is in the working directory, or the caller passed its path."""

    path: Path
    is_near: bool
    values: Mapping[str, str] = field(repr=False)


def find_env_file(name: EnvFile, *, on_foreign: Callable[[Path], object] = bool) -> FoundFile | None:
    """The file, read; `None` if there is none.

    A name without a folder is searched from the working directory upwards. On the way a file of another user is left
    out, and `on_foreign` is called with it; a path is read whoever owns it. Raises `SettingsError` if a file that was
    named does not exist, or if a file cannot be read.
    """
    if name is None:
        return None
    path = Path(name).expanduser()
    candidates = _candidates(path)
    for position, candidate in enumerate(candidates):
        if not os.path.isfile(candidate):
            continue
        if _is_plain_name(path) and _is_foreign(candidate):
            on_foreign(candidate)
            continue
        return FoundFile(candidate, position == 0, _read(candidate))
    if path != Path(ENV_FILE):
        raise SettingsError(f"env_file: there is no file {shown(str(name))}; pass an existing one, or None for no file")
    return None


def foreign_env_files(name: EnvFile) -> tuple[Path, ...]:
    """The files of other users that a search for this name passes over."""
    found: list[Path] = []
    find_env_file(name, on_foreign=found.append)
    return tuple(found)


def _candidates(path: Path) -> list[Path]:
    if not _is_plain_name(path):
        return [path]
    try:
        here = Path.cwd()
    except FileNotFoundError:  # the working directory was deleted
        return []
    return [folder / path for folder in (here, *here.parents)]


def _is_plain_name(path: Path) -> bool:
    return path.parent == Path()


def _is_foreign(path: Path) -> bool:
    """Whether the file, or the link that leads to it, belongs to neither this user nor root."""
    if not hasattr(os, "geteuid"):  # Windows
        return False
    return not {path.lstat().st_uid, path.stat().st_uid} <= {os.geteuid(), ROOT}


def _read(path: Path) -> Mapping[str, str]:
    try:
        values = dotenv.dotenv_values(path, interpolate=False)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"{path} cannot be read ({error}); make it a UTF-8 file of yours, or pass env_file=None for no file"
        ) from None
    return {name: value for name, value in values.items() if value is not None}
