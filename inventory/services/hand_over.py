"""A cart becomes an order: what was held for it becomes the order's, at the same positions.

The claims change hands, they are not given back and taken anew: `reserved` of their positions stays
as it is, so nobody can come between, and no quota, buffer or shortfall that came since undoes them.
What the order does not need of its hold is given back, what it needs beyond is taken like any other.
"""

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from django.db import connection

from config.kernel import ids
from config.kernel.types import Actor
from inventory.bindings import LotBook
from inventory.capacity import Book, CapacityBook, joined
from inventory.services.reservations import release
from inventory.services.take import lock_positions, take
from inventory.types import Portion, Taken, TakeResult, Want

EXPIRED, RELEASED, USED = "expired", "released", "used"
"""Why an order went without the hold of its cart."""

_ORDERED: Final = "ordered"


@dataclass(slots=True)
class _Claim:
    """Units held for a cart at a position; `left` are those that no want of its order has yet."""

    id: UUID
    thread_id: UUID
    position_id: int
    node_id: int
    sku_id: int
    left: int


@dataclass(frozen=True, slots=True)
class _Part:
    """Units of a claim that become a want's, as a reservation of this id."""

    id: UUID
    claim: _Claim
    want: Want


class HandOver:
    """The holds that orders take over, locked by this transaction until it ends."""

    def __init__(self, holds: Mapping[UUID, UUID], *, at: datetime) -> None:
        """`holds` by the thread of the order that takes each over. Two statements.

        Must run inside the caller's transaction, after its orders are locked and before any
        position is. Of two orders that name one hold the first has it.
        """
        self._at = at
        self.missed: dict[UUID, str] = {}
        self.taken: Counter[UUID] = Counter()
        self.given_back: Counter[UUID] = Counter()
        self._threads: dict[UUID, UUID] = {}
        known = _locked(set(holds.values()))
        for thread_id, hold_id in holds.items():
            why = _why_not(known.get(hold_id), at)
            if not why and hold_id in self._threads:
                why = USED
            if why:
                self.missed[thread_id] = why
            else:
                self._threads[hold_id] = thread_id
        self._claims = _claims(self._threads, at) if self._threads else []
        self._is_open = bool(self._threads)

    @property
    def threads(self) -> set[UUID]:
        """The orders that have their hold."""
        return set(self._threads.values())

    def held(self, thread_id: UUID) -> Counter[tuple[int, int]]:
        """Units by (node, SKU) that the order's hold still has to give."""
        found: Counter[tuple[int, int]] = Counter()
        for claim in self._claims:
            if claim.thread_id == thread_id and claim.left:
                found[claim.node_id, claim.sku_id] += claim.left
        return found

    def take(
        self,
        wants: Sequence[Want],
        taking: Callable[..., TakeResult],
        *,
        at: datetime,
        actor: Actor,
    ) -> TakeResult:
        """As `taking`, with what is held for the wants' orders first. The first call ends the holds.

        Where something is given back, or more is wanted than was held, windows and positions are
        locked at once; else the claims alone are written. Not within what is sent ahead.
        """
        if not self._is_open:
            return taking(wants, at=at, actor=actor)
        self._is_open = False
        parts, rest = self._covered(wants)
        over = [claim for claim in self._claims if claim.left]
        lost: list[Want] = []
        book: Book | None = None
        if rest or over or any(part.want.windows or part.want.min_expiry for part in parts):
            windows = {window for want in wants for window in want.windows}
            positions = {want.position_id for want in wants} | {one.position_id for one in over}
            lock_positions(positions, windows=windows)
            taking = partial(take, has_positions=True)
            book = joined(
                CapacityBook.of(_rooms(windows), at=at) if windows else None,
                LotBook.of([part.want for part in parts]),
            )
        if book is not None:
            parts, lost = _allowed(parts, book)
        self._give_back(at=at, actor=actor)
        kept = _hand_over(parts) if parts else []
        if book is not None:
            book.write(kept)
        for one in kept:
            self.taken[one.want.thread_id] += one.want.quantity
        had = {one.reservation_id for one in kept}
        lost += [part.want for part in parts if part.id not in had]
        counted = {(one.want.thread_id, one.want.node_id) for one in kept}
        rest = [replace(one, is_counted=(one.thread_id, one.node_id) in counted) for one in rest]
        result = taking(rest, at=at, actor=actor) if rest else TakeResult((), ())
        _close(self._threads, at)
        return TakeResult((*kept, *result.taken), (*lost, *result.lost))

    def end(self, *, at: datetime, actor: Actor) -> None:
        """End the holds where nothing was wanted of them: their units are free again."""
        if self._is_open:
            self.take([], take, at=at, actor=actor)

    def _covered(self, wants: Sequence[Want]) -> tuple[list[_Part], list[Want]]:
        """The wants' parts that claims cover, at the same positions, and what is left of them."""
        parts: list[_Part] = []
        rest: list[Want] = []
        for want in wants:
            missing = want.quantity
            for claim in self._claims:
                if claim.thread_id != want.thread_id or claim.position_id != want.position_id:
                    continue
                if units := min(missing, claim.left):
                    first = not any(part.claim is claim for part in parts)
                    parts.append(
                        _Part(
                            claim.id if first else ids.uuid7(),
                            claim,
                            replace(want, quantity=units),
                        )
                    )
                    claim.left -= units
                    missing -= units
            if missing:
                rest.append(replace(want, quantity=missing))
        return parts, rest

    def _give_back(self, *, at: datetime, actor: Actor) -> None:
        """What the orders do not need of their holds is free again."""
        portions = []
        for claim in self._claims:
            if claim.left:
                portions.append(Portion(claim.id, claim.left))
                self.given_back[claim.thread_id] += claim.left
                claim.left = 0
        if portions:
            release(portions, _ORDERED, at=at, actor=actor)


