"""sse.py: from bytes to events, however the bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.client.sse import Splitter

FORMS = [
    pytest.param(b"data: a\n\ndata: b\n\n", [b"a", b"b"], id="plain"),
    pytest.param(b"data:a\n\ndata:  b\n\n", [b"a", b" b"], id="one space or none"),
    pytest.param(b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"], id="CRLF"),
    pytest.param(b"data: a\r\rdata: b\r\r", [b"a", b"b"], id="CR"),
    pytest.param(b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"], id="mixed line ends"),
    pytest.param(b"data: {\ndata: }\n\n", [b"{\n}"], id="several data lines"),
    pytest.param(b": hello\n\n:\ndata: a\n: x\n\n", [b"a"], id="comments"),
    pytest.param(b"event: chunk\nid: 1\nretry: 5\ndata: a\n\n", [b"a"], id="other fields"),
    pytest.param(b"event: ping\n\ndata\n\ndata:\n\ndata: a\n\n", [b"a"], id="events without data"),
    pytest.param(b"\n\n\n\ndata: a\n\n\n\n\n", [b"a"], id="blank lines"),
    pytest.param("data: héllo — 你好 \u2028\n\n".encode(), ["héllo — 你好 \u2028".encode()], id="several bytes"),
    pytest.param(b"data: a\n\ndata: b\n", [b"a"], id="an unfinished event does not count"),
    pytest.param(b"", [], id="nothing"),
    pytest.param(b"\xef\xbb\xbfdata: a\n\n", [b"a"], id="a byte order mark"),
    pytest.param(b"\xef\xbb\xbf", [], id="only a byte order mark"),
    pytest.param(b"data: a\n\n\xef\xbb\xbfdata: b\n\n", [b"a"], id="a byte order mark later"),
]


def split(pieces: list[bytes]) -> list[bytes]:
    splitter = Splitter()
    return [data for piece in pieces for data in splitter.feed(piece)]


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(("stream", "events"), FORMS)
def test_events_in_every_form_and_in_pieces_of_every_size(stream: bytes, events: list[bytes], size: int) -> None:
    """Pieces give the same events as the whole."""
    assert split([stream[at : at + size] for at in range(0, len(stream), size)]) == events


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
@pytest.mark.parametrize(
    ("stream", "rest"),
    [(b"data: a\n\ndata: b", b"b"), (b"data: b\r\n", b"b"), (b"data: a\n\n", b""), (b": c", b""), (b"\xef\xbb", b"")],
)
def test_what_the_end_of_the_body_left_open(stream: bytes, rest: bytes, size: int) -> None:
    """The data of an event without a blank line, once."""
    splitter = Splitter()
    for at in range(0, len(stream), size):
        splitter.feed(stream[at : at + size])
    assert (splitter.flush(), splitter.flush()) == (rest, b"")


LINES = st.sampled_from([b"data: a", b"data:", b"data: {}", b"data", b": c", b"event: e", b"x: y", b"", b" data: no"])
ENDS = st.sampled_from([b"\n", b"\r\n", b"\r"])


@given(st.lists(st.tuples(LINES, ENDS)), st.lists(st.integers(0, 200)))
def test_where_the_bytes_are_cut_makes_no_difference(lines: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    """Any lines with any line ends, cut anywhere, give the events that the standard describes."""
    stream = b"".join(line + end for line, end in lines)
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    pieces = [stream[start:end] for start, end in pairwise(places)]
    whole = [b"\n".join(data) for data in _by_the_standard(stream)]
    assert split(pieces) == [data for data in whole if data]


def _by_the_standard(stream: bytes) -> list[list[bytes]]:
    """The data lines of each event, line by line as in the standard."""
    events: list[list[bytes]] = []
    data: list[bytes] = []
    *lines, _unfinished = stream.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    for line in lines:
        if not line:
            events.append(data)
            data = []
        elif line == b"data" or line.startswith(b"data:"):
            data.append(line[5:].removeprefix(b" "))
    return events
