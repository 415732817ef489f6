"""Programs as OpenAI users write them. Each is run unchanged, but that `OpenAI` is a client of ours.

A program module has `program(client)` and `program_async(client)`; nothing in it knows of Kimi.
"""
