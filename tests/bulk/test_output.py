"""The output file and the index: whatever a killed process leaves, whole lines stay and the rest is written again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.bulk.errors import OutputError
from kimi_openai.bulk.index import Index, fingerprint, hash_of
from kimi_openai.bulk.output import OutputFile


def text(number: int) -> str:
    return json.dumps({"custom_id": f"r{number}", "text": "x" * number})


def ids_after(path: Path) -> list[str]:
    """The ids that the next run finds."""
    file = OutputFile(path)
    found = [record["custom_id"] for _, record in file.records()]
    file.close()
    return found


@pytest.mark.parametrize("cut", [0, 1, 7, 25, 26, 27, 28, 60])
def test_a_torn_last_line(tmp_path: Path, cut: int) -> None:
    """It is removed, or completed if only its end is missing; the next line is whole again."""
    path = tmp_path / "out.jsonl"
    whole = f"{text(1)}\n{text(2)}\n"
    path.write_text(whole[:cut])
    expected = [json.loads(each)["custom_id"] for each in whole[:cut].splitlines() if each.endswith("}")]
    assert ids_after(path) == expected
    file = OutputFile(path)
    file.append(text(3))
    file.close()
    assert ids_after(path) == [*expected, "r3"]
    assert all(json.loads(each) for each in path.read_text().splitlines())


def test_a_damaged_line_is_blanked(tmp_path: Path) -> None:
    """In the middle, as power loss may leave it: the lines around it stay."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(f"{text(1)}\n".encode() + b"\0" * 40 + f"\n{text(2)}\n".encode())
    assert ids_after(path) == ["r1", "r2"]
    assert [each for each in path.read_text().splitlines() if each.strip()] == [text(1), text(2)]


def test_a_long_torn_line(tmp_path: Path) -> None:
    """Longer than the pieces that the file is read in."""
    path = tmp_path / "out.jsonl"
    path.write_text(f"{text(1)}\n{text(200_000)[:150_000]}")
    assert ids_after(path) == ["r1"]


FOREIGN = {
    "a text": b"Dear diary,\nit rains.",
    "a word": b"word",
    "other JSON": b'{"a": 1}\n{"custom_id": "x"}\n',
    "an input": b'{"custom_id": "r1", "method": "POST", "body": {}}\n',
    "a picture": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_another_file_is_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    """It is no checkpoint, so it is neither repaired nor added to."""
    path = tmp_path / "diary.txt"
    path.write_bytes(content)
    with pytest.raises(OutputError, match=r"no output of a bulk run: line \d is"):
        OutputFile(path)
    assert path.read_bytes() == content


def test_what_is_no_file() -> None:
    """Has no answers to read again, and `/dev/full` never ends."""
    with pytest.raises(OutputError, match="/dev/full is no regular file"):
        OutputFile(Path("/dev/full"))


@pytest.mark.parametrize("rest", [b"\0" * 40, b'{"id":"r1"' + b"\0" * 9, b" \n\0\0"])
def test_what_power_loss_leaves_of_a_first_line(tmp_path: Path, rest: bytes) -> None:
    """Is repaired."""
    path = tmp_path / "out.jsonl"
    path.write_bytes(rest)
    file = OutputFile(path)
    file.append(text(3))
    file.close()
    assert ids_after(path) == ["r3"]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 9)), max_size=40))
def test_the_index_is_a_dict(entries: list[tuple[int, int]]) -> None:
    """The last value of a key counts; keys that came twice are known."""
    index = Index()
    for key, value in entries:
        index.add(key, value)
    index.sort()
    expected = dict(entries)
    assert [index.get(key) for key in range(31)] == [expected.get(key) for key in range(31)]
    keys = [key for key, _ in entries]
    assert set(index.repeated()) == {key for key in keys if keys.count(key) > 1}


def test_fingerprints() -> None:
    """The order of names does not matter, everything else does."""
    assert fingerprint({"a": 1, "b": [1, 2]}) == fingerprint({"b": [1, 2], "a": 1})
    assert fingerprint({"a": [1, 2]}) != fingerprint({"a": [2, 1]})
    assert hash_of("\ud800") != hash_of("x")
