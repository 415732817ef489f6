"""A recorded request becomes a response, without sockets: fault, API key, and endpoint, in this order."""

from __future__ import annotations

import hmac
import re
from dataclasses import replace

from .endpoints.routes import GENERATING, ROUTES
from .endpoints.signatures import signature_headers
from .errors import BAD_KEY, NO_KEY, Problem, url_not_found
from .faults.catalogue import html
from .faults.damage import BEFORE_HEADERS, Damage, damaged_response
from .faults.fault_queue import FAULT_HEADER, FaultQueue
from .frames import Response
from .json_values import is_object
from .recorder import Request
from .state.service_state import ServiceState

__all__ = ["Router"]


class Router:
    """The service behind the sockets, with its state and its faults."""

    def __init__(self, api_key: str, state: ServiceState, faults: FaultQueue) -> None:
        self.api_key, self.state, self.faults = api_key, state, faults

    def respond(self, request: Request) -> Response:
        """The response to a request, with the fault that the request gets."""
        try:
            fault = self.faults.take(request)
        except (TypeError, ValueError) as reason:
            return Problem(f"emulator: {FAULT_HEADER}: {reason}").response()
        if isinstance(fault, Response):
            if request.path in GENERATING:
                self.state.limiter.count_failure()
            return self._without_retry_after(fault)
        return self._normal(request) if fault is None else self._damaged(request, fault)

    def ended(self, request: Request) -> None:
        """The response to a request has been written, or its client has left."""
        self.state.limiter.release(request.number)

    def _without_retry_after(self, response: Response) -> Response:
        if self.state.behaviour.retry_after:
            return response
        return replace(response, headers=tuple(h for h in response.headers if "retry-after" not in h[0].lower()))

    def _damaged(self, request: Request, damage: Damage) -> Response:
        if damage.chunks == BEFORE_HEADERS:
            return Response(damage.insert)
        if damage.as_json and is_object(request.json) and request.json.get("stream") is True:
            request = replace(request, json={**request.json, "stream": False})
        return damaged_response(self._normal(request), damage)

    def _normal(self, request: Request) -> Response:
        return self._refused(request) or self._too_large(request) or self._routed(request)

    def _refused(self, request: Request) -> Response | None:
        """401 for a bad key. Here it comes before routing; the platform's order is not known."""
        key = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        if not key:
            return NO_KEY.response()
        sent, right = key.encode(errors="surrogateescape"), self.api_key.encode()
        accepted = self.state.behaviour.any_key or hmac.compare_digest(sent, right)
        return None if accepted else BAD_KEY.response()

    def _too_large(self, request: Request) -> Response | None:
        behaviour = self.state.behaviour
        if request.path not in GENERATING or len(request.body) <= behaviour.max_body_bytes:
            return None
        text = f"the request body is larger than {behaviour.max_body_bytes} bytes"
        return html(413) if behaviour.too_large == "html" else Problem(text, status=413).response()

    def _signed(self, request: Request, response: Response) -> Response:
        if request.path not in GENERATING:
            return response
        headers = signature_headers(self.state, request, response.status)
        return replace(response, headers=(*response.headers, *headers))

    def _routed(self, request: Request) -> Response:
        for method, pattern, endpoint in ROUTES:
            found = re.fullmatch(pattern, request.path)
            if found and method == request.method:
                return self._signed(request, endpoint(self.state, request, *found.groups()))
        return url_not_found(request.method, request.path, request.headers.get("User-Agent", ""))
