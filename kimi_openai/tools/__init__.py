"""The tool loop: `run_tools` runs the functions that Kimi calls and sends their results back.

`runner` reads the arguments, `loop` is the loop, `turn` decides about the calls of one turn and `executor` runs them.
`function_schema` and `docstrings` make a tool of a function, `arguments`, `json_schema` and `value_rules` read and
check what it is called with, `results` makes a text of what it returns or raises. `formulas` makes tools of the
platform's official ones; `declared` and `search` are about tools that come into a conversation on the way.
"""

from kimi_openai.endpoints.formulas import Reference

from .declared import tool_message
from .formulas import formula_tools
from .function_schema import Tool, ToolLike
from .loop import ToolRun, TooManyTurnsError
from .runner import run_tools
from .turn import Approve, ToolCall

__all__ = [
    "Approve",
    "Reference",
    "TooManyTurnsError",
    "Tool",
    "ToolCall",
    "ToolLike",
    "ToolRun",
    "formula_tools",
    "run_tools",
    "tool_message",
]
