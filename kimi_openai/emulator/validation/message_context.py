"""What a message rule may look at besides the message itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from kimi_openai.emulator.behaviour import Behaviour
from kimi_openai.models.catalog import ModelFacts

__all__ = ["MessageContext"]


@dataclass(frozen=True, slots=True)
class MessageContext:
    """The whole list of messages, the facts of the model, and whether thinking is on."""

    messages: list[Any]
    model: ModelFacts
    thinking: bool
    behaviour: Behaviour
