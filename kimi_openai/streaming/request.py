"""What `stream` and `complete` send: the body and options of a request, and the retry budget that the client allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kimi_openai._internal.flow import AnyClient
from kimi_openai._internal.json_values import ABSENT, Json, as_dict, is_object
from kimi_openai.compat.adapt import report
from kimi_openai.compat.messages import frozen_messages
from kimi_openai.compat.pipeline import shape
from kimi_openai.compat.valid_json import valid_json
from kimi_openai.messages.builders import MessageLike
from kimi_openai.messages.plain import frozen
from kimi_openai.retry.budget import ATTEMPTS, RetryBudget

__all__ = ["budget_of", "frozen_params", "request_of"]

OPTIONS = {"extra_headers": "headers", "extra_query": "params", "timeout": "timeout"}


def request_of(
    client: AnyClient, model: str, messages: Iterable[MessageLike], params: Mapping[str, Any]
) -> tuple[Json, Json]:
    """The body to send, and the other arguments of `client.post`: copies of what was passed.

    Raises `CompatError` if `messages` has something else in it, `ValueError` for an `n` that would bring several
    answers, and `TypeError` for a class as `response_format`, as `create` does.
    """
    given = frozen_params(params)
    _refuse_class(given.get("response_format"))
    options = {OPTIONS[name]: given.pop(name) for name in OPTIONS if name in given}
    extra: Json = given.pop("extra_body", None) or {}
    usage: Json = {**(given.get("stream_options") or {}), "include_usage": True}
    body: dict[str, Any] = {"model": model, "messages": messages, **given, **extra}
    body["messages"] = frozen_messages(body["messages"])
    _refuse_several_answers(client, body)
    return {**_repaired(client, body), "stream": True, "stream_options": usage}, {
        "path": "/chat/completions",
        "cast_to": object,
        "stream": True,
        "options": {**options, "max_retries": 0},
    }


def frozen_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of the parameters, without those that are not given."""
    return {
        name: _frozen_option(value) if name in OPTIONS else frozen(value)
        for name, value in params.items()
        if not (isinstance(value, ABSENT) or (value is None and name in ("extra_headers", "extra_query")))
    }


def _frozen_option(value: Any) -> Any:
    return dict(value) if is_object(value) else value  # the items stay: a marker as a header's value removes the header


def _repaired(client: AnyClient, body: Json) -> Json:
    """The body in valid JSON for a client of the SDK's. Our clients do that, and say so, when they send it."""
    if hasattr(client, "kimi_options"):
        return body
    valid, notes = valid_json(body)
    report(notes)
    return as_dict(valid)


def _refuse_class(response_format: object) -> None:
    if isinstance(response_format, type):
        from kimi_openai.client.completions import check_response_format  # takes 15 to 90 ms

        check_response_format(response_format)


def _refuse_several_answers(client: AnyClient, body: Json) -> None:
    """Raises `ValueError` for an `n` other than 1, unless the client leaves it out."""
    if body.get("n") in (None, 1):
        return
    options: Any = getattr(client, "kimi_options", None)
    sent = {"model": body["model"], "n": body["n"]}
    if options is not None and options.compat != "off":
        sent = shape(sent, aliases=options.model_aliases).body
    if "n" in sent:
        raise ValueError("n must be 1: Kimi gives one answer for each request, and only one can be joined")


def budget_of(client: AnyClient) -> RetryBudget:
    """The retry budget of a client: its `patience` and `on_retry`, and no retry at all with `max_retries=0`."""
    own: Any = getattr(client, "kimi_options", None)
    attempts = max(ATTEMPTS, client.max_retries + 1) if client.max_retries else 1
    return RetryBudget(attempts, getattr(own, "patience", None), getattr(own, "on_retry", None))
