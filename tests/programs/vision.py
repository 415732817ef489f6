"""An image as a data URL, with a detail level."""

import base64

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


def ask():
    """The arguments."""
    image = base64.b64encode(PIXEL).decode("utf-8")
    content = [
        {"type": "text", "text": "What is in this image?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{image}", "detail": "high"}},
    ]
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": content}], "max_tokens": 300}


def program(client):
    """What is in the picture."""
    return client.chat.completions.create(**ask()).choices[0].message.content


async def program_async(client):
    """The same."""
    return (await client.chat.completions.create(**ask())).choices[0].message.content
