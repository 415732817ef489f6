"""The `.stream()` helper: its events and the final completion."""


def arguments():
    """The arguments of `stream`."""
    return {
        "model": "o3-mini",
        "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hello?"}],
        "max_completion_tokens": 2000,
        "reasoning_effort": "high",
        "verbosity": "low",
    }


def program(client):
    """The text of the events and of the final completion."""
    with client.chat.completions.stream(**arguments()) as stream:
        text = "".join(event.delta for event in stream if event.type == "content.delta")
    return text, stream.get_final_completion().choices[0].message.content


async def program_async(client):
    """The same, asynchronous."""
    async with client.chat.completions.stream(**arguments()) as stream:
        text = "".join([event.delta async for event in stream if event.type == "content.delta"])
    return text, (await stream.get_final_completion()).choices[0].message.content
