"""What one call holds of its client's limiters: what it reserves, the permit of its current attempt, what it learns.

`Call` enters and releases; the limiters themselves are in `kimi_openai.limits`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import openai

from kimi_openai._internal.counts import count_of
from kimi_openai._internal.flow import AnyClient, Flow
from kimi_openai._internal.json_values import as_dict, is_array, is_dict
from kimi_openai._internal.warn import warn
from kimi_openai.errors.exceptions import KimiCompatWarning
from kimi_openai.limits.feedback import feedback_of
from kimi_openai.limits.limiter import Gate, Limits, enter_all, enter_all_async
from kimi_openai.limits.permit import Permit
from kimi_openai.limits.prompt_size import Reservation, reservation_of
from kimi_openai.retry.failure import Failure
from kimi_openai.usage.costs import tokens_of

__all__ = ["Permits"]

ESTIMATE_PATH = "/tokenizers/estimate-token-count"
SENT = ".send_request_body.complete"

NOTHING = Reservation()

SMALL_CAP = 4096
"""The output limit that the warning about a missing one compares with."""


@dataclass(slots=True)
class Permits:
    """The permits of one call, one attempt after the other."""

    limiters: tuple[Limits, ...]
    reservation: Reservation = NOTHING
    permit: Permit | None = None

    def reserve(self, client: AnyClient, request: Any) -> Flow[None]:
        """Note what a request reserves.

        If a limiter wants it so, the platform is asked for the size of a chat's prompt. It counts `messages` only: the
        input of a Responses request is always estimated here.
        """
        counting = [limits for limits in self.limiters if limits.counts_tokens]
        if not counting:
            return
        body: dict[str, Any] = {**as_dict(request.json_data), **as_dict(request.extra_json)}
        self.reservation = reservation_of(str(request.url), body, counting[0].estimator)
        is_countable = self.reservation.tokens > 0 and is_array(body.get("messages"))
        if is_countable and any(limits.estimate == "server" for limits in counting):
            self.reservation = yield from _asked(client, body, self.reservation)
        for limits in counting:
            _warn_if_uncapped(limits, self.reservation)

    def enter(self, request: Any, left: float | None) -> None:
        """Wait for the permit of an attempt. Raises `TimeoutError` and `LimitsError`."""
        if self.limiters:
            self.permit = enter_all(self.limiters, tokens=self.reservation.tokens, timeout=left)
            request.extensions.setdefault("trace", self._trace)

    async def enter_async(self, request: Any, left: float | None) -> None:
        """`enter` for a task."""
        if self.limiters:
            self.permit = await enter_all_async(self.limiters, tokens=self.reservation.tokens, timeout=left)
            request.extensions.setdefault("trace", self._trace_async)

    def _trace(self, event: str, _: Mapping[str, Any]) -> None:
        """What the HTTP library calls at each step of a request (its documented `trace` extension)."""
        if event.endswith(SENT) and self.permit is not None:
            self.permit.sent()

    async def _trace_async(self, event: str, _: Mapping[str, Any]) -> None:
        self._trace(event, _)

    def release_with(self, response: Any, close_method: str) -> None:
        """Give the permit back when the response is closed."""
        if self.permit is not None:
            self.permit.release_with(response, close_method)

    def release(self) -> None:
        """Give the permit back, if there is one."""
        if self.permit is not None:
            self.permit.release()

    def learn(self, failure: Failure, attempt: int) -> None:
        """Tell the limiters about an error answer. `attempt` counts from 0."""
        if self.permit is not None:
            wait = failure.named_wait or (failure.fault.wait.seconds(attempt) if failure.fault.wait else 1.0)
            feedback = feedback_of(failure.fault.kind, failure.refusal.message, wait)
            if feedback is not None:
                self.permit.learn(feedback)

    def settle(self, usage: Any) -> None:
        """Tell the limiters the size of the prompt, from the usage of the answer."""
        if self.permit is not None and self.reservation.prompt:
            self.permit.settle(tokens_of(usage).prompt, self.reservation.prompt)

    def __str__(self) -> str:
        names = ("max_concurrency" if isinstance(each, Gate) else "limits" for each in self.limiters)
        return " and ".join(f"{name}={each!r}" for name, each in zip(names, self.limiters, strict=True))


def _asked(client: Any, body: Mapping[str, Any], reservation: Reservation) -> Flow[Reservation]:
    """The reservation with the platform's count of the prompt, or as it was if the platform does not say."""
    from kimi_openai.compat.adapt import notes_kept

    with notes_kept():
        try:
            messages = {"model": body.get("model"), "messages": body.get("messages")}
            answer = yield client.post(ESTIMATE_PATH, body=messages, cast_to=object)
        except openai.APIError:
            return reservation
    data = answer.get("data") if is_dict(answer) else None
    count = count_of(data.get("total_tokens")) if is_dict(data) else None
    if count is None:
        return reservation
    return replace(reservation, prompt=count)


def _warn_if_uncapped(limits: Limits, reservation: Reservation) -> None:
    """Warn once of a request without an output limit, if that costs throughput."""
    tpm, rpm = limits.rates.tpm, limits.rates.rpm
    if reservation.is_capped or tpm is None or reservation.model in limits.warned:
        return
    now, then = (tpm // (reservation.prompt + output) for output in (reservation.output, SMALL_CAP))
    if rpm is None or now < rpm:
        limits.warned.add(reservation.model)
        warn(
            f"{reservation.model} without {reservation.cap} reserves {reservation.output:,} output tokens of the "
            f"account's {tpm:,} a minute: at most {now} such requests a minute; with {reservation.cap}={SMALL_CAP} "
            f"it would be {min(then, rpm or then)}",
            KimiCompatWarning,
        )
