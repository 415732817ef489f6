"""Structured output with pydantic: `parse` for the answer and for the arguments of a tool; the message goes back."""

from datetime import date
from enum import Enum

import openai
from pydantic import BaseModel, Field


class Kind(str, Enum):
    """What it is."""

    meeting = "meeting"
    party = "party"


class Person(BaseModel):
    """Who comes."""

    name: str
    age: int | None = Field(default=None, ge=0)


class Event(BaseModel):
    """An event in the calendar."""

    title: str = Field(max_length=80)
    kind: Kind
    people: list[Person]
    day: date | None


class Book(BaseModel):
    """Book a table."""

    table: str
    people: int


def event(messages):
    """The arguments of `parse` for an event."""
    return {"model": "gpt-4o-2024-08-06", "messages": messages, "response_format": Event}


def booking(messages):
    """The arguments of `parse` for a booking."""
    return {
        "model": "gpt-4o-2024-08-06",
        "messages": messages,
        "tools": [openai.pydantic_function_tool(Book)],
        "tool_choice": {"type": "function", "function": {"name": "Book"}},
    }


def program(client):
    """The parsed event and the parsed booking."""
    messages = [{"role": "user", "content": "Ada's birthday party on May 1"}]
    message = client.chat.completions.parse(**event(messages)).choices[0].message
    messages += [message, {"role": "user", "content": "Book a table."}]
    booked = client.chat.completions.parse(**booking(messages)).choices[0].message
    return message.parsed, booked.tool_calls[0].function.parsed_arguments


async def program_async(client):
    """The same, asynchronous."""
    messages = [{"role": "user", "content": "Ada's birthday party on May 1"}]
    message = (await client.chat.completions.parse(**event(messages))).choices[0].message
    messages += [message, {"role": "user", "content": "Book a table."}]
    booked = (await client.chat.completions.parse(**booking(messages))).choices[0].message
    return message.parsed, booked.tool_calls[0].function.parsed_arguments
