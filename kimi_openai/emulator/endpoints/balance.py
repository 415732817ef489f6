"""`GET /v1/users/me/balance`: what is left on the account."""

from __future__ import annotations

from kimi_openai.emulator.frames import Response, json_response
from kimi_openai.emulator.recorder import Request
from kimi_openai.emulator.state.service_state import ServiceState

__all__ = ["balance"]


def balance(state: ServiceState, _: Request) -> Response:
    """The amounts with five decimals, as in the docs' example."""
    account = state.account
    amounts = {"available": account.available, "voucher": account.voucher, "cash": account.cash}
    data = {f"{name}_balance": float(round(amount, 5)) for name, amount in amounts.items()}
    return json_response({"code": 0, "data": data, "scode": "0x0", "status": True})
