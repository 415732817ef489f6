"""Checks the numbers that `bulk` is called with, before a file is opened. Pure."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from kimi_openai._internal.secrets import shown

__all__ = ["budget_of", "check_number"]


def budget_of(given: float | str | Decimal | None) -> Decimal | None:
    """The budget as it is counted. Raises `ValueError` for what is no amount.

    >>> budget_of("2.50"), budget_of(0.1)
    (Decimal('2.50'), Decimal('0.1'))
    """
    if given is None:
        return None
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        amount = Decimal("NaN")
    if amount.is_nan() or amount < 0:
        raise ValueError(f"budget is {shown(given)}; it is an amount in the account's currency, such as 5 or '2.50'")
    return amount


def check_number(name: str, given: Any, least: int = 1) -> None:
    """Raise `ValueError` for what is neither a whole number from `least` up nor `None`."""
    if given is not None and (type(given) is not int or given < least):
        raise ValueError(f"{name} is {shown(given)}; it is a number from {least} up, or None")
