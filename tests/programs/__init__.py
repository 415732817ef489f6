"""Programs as OpenAI users write them. They run unchanged with our client in place of `OpenAI`.

A module has `program(client)` and `program_async(client)`; nothing in it is about Kimi.
"""
