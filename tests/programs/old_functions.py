"""The function calling of 2023: `functions`, `function_call`, messages of role `function`."""

import json

FUNCTIONS = [
    {
        "name": "get_current_weather",
        "description": "Get the current weather in a given location",
        "parameters": {
            "type": "object",
            "properties": {
                "location": {"type": "string", "description": "The city and state, e.g. San Francisco, CA"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
            },
            "required": ["location"],
        },
    }
]


def get_current_weather(location, unit="celsius"):
    """A made-up weather."""
    return json.dumps({"location": location, "temperature": "22", "unit": unit})


def arguments(messages):
    """The arguments of `create` in each turn."""
    return {"model": "gpt-3.5-turbo-0613", "messages": messages, "functions": FUNCTIONS, "temperature": 0}


def answered(message):
    """The message and the result of its function."""
    result = get_current_weather(**json.loads(message.function_call.arguments))
    return [message, {"role": "function", "name": message.function_call.name, "content": result}]


def program(client):
    """The answer, after the functions that the model calls."""
    messages = [{"role": "user", "content": "What's the weather like in Boston?"}]
    response = client.chat.completions.create(**arguments(messages), function_call="auto")
    while response.choices[0].finish_reason == "function_call":
        messages += answered(response.choices[0].message)
        response = client.chat.completions.create(**arguments(messages))
    return response.choices[0].message.content


async def program_async(client):
    """The same, asynchronous."""
    messages = [{"role": "user", "content": "What's the weather like in Boston?"}]
    response = await client.chat.completions.create(**arguments(messages), function_call="auto")
    while response.choices[0].finish_reason == "function_call":
        messages += answered(response.choices[0].message)
        response = await client.chat.completions.create(**arguments(messages))
    return response.choices[0].message.content
