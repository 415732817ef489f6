"""The fault table: each error answer has its fault, and each row can be reached and names its source."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from kimi_openai.errors import faults
from kimi_openai.errors.fault_table import TABLE, row_of
from kimi_openai.errors.faults import Fault, Kind, Refusal

ACCOUNT = "Your account org-1<ak-2>"
QUOTA, LIMIT, DENIED = "exceeded_current_quota_error", "rate_limit_reached_error", "permission_denied_error"
BAD, MISSING = "invalid_request_error", "resource_not_found_error"

# What came (status, type, message), the kind of its fault, and whether it is retried
ANSWERS: dict[str, tuple[int | None, str | None, str, str, bool]] = {
    "empty account": (429, QUOTA, f"{ACCOUNT} is suspended", "account_empty", False),
    "empty account, 403": (403, QUOTA, "", "account_empty", False),
    "empty account by its text": (429, None, "insufficient balance, please recharge", "account_empty", False),
    "token quota": (403, None, "You exceeded your current token quota: <org-1> 0", "account_empty", False),
    "not active": (
        429,
        None,
        "... not active, organization <org-1> exceeded current quota, ...",
        "account_empty",
        False,
    ),
    "project budget": (403, DENIED, "The project has reached its monthly budget", "account_empty", False),
    "TPD": (429, LIMIT, f"{ACCOUNT} ... organization TPD rate limit, current:2", "daily_limit", False),
    "TPM": (429, LIMIT, "request reached TPM rate limit, current:2, limit:1", "token_limit", True),
    "project TPM": (429, LIMIT, f"{ACCOUNT} request reached project TPM rate limit, current: 2", "token_limit", True),
    "RPM": (429, LIMIT, f"{ACCOUNT} request reached organization max RPM: 3", "rate_limit", True),
    "429 without a type": (429, None, "", "rate_limit", True),
    "overload": (429, "engine_overloaded_error", "The engine is currently overloaded", "overloaded", True),
    "overload by its text": (500, "server_error", "The engine is currently overloaded", "overloaded", True),
    "529": (529, None, "", "overloaded", True),
    "content": (400, "content_filter", "considered high risk", "content_filter", False),
    "content by its text": (400, BAD, "... rejected because it was considered high risk", "content_filter", False),
    "context": (400, BAD, "Your request exceeded model token limit : 9", "context_overflow", False),
    "input length": (400, BAD, "Input token length too long", "context_overflow", False),
    "pinned": (400, BAD, "invalid temperature: only 1 is allowed", "bad_request", False),
    "context and budget": (
        400,
        BAD,
        "prompt tokens + max_tokens exceeds the model specification",
        "context_overflow",
        False,
    ),
    "too large": (413, None, "", "too_large", False),
    "method": (405, None, "", "bad_request", False),
    "wrong key": (401, "invalid_authentication_error", "Invalid Authentication", "wrong_key", False),
    "no key": (401, "incorrect_api_key_error", "Incorrect API key provided", "wrong_key", False),
    "401 without a type": (401, None, "", "wrong_key", False),
    "address": (403, DENIED, "Your IP is not allowed to access this organization", "permission_denied", False),
    "403 without a type": (403, None, "", "permission_denied", False),
    "closed": (403, DENIED, "The API you are accessing is not open", "not_offered", False),
    "model": (404, MISSING, "Not found the model x or Permission denied", "model_not_found", False),
    "model of a response": (400, BAD, "Not found the model x or Permission denied", "model_not_found", False),
    "object": (404, MISSING, "Not found the file or Permission denied", "not_found", False),
    "404 without a type": (404, None, "", "not_found", False),
    "URL": (404, "url.not_found", "没找到对象", "url_not_found", False),
    "503": (503, "server_unavailable", "", "server_error", True),
    "500": (500, "unexpected_output", "invalid state transition", "server_error", True),
    "502": (502, None, "", "server_error", True),
    "504": (504, None, "", "gateway_timeout", True),
    "409": (409, None, "", "server_error", True),
    "redirect": (307, None, "", "redirected", False),
    "in a stream": (None, "engine_overloaded_error", "", "overloaded", True),
    "by its text in a stream": (None, None, "TPD", "daily_limit", False),
    "in a 200": (200, QUOTA, "", "account_empty", False),
    "teapot": (418, None, "", "unknown", False),
    "unknown in a stream": (None, "new_error", "?", "unknown", False),
}


@pytest.mark.parametrize(("status", "type", "message", "kind", "retry"), ANSWERS.values(), ids=ANSWERS)
def test_each_error_answer_has_its_fault(status: Any, type: Any, message: str, kind: str, retry: bool) -> None:
    """Each documented or reported error is found by its status, type or text."""
    fault = row_of(Refusal(status, type, message)).fault
    assert (fault.kind, fault.retry) == (kind, retry)


def test_every_row_can_be_reached() -> None:
    """No row comes after another that takes all of its cases."""
    assert set(TABLE) <= {row_of(Refusal(*answer[:3])) for answer in ANSWERS.values()}


def test_every_row_names_its_source_and_date() -> None:
    """And its date, without which nobody can tell whether it is outdated."""
    assert [row for row in TABLE if not re.search(r"\w.* \d{4}-\d\d", row.source)] == []


def test_every_kind_is_one_fault() -> None:
    """Code that looks at `kind` can rely on it: one kind has one meaning, one advice and one wait."""
    found = [value.kind for value in vars(faults).values() if isinstance(value, Fault)]
    assert sorted(found) == sorted(kind for group in get_args(Kind) for kind in get_args(group) or (group,))


def test_a_path_that_only_openai_has_is_not_offered() -> None:
    """A 404 is about the resource only if Kimi does not have it."""
    fault = row_of(Refusal(404, "url.not_found", path="/v1/embeddings")).fault
    assert (fault.kind, fault.meaning) == ("not_offered", "embeddings: Kimi does not have this part of OpenAI's API")
    assert row_of(Refusal(404, "url.not_found", path="/v1/chat/nowhere")).fault.kind == "url_not_found"
