"""The file endpoints below `/v1/files`. Source: platform docs, files pages."""

from __future__ import annotations

from kimi_openai.emulator.errors import Problem, invalid_request, missing_parameter, not_found
from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.json_values import encode
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.files import StoredFile
from kimi_openai.emulator.state.service_state import ServiceState
from kimi_openai.emulator.validation.files import upload_problem

from .multipart import form_fields

__all__ = ["delete_file", "file_content", "list_files", "retrieve_file", "upload_file"]

MEDIA = ("image", "video")
TEXT = "text/plain; charset=utf-8"


def upload_file(state: ServiceState, request: Request) -> Response:
    """A new file from the form fields `file` and `purpose`."""
    fields = form_fields(request.headers.get("Content-Type", ""), request.body)
    for name in ("file", "purpose"):
        if name not in fields:
            return missing_parameter(name).response()
    upload, purpose = fields["file"], fields["purpose"].data.decode(errors="replace")
    files = state.files
    count = len(files.by_id) if state.behaviour.batch_output_counts else len(files.by_id) - files.of_batches
    problem = upload_problem(
        upload.data, purpose, files=count, total_bytes=files.total_bytes, limits=state.behaviour
    )
    if problem:
        return problem.response()
    return json_response(files.add(f"file_{state.id('file', request.number)}", state.now, upload, purpose))


def list_files(state: ServiceState, request: Request) -> Response:
    """All files, without `has_more`; `after` is ignored unless `Behaviour.file_list_honours_after`."""
    ids, after = list(state.files.by_id), request.query.get("after")
    if after in ids and state.behaviour.file_list_honours_after:
        ids = ids[ids.index(after) + 1 :]
    found = [state.files.by_id[id] for id in ids]
    if not state.behaviour.batch_output_listed:
        found = [file for file in found if file.purpose != "batch_output"]
    return json_response({"object": "list", "data": [file.object for file in found]})


def retrieve_file(state: ServiceState, _: Request, id: str) -> Response:
    """One FileObject, or 404."""
    file = state.files.by_id.get(id)
    return json_response(file.object) if file else _missing(id).response()


def delete_file(state: ServiceState, _: Request, id: str) -> Response:
    """Delete a file, or 404."""
    if state.files.by_id.pop(id, None) is None:
        return _missing(id).response()
    return json_response({"id": id, "object": "file", "deleted": True})


def file_content(state: ServiceState, _: Request, id: str) -> Response:
    """The text of a file, or the lines of a batch output; 404 if unknown, 400 for images and videos (inferred)."""
    file = state.files.by_id.get(id)
    if file is None:
        return _missing(id).response()
    if file.purpose in MEDIA:
        return invalid_request(f"the content of a file with purpose {file.purpose} is not available").response()
    if file.purpose == "file-extract":
        return Response((_extracted(file, state.behaviour.file_content).encode(),), content_type=TEXT)
    return Response((file.data,), content_type=TEXT)


def _extracted(file: StoredFile, form: str) -> str:
    name = file.object["filename"]
    try:
        text = file.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = f"[the emulator does not parse {name}; {len(file.data)} bytes]"
    if form == "text":
        return text
    document = {"content": text, "file_type": file.content_type, "filename": name, "title": "", "type": "file"}
    return encode(document)


def _missing(id: str) -> Problem:
    return not_found(f"file {id}")
