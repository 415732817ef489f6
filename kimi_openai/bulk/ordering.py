"""Puts the lines of a finished output file into the order of the input, without holding them in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from .index import Index, hash_of
from .output import OutputFile
from .requests import Requests

__all__ = ["put_in_order"]


def put_in_order(output: OutputFile, requests: Requests) -> None:
    """Replace the file by one whose answers are in the order of the requests; those of other requests come last.

    The new file takes the old one's place in one step, so a process that is killed leaves one of the two.
    """
    places, wanted = Index(), Index()
    for offset, record in output.records():
        places.add(hash_of(record["custom_id"]), offset)
    for request in requests:
        wanted.add(hash_of(request.custom_id))
    places.sort()
    wanted.sort()
    with output.path.open("rb") as lines:
        output.rewrite(_in_order(output, requests, lines, places, wanted))


def _in_order(output: OutputFile, requests: Requests, lines: BinaryIO, places: Index, wanted: Index) -> Iterator[bytes]:
    for request in requests:
        place = places.get(hash_of(request.custom_id))
        if place is not None:
            lines.seek(place)
            yield lines.readline()
    for offset, record in output.records():
        if wanted.get(hash_of(record["custom_id"])) is None:
            lines.seek(offset)
            yield lines.readline()
