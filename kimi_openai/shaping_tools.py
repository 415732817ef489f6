"""The rules for tools and answer formats: legacy functions, schemas in Kimi's dialect, names and types that it takes.

Pure. Schemas become MFJS in `schemas`; how often the same one comes by is what the cache here is for.
"""

from __future__ import annotations

import marshal
from collections.abc import Mapping
from functools import lru_cache
from operator import is_
from typing import Any, cast

from .changes import GONE, Body, Changes, Row, Rule, as_dict, as_list, fatal, is_array, is_dict, is_object
from .errors import Note
from .models import ModelFacts
from .schemas import bad_tool_name, to_mfjs

__all__ = ["FORMAT_RULES", "TOOL_RULES", "brings_tools", "mfjs", "shaped_tools"]

NO_PARAMETERS: Body = {"type": "object", "properties": {}}


def functions(body: Body, _: ModelFacts) -> Changes | None:
    """`functions` and `function_call` are the old names of `tools` and `tool_choice`."""
    fields: dict[str, Any] = {}
    notes: list[Note] = []
    why = "Kimi does not support it (the docs say: use tools)"
    if body.get("functions") is not None:
        old = [{"type": "function", "function": function} for function in as_list(body["functions"])]
        fields |= {"functions": GONE, "tools": [*as_list(body.get("tools")), *old] or GONE}
        fix = "write tools, and read message.tool_calls"
        notes.append(Note("functions", "functions", "sent as tools", why, fix))
    if body.get("function_call") is not None:
        call = body["function_call"]
        choice = {"type": "function", "function": {"name": call["name"]}} if "name" in as_dict(call) else call
        fields |= {"function_call": GONE, "tool_choice": body.get("tool_choice") or choice}
        notes.append(Note("function_call", "function_call", "sent as tool_choice", why, "write tool_choice"))
    return Changes(fields, tuple(notes)) if notes else None


def tools(body: Body, _: ModelFacts) -> Changes | None:
    """Each tool as Kimi takes it."""
    offered = body.get("tools")
    if not is_array(offered):
        return None
    shaped, notes = shaped_tools(offered, "tools")
    return None if shaped is offered and not notes else Changes({"tools": shaped}, tuple(notes))


def brought(body: Body, known: ModelFacts) -> Changes | None:
    """Tools that system messages bring, on a model that takes them beside the messages only, where they go then."""
    if known.dynamic_tools is not False:
        return None
    found = [tool for message in as_list(body.get("messages")) if brings_tools(message) for tool in message["tools"]]
    if not found:
        return None
    why = "the model takes none in messages: 400 'tokenization failed'"
    note = Note("dynamic_tools", "messages", "their tools are offered in tools", why, "write them into tools")
    return Changes({"tools": [*as_list(body.get("tools")), *found]}, (note,))


def brings_tools(message: Any) -> bool:
    """Whether it is a system message that makes tools known from there on."""
    return (
        is_dict(message)
        and "tools" in message
        and message.get("role") in ("system", "developer")
        and is_array(message["tools"])
    )


def shaped_tools(offered: list[Any], where: str) -> tuple[list[Any], list[Note]]:
    """The tools as Kimi takes them, the same list if they are so already, and notes."""
    notes: list[Note] = []
    shaped: list[Any] = []
    known: dict[str, Any] = {}
    for number, tool in enumerate(offered):
        clean = _tool(tool, f"{where}.{number}", notes)
        name = as_dict(as_dict(clean).get("function")).get("name")
        if isinstance(name, str) and name in known:
            notes.append(_repeated(name, f"{where}.{number}", clean == known[name]))
            if clean == known[name]:
                continue
        elif isinstance(name, str):
            known[name] = clean
        shaped.append(clean)
    same = len(shaped) == len(offered) and all(map(is_, shaped, offered))
    return (offered if same else shaped), notes


def _repeated(name: str, where: str, same: bool) -> Note:
    why = f"Kimi answers 400 'function name {name[:80]} is duplicated'"
    if same:
        return Note("tool_name", where, "left out", why, "offer it once")
    return fatal("tool_name", where, f"{why}, and the two differ", "rename one of them, or leave it out")


def _tool(tool: Any, where: str, notes: list[Note]) -> Any:
    kind, function = as_dict(tool).get("type"), as_dict(tool).get("function")
    if kind == "builtin_function":
        return tool
    if isinstance(kind, str) and kind != "function":
        fix = "describe it as a function with one string argument"
        why = f"Kimi knows tools of type 'function' and 'builtin_function', not {kind[:40]!r}"
        notes.append(fatal("tool_type", where, why, fix))
    if kind != "function" or not is_object(function):
        return tool
    name = function.get("name")
    if isinstance(name, str) and name.startswith("$"):
        why = "names that begin with $ are the platform's own tools"
        notes.append(Note("tool_type", where, "sent as builtin_function", why, "write type 'builtin_function'"))
        return {"type": "builtin_function", "function": {"name": name}}
    problem = bad_tool_name(name) if isinstance(name, str) else None
    if problem:
        notes.append(fatal("tool_name", f"{where}.function.name", f"{problem} ({str(name)[:80]!r})", "rename the tool"))
    shaped = _function(function, f"{where}.function", notes)
    return tool if shaped is function else {**tool, "function": shaped}


