"""A multipart form on the wire, as an upload of files is sent, taken apart into its fields and files. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import Message
from email.parser import HeaderParser
from typing import Any

__all__ = ["FORM", "Form", "parsed_form"]

FORM = "multipart/form-data"

File = tuple[str, bytes, str]


@dataclass(frozen=True, slots=True)
class Form:
    """A form. `files` are as the SDK takes them: name of the field, then name, content and type."""

    fields: dict[str, Any]
    files: list[tuple[str, File]] = field(repr=False)


def parsed_form(content: bytes, content_type: str) -> Form | None:
    r"""The form in a body, `None` if it has none.

    >>> body = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x--\r\n'
    >>> parsed_form(body, "multipart/form-data; boundary=x")
    Form(fields={'purpose': 'batch'})
    """
    header = Message()
    header["content-type"] = content_type
    boundary = header.get_boundary()
    if header.get_content_type() != FORM or not boundary:
        return None
    form = Form({}, [])
    for part, value in _parts(content, boundary.encode()):
        name = part.get_param("name", header="content-disposition")
        file_name = part.get_filename()
        if not isinstance(name, str):
            return None
        if file_name is not None:
            form.files.append((name, (file_name, value, part.get_content_type())))
        else:
            form.fields[name] = value.decode(errors="replace")
    return form


def _parts(content: bytes, boundary: bytes) -> Iterator[tuple[Message, bytes]]:
    """The headers and the value of each part. What stands before the first and after the last boundary is left out."""
    for part in (b"\r\n" + content).split(b"\r\n--" + boundary)[1:]:
        if part.startswith(b"--"):
            return
        head, _, value = part.lstrip(b"\t ").removeprefix(b"\r\n").partition(b"\r\n\r\n")
        yield HeaderParser().parsestr(head.decode(errors="replace") + "\r\n\r\n"), value
