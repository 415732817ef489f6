"""An image as a data URL, with a detail level."""

import base64

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def arguments():
    """The arguments of `create`."""
    image = base64.b64encode(PIXEL).decode("utf-8")
    content = [
        {"type": "text", "text": "What is in this image?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}", "detail": "high"}},
    ]
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": content}], "max_tokens": 300}


def program(client):
    """The answer about the image."""
    return client.chat.completions.create(**arguments()).choices[0].message.content


async def program_async(client):
    """The same, asynchronous."""
    return (await client.chat.completions.create(**arguments())).choices[0].message.content
