"""An agent loop: developer role, two tools, message objects put back into the history."""

import json

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "search",
            "description": "Search the shop",
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"query": {"type": "string"}, "limit": {"type": ["integer", "null"], "minimum": 1}},
                "required": ["query", "limit"],
                "additionalProperties": False,
            },
        },
    },
    {
        "type": "function",
        "function": {"name": "time", "description": "The time", "parameters": {"type": "object", "properties": {}}},
    },
]
HANDLERS = {"search": lambda query, limit=None: [f"{query} 1", f"{query} 2"][:limit], "time": lambda: "12:00"}


def arguments(messages):
    """The arguments of `create` in each turn."""
    return {
        "model": "gpt-4o",
        "messages": messages,
        "tools": TOOLS,
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "temperature": 0.7,
        "max_tokens": 1000,
        "user": "user-1",
    }


def answered(message):
    """The message and the results of its tools."""
    yield message
    for call in message.tool_calls or []:
        result = HANDLERS[call.function.name](**json.loads(call.function.arguments or "{}"))
        yield {"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)}


def start():
    """The first messages."""
    return [
        {"role": "developer", "content": "You sell shoes."},
        {"role": "user", "content": "Are there red ones?"},
    ]


def program(client):
    """The answer, after the tools that the model calls."""
    messages = start()
    while True:
        message = client.chat.completions.create(**arguments(messages)).choices[0].message
        messages.extend(answered(message))
        if not message.tool_calls:
            return message.content


async def program_async(client):
    """The same, asynchronous."""
    messages = start()
    while True:
        message = (await client.chat.completions.create(**arguments(messages))).choices[0].message
        messages.extend(answered(message))
        if not message.tool_calls:
            return message.content
