"""What becomes of a reservation: given back, committed to a fulfillment order, or expired."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.claims import (
    Claims,
    give_back,
    is_claiming,
    open_book,
    position_of,
    require_open,
    sum_portions,
)
from inventory.models import Reservation
from inventory.states import ReservationState
from inventory.types import Portion


def release(portions: Sequence[Portion], reason: str, *, at: datetime, actor: Actor) -> None:
    """Give units back to where they were reserved. Must run inside the caller's transaction.

    Raises Conflict when a reservation has fewer open units, NotFound when there is no such one.
    """
    wanted = sum_portions(portions)
    book, claims = open_book(wanted.keys(), levels=False)
    for reservation_id, quantity in wanted.items():
        row = claims.rows[reservation_id]
        require_open(row, quantity)
        if is_claiming(row):
            book.claim(book.positions[position_of(row)], -quantity)
        give_back(row, quantity, reason=reason, at=at)
        claims.touch(row)
    claims.write()
    book.write(at=at, actor=actor)


def commit(reservation_ids: Sequence[UUID], *, at: datetime, actor: Actor) -> None:
    """A fulfillment order asks for the units: reserved → committed. A committed one stays so.

    Must run inside the caller's transaction. Raises IllegalTransition for a closed reservation.
    """
    claims = Claims.lock(reservation_ids)
    for row in claims.rows.values():
        if row.state != ReservationState.COMMITTED:
            row.commit()
            claims.touch(row)
    claims.write()


@transaction.atomic
def expire_held(limit: int, *, at: datetime, actor: Actor) -> int:
    """Give back what carts held for too long; returns how many holds have expired."""
    due = (
        Reservation.objects.for_scope(ALL_ACCOUNTS)
        .filter(state=ReservationState.HELD, expires_at__lte=at)
        .order_by("expires_at")
        .values_list("pk", flat=True)[:limit]
    )
    book, claims = open_book(list(due), levels=False)
    expired = [
        row
        for row in claims.rows.values()
        if row.state == ReservationState.HELD
        and row.expires_at is not None
        and row.expires_at <= at
    ]
    for row in expired:
        book.claim(book.positions[position_of(row)], -row.open)
        row.released += row.open
        row.release_reason = "expired"
        row.expire(at=at)
        claims.touch(row)
    claims.write()
    book.write(at=at, actor=actor)
    return len(expired)
