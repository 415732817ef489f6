"""The right to send one request and to wait for its answer: given by a limiter, given back when the answer is read."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Protocol

from .feedback import Feedback

__all__ = ["Held", "Permit"]


class Held(Protocol):
    """What one limiter has granted."""

    def give_back(self) -> None:
        """The request is over."""
        ...

    def sent(self) -> None:
        """The request was written to the connection."""
        ...

    def learn(self, feedback: Feedback) -> None:
        """The request was refused."""
        ...

    def settle(self, prompt_tokens: int, estimated: int) -> None:
        """The prompt had so many tokens; the estimate was another number."""
        ...


class Permit:
    """The right to one open request, until `release`, which may be called several times and from any thread.

    A permit may stand for the grants of several limiters.
    """

    def __init__(self, *held: Held) -> None:
        self._held = list(held)
        self._all = held

    def and_also(self, other: Permit) -> Permit:
        """One permit for both."""
        self._held += other._held
        self._all += other._all
        return self

    def release(self) -> None:
        """Gives the permit back; whoever has waited longest gets it."""
        while self._held:
            try:
                held = self._held.pop()  # atomic: only one of two callers gives it back
            except IndexError:
                return
            held.give_back()

    def release_with(self, response: Any, close: str) -> None:
        """Gives the permit back when `response` is dropped, or when its method of the name `close` is called."""
        permit, itself, original = self, weakref.ref(response), getattr(response.__class__, close)

        def close_sync() -> None:
            try:
                original(itself())
            finally:
                permit.release()

        async def close_async() -> None:
            try:
                await original(itself())
            finally:
                permit.release()

        replacement: Callable[[], Any] = close_async if iscoroutinefunction(original) else close_sync
        setattr(response, close, replacement)
        weakref.finalize(response, self.release).atexit = False

    def sent(self) -> None:
        """Tell the limiters that the request was written to the connection just now."""
        for held in self._all:
            held.sent()

    def learn(self, feedback: Feedback) -> None:
        """Tell the limiters that the request was refused."""
        for held in self._all:
            held.learn(feedback)

    def settle(self, prompt_tokens: int, estimated: int) -> None:
        """Tell the limiters how many tokens the prompt had, and what the estimate was."""
        for held in self._all:
            held.settle(prompt_tokens, estimated)