def _allowed(parts: Sequence[_Part], book: Book) -> tuple[list[_Part], list[Want]]:
    """The parts that limits and lots let pass; what they do not goes back with the rest."""
    kept: list[_Part] = []
    lost: list[Want] = []
    for part in parts:
        if book.allows(part.want, 0):
            book.count(part.want, 0)
            kept.append(part)
        else:
            part.claim.left += part.want.quantity
            lost.append(part.want)
    firsts = {part.claim.id for part in kept if part.id == part.claim.id}
    renamed = []
    for part in kept:
        if part.claim.id in firsts:
            renamed.append(part)
        else:
            firsts.add(part.claim.id)
            renamed.append(replace(part, id=part.claim.id))
    return renamed, lost


def _locked(hold_ids: Collection[UUID]) -> dict[UUID, tuple[str, datetime]]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, CASE WHEN taken_by IS NOT NULL THEN 'used' ELSE close_reason END, expires_at
            FROM inventory_carthold WHERE id = ANY(%s) ORDER BY id FOR UPDATE
            """,
            [sorted(hold_ids)],
        )
        return {row[0]: (row[1], row[2]) for row in cursor.fetchall()}


def _why_not(known: tuple[str, datetime] | None, at: datetime) -> str:
    if known is None:
        return RELEASED
    ended, expires_at = known
    return ended or (EXPIRED if expires_at <= at else "")


def _claims(threads: Mapping[UUID, UUID], at: datetime) -> list[_Claim]:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT id, thread_id, position_id, node_id, sku_id, quantity - consumed - released
            FROM inventory_reservation
            WHERE thread_id = ANY(%s) AND state = 'held' AND expires_at > %s ORDER BY id
            """,
            [list(threads), at],
        )
        return [_Claim(row[0], threads[row[1]], *row[2:]) for row in cursor.fetchall()]


def _rooms(window_ids: set[int]) -> list[dict[str, object]]:
    """The windows that this transaction has locked, as `CapacityBook` reads them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT json_agg(w) FROM (
                SELECT id, node_id, function, resource, starts_at, most - used - backlog AS room
                FROM inventory_capacitywindow WHERE id = ANY(%s)
            ) AS w
            """,
            [sorted(window_ids)],
        )
        [(rooms,)] = cursor.fetchall()
    return rooms or []


def _hand_over(parts: Sequence[_Part]) -> list[Taken]:
    """Give the claims their new owners; of a claim for several wants all but one are new rows.

    A claim that is not as it was read keeps what it has, and its parts are not answered: the
    sweeper was quicker. One statement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _HAND_OVER,
            [
                [part.claim.id for part in parts],
                [part.id for part in parts],
                [part.want.quantity for part in parts],
                [part.want.demand_id for part in parts],
                [part.want.thread_id for part in parts],
                [part.want.priority for part in parts],
                [part.want.promised_at for part in parts],
            ],
        )
        kept = {row[0] for row in cursor.fetchall()}
    return [Taken(part.want, part.id) for part in parts if part.claim.id in kept]


_HAND_OVER: Final = """
    WITH part AS (
        SELECT * FROM unnest(%s::uuid[], %s::uuid[], %s::bigint[], %s::uuid[], %s::uuid[],
            %s::smallint[], %s::timestamptz[])
            AS part (claim_id, id, units, demand_id, thread_id, priority, promised_at)
    ), sums AS (
        SELECT claim_id, sum(units) AS units FROM part GROUP BY 1
    ), kept AS (
        UPDATE inventory_reservation r
        SET state = 'reserved', expires_at = NULL, demand_id = part.demand_id,
            thread_id = part.thread_id, priority = part.priority, promised_at = part.promised_at,
            quantity = r.quantity - sums.units + part.units
        FROM part JOIN sums USING (claim_id)
        WHERE r.id = part.id AND part.id = part.claim_id AND r.state = 'held'
          AND r.quantity - r.consumed - r.released = sums.units
        RETURNING r.id, r.account_id, r.sku_id, r.node_id, r.position_id, r.at
    ), made AS (
        INSERT INTO inventory_reservation (id, account_id, sku_id, node_id, position_id, demand_id,
            thread_id, quantity, priority, promised_at, state, consumed, released, release_reason,
            at)
        SELECT part.id, kept.account_id, kept.sku_id, kept.node_id, kept.position_id,
            part.demand_id, part.thread_id, part.units, part.priority, part.promised_at, 'reserved',
            0, 0, '', kept.at
        FROM part JOIN kept ON kept.id = part.claim_id WHERE part.id <> part.claim_id
    ), counted AS (
        INSERT INTO inventory_quotause (reservation_id, quota_id)
        SELECT part.id, u.quota_id FROM part JOIN kept ON kept.id = part.claim_id
        JOIN inventory_quotause u ON u.reservation_id = part.claim_id
        WHERE part.id <> part.claim_id
    )
    SELECT id FROM kept
"""


def _close(threads: Mapping[UUID, UUID], at: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE inventory_carthold h
            SET closed_at = %s, close_reason = 'ordered', taken_by = taken.thread_id
            FROM unnest(%s::uuid[], %s::uuid[]) AS taken (id, thread_id) WHERE h.id = taken.id
            """,
            [at, list(threads), list(threads.values())],
        )
