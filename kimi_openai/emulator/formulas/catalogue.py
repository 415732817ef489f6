"""The declarations of the official tools, by the name of their formula in the namespace `moonshot`.

Formulas and function names are those of a live report of 2026-07-09; `web_search` has the parameters of a declaration
of 2026-08, and `fetch` its parameter names. All other descriptions and parameters are the emulator's own, so a client
must read them from the service.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from kimi_openai.emulator.json_values import Json

__all__ = ["FORMULAS", "FUNCTIONS", "NAMESPACE", "PRICES"]

NAMESPACE = "moonshot"

PRICES: Mapping[str, Decimal] = {"web-search": Decimal("0.005")}
"""USD a call (docs); the other formulas are free for now."""

CLASSES = ("all", "academic", "social", "library", "finance", "code", "ecommerce", "medical")


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


def _function(name: str, description: str, required: int = 0, /, **properties: Json) -> Json:
    """A function whose first `required` properties are required."""
    parameters: Json = {"type": "object", "properties": properties, "required": [*properties][:required]}
    return {"name": name, "description": description, "parameters": parameters}


def _entry(*functions: Json) -> list[Json]:
    return [{"type": "function", "function": function} for function in functions]


SEARCH_CLASSES: Json = {
    "type": "array",
    "description": "要关注的搜索领域。如果未指定，则默认为 'all'。",
    "items": {"type": "string", "enum": list(CLASSES)},
}

EXCEL: Json = {
    "name": "excel",
    "description": "Reads Excel files",
    "functions": [
        _function("read_file", "Reads a sheet", 1, file=_text("id of the file"), sheet=_text("name of the sheet")),
        {"name": "list_sheets"},
    ],
}

FORMULAS: Mapping[str, list[Json]] = {
    "convert": _entry(
        _function(
            "convert", "Converts units", 3, value={"type": "number"}, from_unit=_text("unit"), to_unit=_text("unit")
        )
    ),
    "web-search": _entry(
        _function("web_search", "用于信息检索的网络搜索", 1, query=_text("要搜索的内容"), classes=SEARCH_CLASSES)
    ),
    "rethink": _entry(_function("rethink", "Keeps a thought", 1, thought=_text("the thought"))),
    "random-choice": _entry(
        _function("random_choice", "Chooses one", 1, candidates={"type": "array", "items": {"type": "string"}})
    ),
    "mew": _entry(_function("mew_generator", "Says what a cat says")),
    "memory": _entry(
        _function(
            "memory",
            "Keeps texts on the server",
            1,
            action={"type": "string", "enum": ["set", "get", "list"]},
            key=_text("name of the text"),
            value=_text("the text"),
        )
    ),
    "excel": [{"_plugin": EXCEL}],
    "date": _entry(_function("date", "The date and the time")),
    "base64": _entry(
        _function("base64_encode", "Encodes a text", 1, text=_text("plain")),
        _function("base64_decode", "Decodes a text", 1, text=_text("encoded")),
    ),
    "fetch": _entry(
        _function(
            "fetch",
            "Fetches a page",
            1,
            url=_text("address"),
            max_length={"type": "integer"},
            raw={"type": "boolean"},
        )
    ),
    "quickjs": _entry(_function("quickjs", "Runs JavaScript; only console.log shows", 1, code=_text("JavaScript"))),
    "code-runner": _entry(_function("code_runner", "Runs Python; only print shows", 1, code=_text("Python"))),
}
"""The entries of `tools` by formula. The excel one is a plugin, the shape that is not a function."""

FUNCTIONS: Mapping[str, frozenset[str]] = {
    name: frozenset(entry["function"]["name"] for entry in entries if "function" in entry)
    for name, entries in FORMULAS.items()
} | {"excel": frozenset(f"excel{mark}{each['name']}" for mark in "._" for each in EXCEL["functions"])}
"""The names under which the functions of each formula are run. Those of excel are `excel.read_file` (measured) and,
where it is declared as functions, `excel_read_file`."""
