"""The table behind a `ResponseMemory`: SQLite from the standard library, in memory or in a file.

An entry has an id, a kind, a head and items, both as JSON whose shape is not known here. `memory.py` decides what is
kept. Threads and processes may share a file.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from kimi_openai.errors.exceptions import SettingsError

if TYPE_CHECKING:  # imported with the first memory
    import sqlite3

__all__ = ["Entries", "Entry", "ForgottenError", "Kind", "Store"]

VERSION = 1

SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    id TEXT PRIMARY KEY, kind TEXT NOT NULL, parent TEXT, head BLOB NOT NULL, items BLOB NOT NULL,
    size INTEGER NOT NULL, used INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS entries_used ON entries (used);
"""

Kind = Literal["response", "conversation"]


class ForgottenError(LookupError):
    """An id that is not in the memory: it was never there, or it has been forgotten. `id` is the first one missing."""

    def __init__(self, id: str) -> None:
        self.id = id
        super().__init__(id)


class Entry(NamedTuple):
    """One row. `parent` is the id of the entry before it, None for the first one and for conversations."""

    id: str
    kind: Kind
    parent: str | None
    head: bytes
    items: bytes


COLUMNS = ", ".join(Entry._fields)


class Store:
    """A database that is opened when it is first used, closed when it is collected; in memory with `path=None`."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._process = 0
        self._database: sqlite3.Connection
        self._finalizer: weakref.finalize[..., Store]

    def close(self) -> None:
        """Close the file. The next use opens it again."""
        with self._lock:
            if self._process == os.getpid() and self.path is not None:
                self._process = 0
                self._finalizer()

    @contextmanager
    def transaction(self) -> Generator[Entries, None, None]:
        """The entries, for one thread at a time; all or nothing of what is done in the `with` block is kept.

        Raises `SettingsError` if the file cannot be used.
        """
        import sqlite3

        with self._lock:
            try:
                database = self._open()
                database.execute("BEGIN IMMEDIATE")
                try:
                    yield Entries(database)
                except BaseException:
                    with suppress(sqlite3.Error):
                        database.execute("ROLLBACK")
                    raise
                database.execute("COMMIT")
            except (sqlite3.Error, OSError) as error:
                raise SettingsError(f"the response memory {self.path or ''} cannot be used: {error}") from error

    def _open(self) -> sqlite3.Connection:
        is_open = self._process == os.getpid() or (self._process and self.path is None)
        if not is_open:  # a connection to a file must not be used in a forked process
            import sqlite3

            if self.path is not None:
                os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            database = sqlite3.connect(
                self.path or ":memory:", timeout=10, isolation_level=None, check_same_thread=False
            )
            self._finalizer = weakref.finalize(self, _close, database, os.getpid())
            try:
                self._prepare(database)
            except BaseException:
                self._finalizer()
                raise
            self._database, self._process = database, os.getpid()
        return self._database

    def _prepare(self, database: sqlite3.Connection) -> None:
        (version,) = database.execute("PRAGMA user_version").fetchone()
        if version not in (0, VERSION):
            raise SettingsError(f"{self.path} is of a newer version of kimi_openai, or not a response memory")
        database.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; {SCHEMA}")
        database.execute(f"PRAGMA user_version={VERSION}")


def _close(database: sqlite3.Connection, process: int) -> None:
    """Close a database that is not used any more, in the process that opened it."""
    if process == os.getpid():
        database.close()


class Entries:
    """The entries within a transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def __len__(self) -> int:
        (count,) = self._database.execute("SELECT count(*) FROM entries").fetchone()
        return int(count)

    def get(self, id: str, kind: Kind) -> Entry:
        """The entry, which counts as used now. Raises `ForgottenError`."""
        entry = self._find(id, kind)
        self.touch([id])
        return entry

    def chain(self, id: str) -> list[Entry]:
        """A response and those before it, newest first; all count as used now. Raises `ForgottenError`."""
        chain = [self._find(id, "response")]
        while chain[-1].parent is not None:
            chain.append(self._find(chain[-1].parent, "response"))
        self.touch([entry.id for entry in chain])
        return chain

    def containing(self, text: bytes) -> list[Entry]:
        """The entries that have this text in their JSON, last used first."""
        query = f"SELECT {COLUMNS} FROM entries WHERE instr(head, ?) OR instr(items, ?) ORDER BY used DESC"
        return [Entry(*row) for row in self._database.execute(query, (text, text))]

    def put(self, entry: Entry) -> None:
        """Write an entry, over one with the same id."""
        row = (*entry, len(entry.head) + len(entry.items), self._now())
        self._database.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)", row)

    def delete(self, id: str) -> bool:
        """Remove an entry. Returns whether it was there."""
        return self._database.execute("DELETE FROM entries WHERE id = ?", (id,)).rowcount > 0

    def touch(self, ids: list[str]) -> None:
        """Let these entries count as used now."""
        now = self._now()
        self._database.executemany("UPDATE entries SET used = ? WHERE id = ?", [(now, id) for id in ids])

    def forget_oldest(self, max_count: int, max_bytes: int) -> None:
        """Forget what was not used for the longest time, until the rest is within both bounds. The newest stays."""
        query = "SELECT count(*), total(size), max(used) FROM entries"
        count, size, latest = self._database.execute(query).fetchone()
        while count > 1 and (count > max_count or size > max_bytes):
            query = "SELECT id, size FROM entries WHERE used < ? ORDER BY used LIMIT 1"
            row = self._database.execute(query, (latest,)).fetchone()
            if row is None:
                return
            self.delete(row[0])
            count, size = count - 1, size - row[1]

    def _find(self, id: str, kind: Kind) -> Entry:
        query = f"SELECT {COLUMNS} FROM entries WHERE id = ? AND kind = ?"
        row = self._database.execute(query, (id, kind)).fetchone()
        if row is None:
            raise ForgottenError(id)
        return Entry(*row)

    def _now(self) -> int:
        (latest,) = self._database.execute("SELECT max(used) FROM entries").fetchone()
        return int(latest or 0) + 1
