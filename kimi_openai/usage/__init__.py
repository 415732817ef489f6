"""Token usage of answers and what it costs.

`normalize` puts usage where OpenAI code looks for it, `costs` turns usage into token counts and money, `ledger` counts
the answers of a client, `cache_costs` says what the prompt cache would cost, and `prefixes` warns when it misses.
"""

from .cache_costs import CacheCost, cache_cost
from .costs import PRICE_LIST, PriceList, Tokens, tokens_of
from .ledger import Ledger, LedgerRow, track

__all__ = ["PRICE_LIST", "CacheCost", "Ledger", "LedgerRow", "PriceList", "Tokens", "cache_cost", "tokens_of", "track"]
