"""The HTTP calls of the official tools: the list of formulas, the declarations of one, and a run of a function.

`tools.formulas` makes tools for `run_tools` of them. A run is a POST without an idempotency key, and it is billed when
it is made, so what may have happened is never sent again. Source: platform docs, official tools guide.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import openai
import tenacity

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import Json, as_dict, as_list, is_array, is_object
from kimi_openai._internal.warn import warn
from kimi_openai.errors.exceptions import KimiCompatWarning, UnexpectedAnswerError
from kimi_openai.models.formulas import FORMULAS, formula_facts
from kimi_openai.retry.policies import async_retrying, retry_if_mendable, retrying
from kimi_openai.usage.normalize import notify_of_call

from .any_client import guarded

__all__ = ["FiberOutput", "FormulaFunction", "Reference", "formula_functions", "run_fiber", "usable_formulas"]

NO_OUTPUT = "(the tool ran and returned no output)"

NOT_SENT = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout", "ConnectionRefusedError", "gaierror"})
"""Names of the exceptions after which the service cannot have seen the request: no connection was made."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A source that an official tool names: its address, and its title if it has one. Its `str` is the address."""

    url: str
    title: str | None = None

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class FormulaFunction:
    """A function of a formula: `definition` is offered to the model, `runs_as` is its name at the service."""

    uri: str
    definition: Json
    runs_as: str


@dataclass(frozen=True, slots=True)
class FiberOutput:
    """What a run returned: the text for the model, unchanged, and the sources that it names."""

    text: str
    references: tuple[Reference, ...] = ()


def usable_formulas(client: AnyClient) -> Flow[list[str]]:
    """The formulas that the service lists and that need not be asked for by name, with their namespace.

    The list is not documented; if it is not there, those that are known.
    """
    return (yield from guarded("the list of formulas", _usable(client)))


def _usable(client: AnyClient) -> Flow[list[str]]:
    known = [name for name, facts in FORMULAS.items() if not facts.by_name_only]
    try:
        answer: Any = yield client.get("/formulas", cast_to=object)
    except openai.NotFoundError:
        return known
    listed = {
        f"{each.get('namespace')}/{each.get('name')}" for each in map(as_dict, as_list(as_dict(answer).get("data")))
    }
    return [name for name in known if name in listed]


def formula_functions(client: AnyClient, uri: str) -> Flow[list[FormulaFunction]]:
    """The functions of a formula, as the service declares them. An entry of an unknown form is left out, with a
    warning."""
    return (yield from guarded("the tools of a formula", _functions(client, uri)))


def _functions(client: AnyClient, uri: str) -> Flow[list[FormulaFunction]]:
    answer: Any = yield client.get(f"/formulas/{uri}/tools", cast_to=object)
    entries = as_dict(answer).get("tools")
    if not is_array(entries):
        raise UnexpectedAnswerError("the tools of a formula", answer)
    found: list[FormulaFunction] = []
    for entry in entries:
        functions = [*_functions_of(uri, as_dict(entry))]
        if not functions:
            warn(f"{uri} has a tool of an unknown form, which is left out: {str(entry)[:200]}", KimiCompatWarning)
        found += functions
    names = [each.definition["function"]["name"] for each in found]
    if len(set(names)) < len(names):
        raise UnexpectedAnswerError("tools of different names", answer)
    return found


def _functions_of(uri: str, entry: Json) -> Iterator[FormulaFunction]:
    """The functions of an entry. Those of a plugin are offered as `plugin_name` and run as `plugin.name`."""
    function, plugin = as_dict(entry.get("function")), as_dict(entry.get("_plugin"))
    if isinstance(function.get("name"), str) and function["name"]:
        yield FormulaFunction(uri, {"type": "function", "function": dict(function)}, function["name"])
    for each in map(as_dict, as_list(plugin.get("functions"))):
        group, name = plugin.get("name"), each.get("name")
        if isinstance(name, str) and name and isinstance(group, str) and group:
            about = each.get("description") or plugin.get("description")
            named = {**each, "name": f"{group}_{name}", **({"description": about} if about else {})}
            yield FormulaFunction(uri, {"type": "function", "function": named}, f"{group}.{name}")


