"""The emulator's own fixture, as users import it."""

from kimi_openai.emulator.fixtures import kimi

__all__ = ["kimi"]
