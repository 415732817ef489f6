"""`/v1/formulas`: the list of official tools, their declarations, and one run ("fiber") of a function.

Source: platform docs, guide--official-tools, and a live report of 2026-07-09. How a failed run looks is not documented.
"""

from __future__ import annotations

import json
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.emulator.errors import Problem, invalid_request, quota_exceeded, url_not_found
from kimi_openai.emulator.formulas.catalogue import FORMULAS, FUNCTIONS, NAMESPACE, PRICES
from kimi_openai.emulator.formulas.run import REFERENCE, FormulaError, run_formula
from kimi_openai.emulator.formulas.sealed import seal
from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.json_values import Json, encode, is_object
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState

__all__ = ["formula_tools", "formulas", "run_fiber"]

NOT_FOUND = Problem("formula not found", "resource_not_found_error", 404)
"""The text is measured, the type is not."""


def formulas(state: ServiceState, request: Request) -> Response:
    """The formulas with namespace and name, or 404: one client reads this list, and no page documents it."""
    if not state.behaviour.formula_list:
        return url_not_found(request.method, request.path, request.headers.get("User-Agent", ""))
    return json_response({"data": [{"namespace": NAMESPACE, "name": name} for name in FORMULAS]})


def formula_tools(state: ServiceState, _: Request, uri: str) -> Response:
    """The declarations of one formula."""
    name = _name(uri)
    if name is None:
        return NOT_FOUND.response()
    tools = FORMULAS[name]
    if name == "excel" and not state.behaviour.formula_plugins:
        plugin = tools[0]["_plugin"]
        tools = [
            {"type": "function", "function": {**each, "name": f"excel_{each['name']}"}} for each in plugin["functions"]
        ]
    return json_response({"object": "list", "tools": tools})


def run_fiber(state: ServiceState, request: Request, uri: str) -> Response:
    """Run a function and charge its price. A failed run has another status than "succeeded"."""
    name, body = _name(uri), request.json
    if name is None:
        return NOT_FOUND.response()
    if not is_object(body) or not isinstance(body.get("name"), str):
        return invalid_request("name is required").response()
    problem = _refusal(name, body, state.behaviour)
    if problem:
        return problem.response()
    price = PRICES.get(name)
    if price and state.account.available <= 0:
        return quota_exceeded(state.behaviour.quota_status).response()
    if price:
        state.account.pay(price)
    fiber = _fiber(state, request, uri, body)
    state.fibers.append(fiber)
    failed = fiber["status"] != "succeeded"
    return json_response(fiber, state.behaviour.formula_failure_http if failed else 200)


def _refusal(formula: str, body: Json, behaviour: Behaviour) -> Problem | None:
    """The error for a run that the service does not begin, if it refuses by errors; else the run fails."""
    if behaviour.formula_unknown_function != "fiber" and body["name"] not in FUNCTIONS[formula]:
        text = f"function {body['name']} not found"
        return NOT_FOUND if behaviour.formula_unknown_function == "404" else invalid_request(text)
    try:
        _arguments(body)
    except FormulaError as reason:
        return invalid_request(str(reason)) if behaviour.formula_bad_arguments == "400" else None
    return None


def _name(uri: str) -> str | None:
    """The name in `namespace/name:tag`, or None if there is no such formula. The tag is "latest" if it is absent."""
    namespace, _, rest = uri.partition("/")
    name, _, tag = rest.partition(":")
    return name if namespace == NAMESPACE and name in FORMULAS and tag in ("", "latest") else None


def _fiber(state: ServiceState, request: Request, uri: str, body: Json) -> Json:
    behaviour = state.behaviour
    context: Json = {"input": encode({"name": body["name"], "arguments": body.get("arguments")})}
    fiber: Json = {
        "id": f"fiber-{state.id('fiber', request.number, 20)}",
        "object": "fiber",
        "created_at": state.now,
        "lambda_id": f"lambda-{state.id('lambda', request.number, 20)}",
        "status": "succeeded",
        "context": context,
        "formula": uri if ":" in uri else f"{uri}:latest",
        "organization_id": "org-emulator",
        "project_id": "proj-emulator",
    }
    try:
        output = _output(state, request, body, functions=FUNCTIONS[str(_name(uri))])
    except Exception as reason:  # `fiber_reply` of the user may raise anything
        fiber["status"] = behaviour.formula_failure_status
        (fiber if behaviour.formula_error_at == "error" else context)["error"] = str(reason)
        return fiber
    name = body["name"]
    is_sealed = name in behaviour.formula_encrypted and isinstance(output, str)
    context |= {"encrypted_output": seal(output)} if is_sealed else {"output": output}
    if name == "web_search" and behaviour.formula_references != "none":
        is_text = behaviour.formula_references == "texts"
        context["references"] = [REFERENCE if is_text else {"url": REFERENCE, "title": "Emulated result"}]
    return fiber


def _output(state: ServiceState, request: Request, body: Json, *, functions: frozenset[str]) -> Any:
    """What the user's `fiber_reply` returns, else the output of the function. Raises what `fiber_reply` raises."""
    if body["name"] not in functions:
        raise FormulaError(f"function {body['name']} not found")
    given = state.fiber_reply(request) if state.fiber_reply else None
    if given is not None:
        return given
    return run_formula(body["name"], _arguments(body), now=state.clock(), memory=state.memory)


def _arguments(body: Json) -> Json:
    """The arguments of a run. Raises FormulaError if they are not the text of a JSON object."""
    text = body.get("arguments")
    try:
        arguments: Any = json.loads(text or "{}") if isinstance(text, str | None) else None
    except ValueError as problem:
        raise FormulaError("arguments are not valid JSON") from problem
    if not is_object(arguments):
        raise FormulaError("arguments must be the text of a JSON object")
    return arguments
