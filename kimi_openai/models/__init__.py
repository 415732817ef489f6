"""What is known of each Kimi model: abilities, prices, end dates, and how to control its thinking.

`catalog`, `formulas`, `prices` and `tiers` are data with sources; `reasoning` builds the `extra_body` that controls
thinking, `prompt_cache` the one for the cache.
"""

from .catalog import CURRENT, MODELS, RETIRED, ModelFacts, facts, successor
from .formulas import FORMULAS, Formula
from .prices import PRICES, PRICES_CNY, Price
from .prompt_cache import cache
from .reasoning import Effort, thinking
from .tiers import TIERS, Tier

__all__ = [
    "CURRENT",
    "FORMULAS",
    "MODELS",
    "PRICES",
    "PRICES_CNY",
    "RETIRED",
    "TIERS",
    "Effort",
    "Formula",
    "ModelFacts",
    "Price",
    "Tier",
    "cache",
    "facts",
    "successor",
    "thinking",
]
