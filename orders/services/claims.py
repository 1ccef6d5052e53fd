"""Giving back the reservations of lines: which ones, and how much of each."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

from config.kernel.types import Actor
from inventory import selectors as inventory
from inventory.services.reservations import release
from inventory.states import ReservationState
from inventory.types import Portion, ReservationView

_UNRELEASED = frozenset({ReservationState.HELD.value, ReservationState.RESERVED.value})
_WAITING = frozenset({ReservationState.WAITING.value})


def release_lines(
    reserved: Mapping[UUID, int],
    reason: str,
    *,
    at: datetime,
    actor: Actor,
    waiting: Mapping[UUID, int] | None = None,
    freed: Sequence[Portion] = (),
) -> None:
    """Give back so many reserved units of each line, and so many that only waited for supply.

    The newest claims go first; committed ones belong to a fulfillment order, and only those that
    it has `freed` go with them. Locks positions, all at once: call it after everything else is
    locked.
    """
    queued = waiting or {}
    portions = list(freed)
    claims = inventory.claims_of({*reserved, *queued}) if reserved or queued else {}
    for wanted, states in ((reserved, _UNRELEASED), (queued, _WAITING)):
        for line_id, quantity in wanted.items():
            portions += portions_of(claims.get(line_id, ()), quantity, states)
    if portions:
        release(portions, reason, at=at, actor=actor)


def portions_of(
    claims: "list[ReservationView] | tuple[ReservationView, ...]",
    quantity: int,
    states: frozenset[str],
) -> list[Portion]:
    """So many units of the claims in these states, the newest first."""
    portions = []
    for claim in reversed(claims):
        if claim.state in states and (part := min(quantity, claim.open)) > 0:
            portions.append(Portion(claim.id, part))
            quantity -= part
    return portions
