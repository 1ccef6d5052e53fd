"""Buyers who are asked to pay once more, since nothing secures their order any longer."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import orders.services
from config.kernel.types import Actor, Outcome
from integrations.buyer import selectors, voices
from integrations.buyer.services import ERASED, NO_ADDRESS
from orders.selectors import BoughtOrder, bought_orders


def ask_to_pay(order_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> list[Outcome[int]]:
    """Have the buyers written to, each with what is not secured. One outcome per order.

    Refused where nobody would get the message, and as `orders.services.ask_for_payment` refuses.
    """
    bought = bought_orders(set(order_ids))
    writing = selectors.writing_accounts({one.order.account_id for one in bought.values()})
    silent = {
        order_id: why
        for order_id, one in bought.items()
        if (why := _why_not(one, can_write=one.order.account_id in writing))
    }
    asked = [one for one in order_ids if one not in silent]
    answers = iter(orders.services.ask_for_payment(asked, at=at, actor=actor) if asked else [])
    return [
        Outcome[int].refused("conflict", silent[one]) if one in silent else next(answers)
        for one in order_ids
    ]


def _why_not(bought: BoughtOrder, *, can_write: bool) -> str:
    """Why a message would reach nobody; empty where it would."""
    if not voices.we_write(bought.order.channel):
        return "The channel writes to its buyers itself: ask it to have the order paid."
    if not can_write:
        return "There is no server to send messages by."
    if bought.buyer is None:
        return ERASED if bought.key_id else NO_ADDRESS
    return "" if bought.buyer.email else NO_ADDRESS
