"""form.py: uploads as the SDK and browsers write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kimi_openai.adapting.form import parsed_form
from tests.canned import LIBRARY

TEXT = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=8)


@given(st.dictionaries(TEXT, TEXT, max_size=3), TEXT, st.binary(max_size=60))
def test_what_the_http_library_writes_is_read(fields: dict[str, str], name: str, content: bytes) -> None:
    """Fields and files come back as they were, whatever bytes a file has."""
    files = {"file": (name, content, "application/octet-stream")}
    request = LIBRARY.Request("POST", "http://a/", data=fields, files=files)
    form = parsed_form(request.read(), request.headers["content-type"])
    assert form is not None
    assert form.fields == fields
    assert form.files == [("file", (name, content, "application/octet-stream"))]


@pytest.mark.parametrize(
    ("content", "content_type"),
    [
        (b"{}", "application/json"),
        (b"--x\r\n\r\na\r\n--x--", "multipart/form-data"),
        (b"--x\r\n\r\na\r\n--x--", "multipart/form-data; boundary=x"),
    ],
)
def test_what_is_no_form_has_none(content: bytes, content_type: str) -> None:
    """Another type, no boundary, a part without a name."""
    assert parsed_form(content, content_type) is None
