"""Refunds of an amount that names no goods: whether a shop makes them, and what to do where it may not."""

from typing import Final

from integrations.channels.asking import refused
from integrations.channels.reading import major
from integrations.channels.types import Reply, Wish
from integrations.types import ConnectionRef

SETTING: Final = "amount_refunds"
"""The connection's setting: false where the seller allows no refund without goods."""


def are_made(ref: ConnectionRef) -> bool:
    return bool(ref.settings.get(SETTING, True))


def by_hand(wish: Wish, amount_minor: int) -> Reply:
    """It is refused with the amount, and with what a person is to do instead."""
    amount = f"{major(amount_minor, wish.currency)} {wish.currency}"
    return refused(
        "by-hand",
        f"The channel's settings allow no refund without goods: give back {amount} of order "
        f"{wish.order} in the shop by hand, then have it sent again.",
    )
