"""IPython shells that end with their test."""

from __future__ import annotations

import atexit
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock


@contextmanager
def shell_of(kind: Any) -> Iterator[Any]:
    """The only shell of a kind, for a `with` block.

    IPython would end it at the end of the process, with a run of the garbage collector for each test's shell.
    """
    main = sys.modules["__main__"]
    shell = kind.instance()
    yield shell
    kind.clear_instance()
    atexit.unregister(shell.atexit_operations)
    with mock.patch("gc.collect"):
        shell.atexit_operations()
    sys.modules["__main__"] = main