def _function(function: Body, where: str, notes: list[Note]) -> Body:
    kept = {key: value for key, value in function.items() if value is not None}
    parameters = kept.get("parameters")
    if not parameters:
        kept["parameters"] = NO_PARAMETERS
    elif is_object(parameters):
        kept["parameters"] = mfjs(parameters, f"{where}.parameters", notes)
    same = len(kept) == len(function) and kept["parameters"] is function.get("parameters")
    return function if same else kept


def mfjs(schema: Mapping[str, Any], where: str, notes: list[Note]) -> Mapping[str, Any]:
    """The schema in Kimi's dialect, the same object if it is in it already; what got lost is noted."""
    try:
        packed, losses, refusal = _cached(marshal.dumps(cast(dict[str, Any], schema), 2))
        better = None if packed is None else marshal.loads(packed)
    except ValueError:  # not plain JSON, so it has no key
        better, losses, refusal = _normalized(schema)
    fix = "say it in the description, or check it in the code"
    notes += (Note("schema", where, problem, "Kimi's schema dialect (MFJS) cannot say it", fix) for problem in losses)
    if refusal:
        notes.append(fatal("schema", where, refusal, "change the schema"))
    return schema if better is None else better


Found = tuple[Any, tuple[str, ...], str]
"""A better schema (`None` if there is none), what it lost, why it cannot be had."""


def _normalized(schema: Mapping[str, Any]) -> Found:
    try:
        result = to_mfjs(schema)
    except ValueError as refusal:
        return None, (), str(refusal)
    return (None if result.schema == schema else result.schema), result.notes, ""


@lru_cache(maxsize=256)
def _cached(packed: bytes) -> Found:
    """`_normalized` by content: packing a schema takes 1 µs, normalising it 100."""
    better, losses, refusal = _normalized(marshal.loads(packed))
    return (None if better is None else marshal.dumps(better, 2)), losses, refusal


def response_format(body: Body, _: ModelFacts) -> Changes | None:
    """A schema for the answer in Kimi's dialect; JSON mode and partial mode are not to be combined."""
    asked = body.get("response_format")
    if not is_object(asked):
        return None
    last = as_dict((as_list(body.get("messages")) or [None])[-1])
    if asked.get("type") == "json_object" and last.get("partial"):
        why = "the docs warn of unexpected output when JSON mode continues a prefix"
        note = Note(
            "response_format", "response_format", "left out", why, "let the prefix begin the JSON, or drop partial"
        )
        return Changes({"response_format": GONE}, (note,))
    described = asked.get("json_schema")
    if not is_object(described) or not is_object(described.get("schema")):
        return None
    notes: list[Note] = []
    schema = mfjs(described["schema"], "response_format.json_schema.schema", notes)
    kept = {key: value for key, value in described.items() if value is not None}
    if schema is described["schema"] and len(kept) == len(described):
        return Changes({}, tuple(notes)) if notes else None
    return Changes({"response_format": {**asked, "json_schema": {**kept, "schema": schema}}}, tuple(notes))


TOOL_RULES = (
    Rule(
        functions,
        (
            Row(
                "`functions=[...]`, `function_call=...`",
                "not supported",
                "sent as `tools`, `tool_choice`; answered as `function_call`",
            ),
        ),
        every_model=True,
    ),
    Rule(
        brought,
        (
            Row(
                "`tools` in a system message",
                "K3 loads them from there on; K2: 400 `tokenization failed`",
                "K3: sent; K2: offered in `tools`",
            ),
        ),
    ),
    Rule(
        tools,
        (
            Row(
                "a tool schema with `$ref`, `type` beside `anyOf`, `oneOf`, `format`, ... (pydantic's)",
                "400 `tools.function.parameters is not a valid moonshot flavored json schema, details: <...>`",
                "rewritten in that dialect; only what it cannot say is noted",
            ),
            Row("a tool named `fs.read`, `2nd`", "refuses it", "`CompatError`"),
            Row(
                "the same tool twice",
                "400 `function name get_weather is duplicated`",
                "sent once; `CompatError` if the two differ",
            ),
            Row('a tool of type `"custom"`', "400", "`CompatError`"),
            Row('a function named `"$web_search"`', "its own tools are of another type", "sent as `builtin_function`"),
        ),
        every_model=True,
    ),
)

FORMAT_RULES = (
    Rule(
        response_format,
        (
            Row("`response_format` with a schema", "strict schemas are MFJS as well", "rewritten in that dialect"),
            Row("JSON mode with `partial`", "unexpected output", "`response_format` is left out"),
        ),
        every_model=True,
    ),
)
