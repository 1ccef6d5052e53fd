"""The decision port asked about units that are already at a node. Fulfillment implements it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from config.kernel.types import Actor
from inventory.types import Portion


@dataclass(frozen=True, slots=True)
class Asked:
    """Give back this many released units of a line."""

    line_id: UUID
    quantity: int


@dataclass(frozen=True, slots=True)
class Answer:
    """Of the units asked for: given back now, refused (why), or passed to the node (until when).

    `freed` are the reservations of the granted units: the caller's to release.
    """

    line_id: UUID
    granted: int
    refused: int
    asked: int
    why: str = ""
    until: datetime | None = None
    freed: tuple[Portion, ...] = ()


@dataclass(frozen=True, slots=True)
class AddressWanted:
    """Send to another contact what nodes have of a group.

    `was_contact_id` is where it goes now. `moves`: the group itself goes there in any case, for the
    sake of what is at no node yet.
    """

    group_id: UUID
    contact_id: UUID
    was_contact_id: UUID | None
    moves: bool


@dataclass(frozen=True, slots=True)
class AddressAnswer:
    """Refused (why); or the group `moves` now, and so many nodes were `asked`, until when.

    A group that does not move now moves when the first of its nodes agrees.
    """

    group_id: UUID
    moves: bool = False
    asked: int = 0
    why: str = ""
    until: datetime | None = None


class Commitments(Protocol):
    def ask_cancel(self, portions: Sequence[Asked], *, at: datetime, actor: Actor) -> list[Answer]:
        """One answer per portion, in order, in the caller's transaction with the orders locked.

        Granted units are off the fulfillment order when this returns. The caller moves the line's
        buckets and releases what is freed, together with what it releases itself: positions are
        locked once. Asked units are answered later, by the node.
        """

    def ask_addresses(
        self, wanted: Sequence[AddressWanted], *, at: datetime, actor: Actor
    ) -> list[AddressAnswer]:
        """One answer per group, in order, in the caller's transaction with the orders locked.

        Work keeps the address that its node was told until the node agrees to another.
        """


_registered: list[Commitments] = []


def register(implementation: Commitments) -> None:
    """Make the implementation known; called once, from the upper app's `ready()`."""
    if _registered:
        raise ValueError("commitments are registered twice")
    _registered.append(implementation)


@contextmanager
def using(implementation: Commitments) -> Iterator[None]:
    """Have this implementation answer within the block: for tests of orders alone."""
    before = list(_registered)
    _registered[:] = [implementation]
    try:
        yield
    finally:
        _registered[:] = before


def commitments() -> Commitments:
    """The registered implementation. Raises LookupError when no app has registered one."""
    if not _registered:
        raise LookupError("no commitments are registered")
    return _registered[0]
