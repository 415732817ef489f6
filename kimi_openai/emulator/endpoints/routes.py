"""Which function answers which method and path."""

from __future__ import annotations

from collections.abc import Callable

from kimi_openai.emulator.errors import CLOSED_API
from kimi_openai.emulator.frames import Response
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState

from .balance import balance
from .batches import cancel_batch, create_batch, list_batches, retrieve_batch
from .chat import chat
from .files import delete_file, file_content, list_files, retrieve_file, upload_file
from .formulas import formula_tools, formulas, run_fiber
from .model_list import model_list
from .responses import responses
from .signatures import verify_signature
from .token_estimate import token_estimate

__all__ = ["CHAT", "GENERATING", "RESPONSES", "ROUTES"]

CHAT = "/v1/chat/completions"

RESPONSES = "/v1/responses"

GENERATING = (CHAT, RESPONSES)
"""The paths whose requests count against the limits."""


def _closed(_state: ServiceState, _request: Request) -> Response:
    """An endpoint that exists and is not open, as one user saw."""
    return CLOSED_API.response()


ROUTES: tuple[tuple[str, str, Callable[..., Response]], ...] = (
    ("POST", CHAT, chat),
    ("POST", RESPONSES, responses),
    ("GET", "/v1/models", model_list),
    ("POST", "/v1/tokenizers/estimate-token-count", token_estimate),
    ("GET", "/v1/users/me/balance", balance),
    ("POST", "/v1/files", upload_file),
    ("GET", "/v1/files", list_files),
    ("GET", "/v1/files/([^/]+)", retrieve_file),
    ("DELETE", "/v1/files/([^/]+)", delete_file),
    ("GET", "/v1/files/([^/]+)/content", file_content),
    ("POST", "/v1/batches", create_batch),
    ("GET", "/v1/batches", list_batches),
    ("GET", "/v1/batches/([^/]+)", retrieve_batch),
    ("POST", "/v1/batches/([^/]+)/cancel", cancel_batch),
    ("GET", "/v1/formulas", formulas),
    ("GET", "/v1/formulas/(.+)/tools", formula_tools),
    ("POST", "/v1/formulas/(.+)/fibers", run_fiber),
    ("POST", "/v1/signatures/verify", verify_signature),
    ("POST", "/v1/embeddings", _closed),
)
"""Method, pattern of the path, and function. The groups of the pattern are further arguments of the function."""
