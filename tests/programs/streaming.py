"""A chat in the terminal: streamed, with usage at the end, the history kept as dicts."""


def arguments(history):
    """The arguments of `create` in each turn."""
    return {
        "model": "gpt-4.1",
        "messages": history,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 1,
        "top_p": 1,
        "reasoning_effort": "minimal",
    }


def program(client):
    """The texts of two turns, and whether there was usage."""
    history, printed, tokens = [{"role": "system", "content": "Be brief."}], [], 0
    for question in ("One?", "Two?"):
        history.append({"role": "user", "content": question})
        text = ""
        for chunk in client.chat.completions.create(**arguments(history)):
            if chunk.choices and chunk.choices[0].delta.content:
                text += chunk.choices[0].delta.content
            if chunk.usage:
                tokens = chunk.usage.total_tokens
        history.append({"role": "assistant", "content": text})
        printed.append(text)
    return printed, tokens > 0


async def program_async(client):
    """The same, asynchronous."""
    history, printed, tokens = [{"role": "system", "content": "Be brief."}], [], 0
    for question in ("One?", "Two?"):
        history.append({"role": "user", "content": question})
        text = ""
        async for chunk in await client.chat.completions.create(**arguments(history)):
            if chunk.choices and chunk.choices[0].delta.content:
                text += chunk.choices[0].delta.content
            if chunk.usage:
                tokens = chunk.usage.total_tokens
        history.append({"role": "assistant", "content": text})
        printed.append(text)
    return printed, tokens > 0
