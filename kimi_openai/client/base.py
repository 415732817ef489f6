"""What the synchronous and the asynchronous client share: the hooks of the SDK that need no `await`.

Private names of the SDK in use, each with a test that names it: `_custom_headers`, `_prepare_url`,
`_process_response_data`, `_make_status_error`, `_make_status_error_from_response`, `_calculate_retry_timeout`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import openai
import pydantic
from openai.types.chat import ChatCompletion

from kimi_openai._internal.secrets import shown
from kimi_openai.compat.answers import restorer_of
from kimi_openai.usage.normalize import copy_cached_tokens, notify_observers

from . import bodies, chunks, hooks
from .after_attempt import settle, wait_before_retry
from .answer_notes import note_completion
from .api_key import check_header
from .base_url import Region, check_destination
from .call import Call
from .options import Options
from .outgoing import is_responses
from .plain_answer import PlainCompletion, plain_answer
from .plain_stream import plain_stream_class_for
from .proofs import NONCE_HEADER, keep_signatures, signatures_of_response
from .reasoning import remember_completion
from .settings import is_found_key
from .validation import validated_completion

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["KimiBase"]


class KimiBase:
    """Stands before the SDK's class in the bases of a client, so that `super()` is the SDK's method."""

    kimi_options: Options
    _kimi_url: tuple[Any, str, Any] = (None, "", None)
    """A base URL, a path, and what they make together: of the last request."""

    def _kimi_set_up(self, own: Options, for_sdk: Mapping[str, Any]) -> None:
        """To be called after the SDK's constructor: discards what that took from the `OPENAI_*` variables."""
        sdk: Any = self
        sdk.organization = sdk.project = sdk.admin_api_key = None
        sdk.webhook_secret = for_sdk.get("webhook_secret")
        sdk._custom_headers = dict(for_sdk.get("default_headers") or {})
        self.kimi_options = own

    def _kimi_check(self, request: Any) -> None:
        """The last look at a request: headers and attributes may have been set since the client was made."""
        check_destination(request.url.scheme, request.url.host, allow_http=self.kimi_options.allow_http)
        check_header(request.headers.get("authorization", ""), self._kimi_accepts)

    def _kimi_accepts(self, key: str) -> bool:
        origin = self.kimi_options.origin
        return origin is not None and (key == origin.api_key or is_found_key(key, env_file=origin.env_file))

    def _prepare_url(self, url: str) -> Any:
        """The SDK's method, which parses both parts for every request; that takes a tenth of a short call."""
        sdk: Any = self
        base, path, joined = self._kimi_url
        if base is not sdk.base_url or path != url:
            parent: Any = super()
            joined = parent._prepare_url(url)
            self._kimi_url = sdk.base_url, url, joined
        return joined

    @property
    def region(self) -> Region | None:
        """The region of the account, which decides about keys and currency. `None` if it is not known."""
        return self.kimi_options.region

    if not TYPE_CHECKING:  # type checkers see the SDK's

        @cached_property
        def chat(self) -> Any:
            return _faster(super().chat)

        @cached_property
        def files(self) -> Any:
            from .files import end_waits

            files = super().files
            end_waits(files)
            return files

        @cached_property
        def beta(self) -> Any:
            beta = super().beta
            _faster(beta.chat)  # older code calls `client.beta.chat.completions.parse` and `.stream`
            return beta

        @cached_property
        def responses(self) -> Any:
            from .responses import speed_up

            responses = super().responses
            speed_up(responses)
            return responses

    def _kimi_stream_class(self, request: Any, stream_cls: Any) -> Any:
        """The class to use for a stream where the SDK asks for `stream_cls`."""
        if stream_cls is None:
            return None
        if is_responses(request):
            from .response_stream import stream_class_for

            return stream_class_for(stream_cls)
        return plain_stream_class_for(chunks.stream_class_for(stream_cls), request)

    def _kimi_good(self, response: Any) -> Any:
        """A response that the memory has given. Raises the SDK's exception if its status is an error."""
        if response.status_code >= 400:
            sdk: Any = self
            raise sdk._make_status_error_from_response(response)
        return response

    def get_api_list(self, path: str, *, page: Any, **options: Any) -> Any:
        """The SDK's method, with a page type for files and batches whose iteration ends."""
        if path in ("/files", "/batches"):
            from .pagination import finite_page

            page = finite_page(page, path)
        sdk: Any = super()
        return sdk.get_api_list(path, page=page, **options)

    def _process_response_data(self, *, data: object, cast_to: Any, response: Any) -> Any:
        call = Call.of(response)
        if call is not None and call.is_response and isinstance(cast_to, type):  # an event of a stream has a union
            from .responses import accepted_answer

            data = accepted_answer(self, data, response)
        restorer = restorer_of(response)
        if restorer is not None:
            restorer.restore(data)
        if cast_to is PlainCompletion:
            return plain_answer(self, data, response)
        answer: Any = validated_completion(data) if cast_to is ChatCompletion else None
        if answer is None:
            sdk: Any = super()
            answer = bodies.build(sdk._process_response_data, data=data, cast_to=cast_to, response=response)
        if isinstance(answer, ChatCompletion):
            if call is not None and call.is_json:
                from .fences import take_fences_off

                take_fences_off(answer, self)
            notify_observers(self, answer.model, copy_cached_tokens(answer).usage, response=response)
            settle(response, answer.usage)
            note_completion(self, response, answer)
            remember_completion(response, answer)
        if NONCE_HEADER in response.request.headers and isinstance(answer, pydantic.BaseModel):
            keep_signatures(answer, signatures_of_response(response))
        return answer

    def _calculate_retry_timeout(self, *args: Any, **options: Any) -> float:
        sdk: Any = super()
        return wait_before_retry(self, sdk._calculate_retry_timeout(*args, **options))

    def _make_status_error(self, err_msg: str, *, body: object, response: Any) -> openai.APIStatusError:
        sdk: Any = super()
        error: openai.APIStatusError = sdk._make_status_error(
            hooks.status_error_text(err_msg, response), body=body, response=response
        )
        return error

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The client itself: open connections cannot be copied, and frameworks copy what holds a client (dspy copies
        each request)."""
        return self

    def __repr__(self) -> str:
        sdk: Any = self
        return f"{type(self).__name__}(region={self.region!r}, base_url={shown(str(sdk.base_url).rstrip('/'))})"


def _faster(chat: Any) -> Any:
    from .completions import speed_up  # takes 15 to 90 ms; the SDK too imports its resources at first use

    speed_up(chat.completions)
    return chat
