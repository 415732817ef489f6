"""Makes the request that is sent of the one that the SDK was asked for, by the rules of its endpoint.

The clients call it once per call. The rules are in `compat` and in `responses`, which are imported with the first
request, like the SDK's resources. Requests about stored responses are answered from the memory, without a server.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from pydantic_core import to_json

from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import as_dict

from .call import Call
from .http_library import http_library
from .options import Options
from .reasoning import recall

__all__ = ["is_responses", "local_response", "outgoing"]

ROOTS = ("/responses", "/conversations")
RAW_HEADER = "X-Stainless-Raw-Response"


def is_responses(request: Any) -> bool:
    """Whether the SDK's request options are for the creation of a response."""
    return request.method.lower() == "post" and str(request.url).partition("?")[0].rstrip("/") == "/responses"


def outgoing(client: AnyClient, options: Options, request: Any, call: Call) -> Flow[Any]:
    """The SDK's request options for the request that is sent, as a flow; what its answer needs goes into the call, and
    what it reserves of the client's limits.

    Raises `CompatError`, before anything is sent, for what Kimi would refuse.
    """
    request = yield from _adapted(client, options, request, call)
    yield from call.permits.reserve(client, request)
    return call.with_safe_retries(request)


def _adapted(client: AnyClient, options: Options, request: Any, call: Call) -> Flow[Any]:
    if is_responses(request):
        from kimi_openai.responses.adapt import outgoing as response_outgoing

        call.is_response = True
        request, call.exchange = yield from response_outgoing(client, options, request)
        return request
    from kimi_openai.compat.adapt import outgoing as chat_outgoing
    from kimi_openai.compat.fenced_json import asks_for_json

    request, call.names = yield from chat_outgoing(client, options, request, partial(recall, call))
    call.is_json = options.compat != "off" and asks_for_json(as_dict(request.json_data))
    return request


def local_response(client: Any, options: Options, request: Any) -> Any:
    """The HTTP response to a request about stored responses or conversations; `None` for any other request, and with
    `compat="off"`. Raises `CompatError` for what Kimi cannot do."""
    url = str(request.url)
    if not url.startswith(ROOTS) or options.compat == "off":
        return None
    from kimi_openai.responses.adapt import memory_of
    from kimi_openai.responses.local import is_local, local_answer

    if not is_local(request.method, url):
        return None
    query = as_dict(request.params)
    answer = local_answer(memory_of(options), request.method, url, query=query, body=request.json_data)
    headers = as_dict(request.headers)
    library = http_library()
    sent = library.Request(
        request.method.upper(),
        str(client.base_url).rstrip("/") + url,
        headers={name: value for name, value in headers.items() if name.lower() == RAW_HEADER.lower()},
    )
    content_type = {"content-type": "application/json"}
    return library.Response(answer.status, content=to_json(answer.body), headers=content_type, request=sent)
