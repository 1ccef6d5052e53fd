"""A reservation goes to another node, in one step or not at all."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Max

from config.kernel.errors import Busy, Conflict, NotFound
from config.kernel.types import Actor
from inventory.models import Allocation, CartHold, Reservation
from inventory.selectors.supply import supply
from inventory.services.reservations import release
from inventory.services.take import hold, lock_positions, take
from inventory.states import ReservationState
from inventory.types import Portion, Want

_MOVABLE = frozenset({ReservationState.HELD.value, ReservationState.RESERVED.value})


@transaction.atomic
def move_reservation(
    reservation_id: UUID,
    to_node_id: int,
    units: int,
    *,
    channel_id: UUID | None = None,
    at: datetime,
    actor: Actor,
) -> UUID:
    """Give units back where they are reserved and reserve them at another node; the new claim's id.

    What is held stays held as long, and lots that have to last are bound there to last as long.
    `channel_id` is who sells them, for the quotas. Raises NotFound for a reservation out of reach,
    Conflict once it was committed to its node or has ended, and when the other node has too little:
    then nothing has changed. Whoever keeps where a demand is served from does so besides.
    """
    seen = Reservation.objects.for_scope(actor.scope).filter(pk=reservation_id).first()
    if seen is None:
        raise NotFound("There is no such reservation.")
    target = supply([seen.sku_id], [to_node_id]).get((to_node_id, seen.sku_id))
    if target is None or seen.node_id == to_node_id:
        raise Conflict("The other node has none of it." if target is None else "It is there.")
    lasting = Allocation.objects.for_scope(actor.scope).filter(reservation_id=reservation_id)
    min_expiry = lasting.aggregate(latest=Max("min_expiry"))["latest"]
    CartHold.objects.for_scope(actor.scope).locked([seen.thread_id]).first()
    lock_positions([target.id], [reservation_id], levels=min_expiry is not None)
    row = Reservation.objects.for_scope(actor.scope).locked([reservation_id]).get()
    _require_movable(row, seen, units)
    release([Portion(row.pk, units)], "moved", at=at, actor=actor)
    want = Want(
        position_id=target.id,
        sku_id=row.sku_id,
        node_id=to_node_id,
        quantity=units,
        demand_id=row.demand_id,
        thread_id=row.thread_id,
        account_id=row.account_id,
        priority=row.priority,
        promised_at=row.promised_at,
        channel_id=channel_id,
        min_expiry=min_expiry,
    )
    if row.expires_at is not None:
        result = hold([want], until=row.expires_at, at=at, actor=actor)
    else:
        result = take([want], at=at, actor=actor)
    if result.lost:
        raise Conflict("The other node has too little to give.", reservation_id=str(row.pk))
    return result.taken[0].reservation_id


def _require_movable(row: Reservation, seen: Reservation, units: int) -> None:
    if row.position_id != seen.position_id:
        raise Busy("The reservation has just been given its stock.")
    if str(row.state) not in _MOVABLE:
        raise Conflict(
            f"The reservation is {row.state}: only what no node was asked for can move.",
            reservation_id=str(row.pk),
        )
    if not 0 < units <= row.open:
        raise Conflict(f"Only {row.open} units are open.", open=row.open)
