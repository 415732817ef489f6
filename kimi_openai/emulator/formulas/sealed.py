"""Outputs that only the model can read: the service returns them encrypted, and the client passes them on unchanged.

The emulator's "encryption" is base64 with a checksum, so that an altered text is noticed.
"""

from __future__ import annotations

import base64
import re
import zlib

__all__ = ["seal", "unsealed"]

BEGIN, END = "----MOONSHOT ENCRYPTED BEGIN----", "----MOONSHOT ENCRYPTED END----"
SEALED = re.compile(f"{BEGIN}(.*?){END}", re.DOTALL)


def seal(text: str) -> str:
    """The encrypted form of an output.

    >>> unsealed(seal("found it"))
    'found it'
    """
    data = text.encode()
    return f"{BEGIN}{base64.b64encode(zlib.crc32(data).to_bytes(4, 'big') + data).decode()}{END}"


def unsealed(text: str) -> str:
    """The text as the model reads it. What was altered reads as "(unreadable)"."""
    return SEALED.sub(lambda found: _plain(found[1]), text)


def _plain(sealed: str) -> str:
    try:
        data = base64.b64decode(sealed, validate=True)
        return data[4:].decode() if zlib.crc32(data[4:]).to_bytes(4, "big") == data[:4] else "(unreadable)"
    except ValueError:
        return "(unreadable)"
