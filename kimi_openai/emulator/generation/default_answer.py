"""The answer of a chat request without a script: deterministic, and made from the request alone.

It quotes the question or the tool's result, calls a tool that is required or named, and writes JSON when the request
asks for JSON.
"""

from __future__ import annotations

from kimi_openai.emulator.chat_body import messages_of, text_of, tool_choice_kind
from kimi_openai.emulator.formulas.sealed import unsealed
from kimi_openai.emulator.json_values import Json, encode, is_object

from .prompt_hints import asks_for_effort, effort_of, json_keys
from .schema_example import example
from .script import Call, Say, Step, Think, call
from .tool_selection import function_to_call

__all__ = ["default_steps"]


def default_steps(body: Json, *, speaks_beside_call: bool = False) -> list[Step]:
    """The steps that answer a request without a script.

    `speaks_beside_call`: whether a call that `tool_choice` requires has a text beside it.

    >>> default_steps({"messages": [{"role": "user", "content": "Is it raining?"}]})[-1].text
    'You asked: "Is it raining?" This is the Kimi emulator, and it can only quote you.'
    """
    question, results = _question(body), _tool_results(body)
    thought, effort = Think(_thought(body, question)), effort_of(body)
    function = None if results else function_to_call(body, question)
    if function:
        is_beside = speaks_beside_call and tool_choice_kind(body) == "required"
        return [thought, *([Say("ok")] if is_beside else []), _call(function, question)]
    json_text = _json_answer(body, question)
    if json_text is not None:
        return [thought, Say(json_text)]
    if results:
        return [thought, Say("The tool answered: " + "; ".join(results))]
    if effort and asks_for_effort(question):
        return [thought, Say(effort)]
    return [thought, Say(f'You asked: "{question}" This is the Kimi emulator, and it can only quote you.')]


THOUGHTS = ('The user asks: "{}"', "I am an emulator,", "so I quote.")
EFFORTS = {"low": 1, "high": 2, "max": 3}
"""How many of the thoughts an effort has. A live kimi-k3 reasoned with 11 tokens at low and with 134 at max, and with
other words like at low (2026-09)."""


def _thought(body: Json, question: str) -> str:
    effort = effort_of(body)
    count = EFFORTS.get(effort, 1) if effort else len(THOUGHTS)
    return " ".join(THOUGHTS[:count]).replace("{}", question, 1)


def _question(body: Json) -> str:
    users = [text_of(message.get("content")) for message in messages_of(body) if message.get("role") == "user"]
    return users[-1] if users else ""


def _call(function: Json, question: str) -> Call:
    name = str(function.get("name"))
    if name.startswith("$"):
        search = {"search_result": {"search_id": "emulated"}, "usage": {"total_tokens": 1024}, "query": question}
        return call(name, search)
    return call(name, example(function.get("parameters") or {"type": "object"}))


def _tool_results(body: Json) -> list[str]:
    found: list[str] = []
    for message in reversed(messages_of(body)):
        if message.get("role") != "tool":
            break
        found.insert(0, unsealed(text_of(message.get("content"))))
    return found


def _json_answer(body: Json, question: str) -> str | None:
    """The JSON text that `response_format` asks for, or None."""
    response_format = body.get("response_format")
    if not is_object(response_format):
        return None
    if response_format.get("type") == "json_object":
        texts = [text_of(each.get("content")) for each in messages_of(body) if each.get("role") == "system"]
        return encode(json_keys("\n".join([*texts, question])) or {"question": question, "answer": "emulated"})
    json_schema = response_format.get("json_schema")
    if response_format.get("type") == "json_schema" and is_object(json_schema):
        return encode(example(json_schema.get("schema")))
    return None
