"""JSON mode with a seed, n=3, penalties and log probabilities."""

import json

ARGUMENTS = {
    "model": "gpt-4o-mini",
    "messages": [
        {"role": "system", "content": "Answer in JSON: {name, age}"},
        {"role": "user", "content": "Ada, who is 36"},
    ],
    "response_format": {"type": "json_object"},
    "n": 3,
    "seed": 42,
    "presence_penalty": 0.1,
    "frequency_penalty": 0,
    "logprobs": True,
    "top_logprobs": 2,
    "stop": ["\n\n"],
    "logit_bias": {"1734": -100},
    "service_tier": "auto",
    "store": False,
    "metadata": {"run": "1"},
}


def program(client):
    """The parsed candidates."""
    response = client.chat.completions.create(**ARGUMENTS)
    return [json.loads(choice.message.content) for choice in response.choices]


async def program_async(client):
    """The same, asynchronous."""
    response = await client.chat.completions.create(**ARGUMENTS)
    return [json.loads(choice.message.content) for choice in response.choices]
