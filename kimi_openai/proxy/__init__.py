"""A local endpoint in OpenAI's form that adapts what it gets for Kimi, for programs that know a base URL only.

    async with Proxy() as proxy:
        print(proxy.base_url, proxy.token)

`kimi-openai proxy` runs one. It listens on this machine only unless `host` says otherwise, and lets in only who sends
the token as the API key; Kimi's key stays with it. Streams pass chunk by chunk, 1 to 2 ms later (`python -m tests.bench
proxy`); a program that leaves ends its request. What was changed is in its log and in the header `x-kimi-notes`.
"""

try:
    import aiohttp as _aiohttp
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        "kimi_openai.proxy needs aiohttp, which is not installed: pip install 'kimi-openai[proxy]'", name="aiohttp"
    ) from missing

from .proxy import Proxy

del _aiohttp

__all__ = ["Proxy"]
