"""What else holds personal data about orders: told by the apps above, asked when a person is erased."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeAlias
from uuid import UUID

Holder: TypeAlias = Callable[[Sequence[UUID]], Collection[UUID]]
"""Given ids of orders: blank what is kept of their people in the clear, and answer the subject keys
with which the rest is sealed. Called inside the transaction that erases, with the orders locked."""

_holders: dict[str, Holder] = {}


def declare(name: str, holder: Holder) -> None:
    """Tell once, at start-up, who keeps personal data. Raises ValueError for a name used twice."""
    if name in _holders:
        raise ValueError(f"{name} is declared twice")
    _holders[name] = holder


def keys_of(order_ids: Sequence[UUID]) -> set[UUID]:
    """Let every holder blank its own; answers the keys that remain to be destroyed."""
    return {key for holder in _holders.values() for key in holder(order_ids)}
