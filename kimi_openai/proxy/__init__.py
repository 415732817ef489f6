"""A local endpoint in OpenAI's form that adapts what it gets for Kimi, for programs that know a base URL only.

    async with Proxy() as proxy:
        print(proxy.base_url, proxy.token)

`kimi-openai proxy` runs one.
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
