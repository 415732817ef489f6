"""The limits of an account over all workers of a Ray cluster: a named actor that counts, and `Limits` that ask it.

What the actor decides is in `kimi_openai.limits.leases`; here is the way to it.
"""

from __future__ import annotations

import random
import time
import warnings
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from kimi_openai.limits.leases import Leases, Reply, Report
from kimi_openai.limits.limiter import Limits
from kimi_openai.limits.rates import Rates
from kimi_openai.limits.shared_process import SharedLimits

__all__ = ["LimiterActor", "RayExchange", "ray_module", "shared_limits"]

NAMESPACE = "kimi-openai"
PATIENCE = 30.0
"""Seconds until a report that has no answer is repeated."""

TRIES = 5


def ray_module() -> Any:
    """The package `ray`. Raises `ModuleNotFoundError` that says how to install it."""
    if find_spec("ray") is None:
        raise ModuleNotFoundError("Ray is not installed; pip install 'kimi-openai[ray]'", name="ray")
    return import_module("ray")


class LimiterActor:
    """The limiter, in an actor. After a restart it assumes that the minute was used up."""

    def __init__(self, rates: Rates, minute: float, ttl: float) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Ray 2.60 warns of one of Ray's functions, which this calls
            is_restarted = bool(ray_module().get_runtime_context().was_current_actor_reconstructed)
        book = random.getrandbits(60)
        self._settings = (rates, minute, ttl)
        self._leases = Leases(rates, book=book, now=time.monotonic(), minute=minute, ttl=ttl, is_restarted=is_restarted)

    def exchange(self, report: Report) -> Reply:
        """Take a report, and grant what can be granted."""
        return self._leases.exchange(report, time.monotonic())

    def settings(self) -> tuple[Rates, float, float]:
        """What it was started with."""
        return self._settings


class RayExchange:
    """Brings reports to the limiter of this name, which it starts if it is not there. Other processes get a copy."""

    def __init__(self, name: str, settings: tuple[Rates, float, float]) -> None:
        self.name, self.settings, self._actor = name, settings, None

    def __call__(self, report: Report) -> Reply:
        ray = ray_module()
        try:
            reply: Reply = ray.get(self.actor().exchange.remote(report), timeout=PATIENCE)
        except ray.exceptions.ActorDiedError:  # for good: with the process that started it, say
            self._actor = None
            raise
        return reply

    def actor(self) -> Any:
        """The actor."""
        if self._actor is None:
            make = ray_module().remote(num_cpus=0, max_restarts=-1)(LimiterActor)
            options = {"name": self.name, "namespace": NAMESPACE, "get_if_exists": True}
            self._actor = make.options(**options).remote(*self.settings)
        return self._actor

    def found(self) -> Rates | None:
        """The numbers of the limiter that is there, `None` if it is just about to end."""
        ray = ray_module()
        try:
            rates: Rates = ray.get(self.actor().settings.remote())[0]
        except ray.exceptions.ActorDiedError:
            self._actor = None
            return None
        return rates

    def __reduce__(self) -> tuple[Any, ...]:
        return RayExchange, (self.name, self.settings)


def shared_limits(
    tier: str | None = None,
    *,
    concurrency: int | None = None,
    rpm: int | None = None,
    tpm: int | None = None,
    tpd: int | None = None,
    name: str = "kimi-limits",
    minute: float = 60.0,
    ttl: float = 10.0,
) -> SharedLimits:
    """`Limits` that all workers of the Ray cluster share, for `KimiStage`, `bulk_ray` and `create_client(limits=...)`.

    `tier` and the numbers are those of `Limits`. They are counted by an actor of this `name` (one for each account),
    which is started if it is not there, is restarted if it dies, and lives as long as the object that started it. It
    gives the workers blocks of permits. What a worker has that reports nothing for `ttl` seconds goes to the others.
    After its own restart the actor admits nothing for a minute, since it does not know what was sent.

    Connects to the cluster as `ray.init()` does, if nothing has. Raises `ModuleNotFoundError` without Ray, and
    `ValueError` for a limit below 1, an unknown tier, or a name that counts with other numbers.
    """
    rates = Limits(tier, concurrency=concurrency, rpm=rpm, tpm=tpm, tpd=tpd).rates
    ray = ray_module()
    if not ray.is_initialized():
        ray.init(include_dashboard=False)
    exchange = RayExchange(name, (rates, minute, ttl))
    for _ in range(TRIES):
        found = exchange.found()
        if found == rates:
            return SharedLimits(exchange, rates, minute=minute)
        exchange = RayExchange(name, (rates, minute, ttl))
        time.sleep(1)  # it may be that of a run that has just ended
    raise ValueError(f"the limits {name!r} are there already, with other numbers; choose another name")