def run_fiber(client: AnyClient, function: FormulaFunction, arguments: str, timeout: float | None) -> Flow[FiberOutput]:
    """Runs a function with the text of its arguments. The ledger of the client counts the run.

    Raises the SDK's errors, and `UnexpectedAnswerError` for an answer that is no run. A run that failed is an output
    that says so.
    """
    return (yield from guarded("the run of a tool", _run(client, function, arguments, timeout)))


def _run(client: AnyClient, function: FormulaFunction, arguments: str, timeout: float | None) -> Flow[FiberOutput]:
    body = {"name": function.runs_as, "arguments": arguments}
    options: Any = {"max_retries": 0, "timeout": timeout}
    post = partial(client.post, f"/formulas/{function.uri}/fibers", body=body, cast_to=object, options=options)
    try:
        answer: Any = yield _repeated(client, function.uri)(post)
        if "status" not in as_dict(answer):
            raise UnexpectedAnswerError("the run of a tool", answer)
    except BaseException as error:
        answer = _run_in(error)
        if answer is None:
            if not (_cannot_have_run(error) or (isinstance(error, openai.APIStatusError) and error.status_code < 500)):
                notify_of_call(client, function.uri, is_answered=False)
            raise
    notify_of_call(client, function.uri, is_answered=True)
    return _output_of(answer)


def _run_in(error: BaseException) -> Json | None:
    """The run in an answer whose status says that it failed: which HTTP status such a run has is not documented."""
    if not isinstance(error, openai.APIStatusError):
        return None
    try:
        body: object = error.response.json()
    except (ValueError, RecursionError):
        return None
    is_run = is_object(body) and "status" in body and (body.get("object") == "fiber" or "context" in body)
    return as_dict(body) if is_run else None


def _output_of(answer: Json) -> FiberOutput:
    context = as_dict(answer.get("context"))
    if answer["status"] != "succeeded":
        reason = next(filter(None, (answer.get("error"), context.get("error"), context.get("output"))), "Unknown error")
        return FiberOutput(f"Error: the tool failed: {_text(reason)}")
    output = next((each for each in (context.get("output"), context.get("encrypted_output")) if each is not None), None)
    if output == "" and context.get("encrypted_output"):
        output = context["encrypted_output"]
    return FiberOutput(NO_OUTPUT if output is None else _text(output), tuple(_references(context)))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _references(context: Json) -> Iterator[Reference]:
    """The sources of a run: texts, or objects with `url`. Other forms are left out."""
    for each in as_list(context.get("references")):
        url = each.get("url") if is_object(each) else each
        title = each.get("title") if is_object(each) else None
        if isinstance(url, str) and url:
            yield Reference(url, title if isinstance(title, str) and title else None)


def _repeated(client: AnyClient, uri: str) -> Any:
    """A loop of tenacity's that calls a function, again only if the run cannot have happened before."""
    is_repeatable = not formula_facts(uri).by_name_only
    attempts = client.max_retries + 1 if is_repeatable else 1
    own = getattr(client, "kimi_options", None)
    make_loop = async_retrying if isinstance(client, openai.AsyncOpenAI) else retrying
    patience, on_retry = getattr(own, "patience", None), getattr(own, "on_retry", None)
    loop = make_loop(attempts=attempts, patience=patience, on_retry=on_retry)
    return loop.copy(retry=tenacity.retry_all(retry_if_mendable, tenacity.retry_if_exception(_cannot_have_run)))


def _cannot_have_run(error: BaseException) -> bool:
    """Whether the service says, or the connection shows, that nothing ran and nothing was billed: no connection, a 429,
    or a 5xx with an error of the service's own in it. The page of a gateway, and a 504, leave that open."""
    if _run_in(error) is not None:
        return False
    if isinstance(error, openai.APIStatusError):
        is_refused = error.status_code >= 500 and error.status_code != 504 and is_object(error.body)
        return error.status_code == 429 or is_refused
    return _was_not_sent(error)


def _was_not_sent(error: BaseException) -> bool:
    cause = error.__cause__ if isinstance(error, openai.APIConnectionError) else None
    return not NOT_SENT.isdisjoint(base.__name__ for base in type(cause).__mro__)
