"""Which uploads Kimi refuses. Limits and texts: platform docs, files pages."""

from __future__ import annotations

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.errors import Problem

__all__ = ["upload_problem"]

PURPOSES = ("file-extract", "batch", "batch_output", "lambda", "image", "video")


def upload_problem(data: bytes, purpose: str, *, files: int, total_bytes: int, limits: Behaviour) -> Problem | None:
    """Why a file is refused, or None. The account already has so many `files` with `total_bytes` together."""
    if purpose not in PURPOSES:
        names = "`file-extract`, `batch`, `batch_output`, `lambda`, `image` and `video`"
        return Problem(f"Invalid purpose: {purpose}, only {names} accepted")
    if not data:
        return Problem("File size is zero, please confirm and re-upload the file")
    if len(data) > limits.max_file_bytes:
        size = limits.max_file_bytes // 1024**2
        return Problem(f"File size is too large, max file size is {size}MB, please confirm and re-upload the file")
    if files >= limits.max_files or total_bytes + len(data) > limits.max_total_bytes:
        text = f"The number of files you have uploaded exceeded the max file count {limits.max_files}"
        return Problem(f"{text}, please delete previous uploaded files")
    return None
