"""The account's rate limits: a limiter that requests wait at, so that Kimi has no reason to refuse them.

`Limits` counts requests and tokens as Kimi does; `Gate` counts open requests only. The published limits are
`kimi_openai.models.TIERS`. `admission` decides (pure), `adaptation` learns from refusals, `prompt_size` estimates what
a request reserves.
"""

from .admission import Usage
from .limiter import Gate, Limits
from .permit import Permit
from .rates import Rates

__all__ = ["Gate", "Limits", "Permit", "Rates", "Usage"]
