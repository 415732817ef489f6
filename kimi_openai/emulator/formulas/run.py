"""What the official tools return: deterministic, without network, and without running the code that they are given."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from typing import Any

from kimi_openai.emulator.json_values import Json, encode

__all__ = ["REFERENCE", "FormulaError", "run_formula"]

FACTORS: Mapping[str, float] = {"m": 1, "km": 1000, "mile": 1609.344, "g": 1, "kg": 1000, "lb": 453.59237}
REFERENCE = "https://example.com/emulated-result"


class FormulaError(Exception):
    """A run that failed; its text is what the fiber says."""


def run_formula(name: str, arguments: Json, *, now: float, memory: dict[str, str]) -> str:
    """The output of a function. Raises FormulaError for a missing or wrong argument, KeyError for an unknown name."""
    functions: Mapping[str, Callable[[], str]] = {
        "web_search": lambda: _found(_text(arguments, "query")),
        "fetch": lambda: f"This is the emulated page {_text(arguments, 'url')}"[: arguments.get("max_length")],
        "code_runner": lambda: _printed(_text(arguments, "code"), r"print\((.*?)\)"),
        "quickjs": lambda: _printed(_text(arguments, "code"), r"console\.log\((.*?)\)"),
        "convert": lambda: _converted(arguments),
        "date": lambda: datetime.fromtimestamp(now, timezone.utc).isoformat(),
        "base64_encode": lambda: base64.b64encode(_text(arguments, "text").encode()).decode(),
        "base64_decode": lambda: _decoded(_text(arguments, "text")),
        "memory": lambda: _memory(arguments, memory),
        "rethink": lambda: _text(arguments, "thought"),
        "random_choice": lambda: str((arguments.get("candidates") or [""])[0]),
        "mew_generator": lambda: "mew",
        "excel.read_file": lambda: f"a,b\n1,2\n# emulated sheet of {_text(arguments, 'file')}",
        "excel.list_sheets": lambda: encode(["Sheet1"]),
    }
    return functions[name.replace("excel_", "excel.")]()


def _found(query: str) -> str:
    return encode([{"title": "Emulated result", "url": REFERENCE, "text": f"All about {query}"}])


def _text(arguments: Json, name: str) -> str:
    value: Any = arguments.get(name)
    if not isinstance(value, str):
        raise FormulaError(f"missing argument: {name}")
    return value


def _printed(code: str, pattern: str) -> str:
    """The texts that the code prints as they stand there; nothing is run. Code that prints nothing has no output."""
    return "\n".join(found.strip("'\"") for found in re.findall(pattern, code))


def _converted(arguments: Json) -> str:
    value, units = arguments.get("value"), (arguments.get("from_unit"), arguments.get("to_unit"))
    if not isinstance(value, int | float) or not all(unit in FACTORS for unit in units):
        raise FormulaError(f"cannot convert {value} from {units[0]} to {units[1]}")
    return f"{value * FACTORS[str(units[0])] / FACTORS[str(units[1])]:g}"


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError as problem:
        raise FormulaError("not base64") from problem


def _memory(arguments: Json, memory: dict[str, str]) -> str:
    match arguments.get("action"):
        case "set":
            memory[_text(arguments, "key")] = _text(arguments, "value")
            return "ok"
        case "get":
            return memory.get(_text(arguments, "key"), "")
        case "list":
            return encode([*memory])
        case action:
            raise FormulaError(f"unknown action: {action}")
