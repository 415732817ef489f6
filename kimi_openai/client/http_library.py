"""The HTTP library of the installed SDK: httpx for openai 1 and 2, httpx2 for openai 3. Our code names neither."""

from __future__ import annotations

import sys
from functools import lru_cache
from typing import Any

import openai

__all__ = ["http_library"]


@lru_cache(maxsize=1)
def http_library() -> Any:
    """The module, found through the base class of the SDK's default HTTP client."""
    names = (base.__module__.partition(".")[0] for base in openai.DefaultHttpxClient.__mro__)
    return sys.modules[next(name for name in names if name != "openai")]
