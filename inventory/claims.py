"""Reservations in bulk: locked by id after their positions, moved in memory, written at once."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import connection

from config.kernel.errors import Busy, Conflict, NotFound
from config.kernel.types import ALL_ACCOUNTS
from inventory.bindings import Bindings
from inventory.ledger import Book
from inventory.models import Reservation
from inventory.quotas import CountedIn, count_used, lock_counting
from inventory.states import CLAIMING_STATES
from inventory.stock_rows import expect_rows
from inventory.types import Portion


class Claims:
    """Reservations that this transaction has locked, with the state that each had then."""

    def __init__(
        self,
        rows: Iterable[Reservation],
        quotas: Mapping[UUID, CountedIn] | None = None,
        book: Book | None = None,
        bound: Collection[UUID] = (),
    ) -> None:
        """`quotas` are those that the transaction has locked and that count these reservations.

        `bound` reservations have lots bound at levels of the `book`.
        """
        self.rows = {row.id: row for row in rows}
        self._states = {row.id: row.state for row in self.rows.values()}
        self._quotas = quotas or {}
        self._used = {id_: quota.used(self.rows[id_]) for id_, quota in self._quotas.items()}
        self._touched: dict[UUID, Reservation] = {}
        self._book, self.bindings = book, Bindings(bound)

    @classmethod
    def lock(
        cls,
        reservation_ids: Collection[UUID],
        quotas: Mapping[UUID, CountedIn] | None = None,
        book: Book | None = None,
        bound: Collection[UUID] = (),
    ) -> "Claims":
        """Lock the reservations by ascending id. Raises NotFound when one does not exist."""
        wanted = set(reservation_ids)
        claims = cls(
            Reservation.objects.for_scope(ALL_ACCOUNTS).locked(wanted), quotas, book, bound
        )
        if missing := wanted - claims.rows.keys():
            raise NotFound(f"There is no reservation {min(missing)}.")
        return claims

    def touch(self, row: Reservation) -> None:
        self._touched[row.id] = row

    def write(self) -> None:
        """Put the changed reservations down in one statement, each from the state it had."""
        rows = list(self._touched.values())
        if not rows:
            return
        with connection.cursor() as cursor:
            cursor.execute(
                """
                UPDATE inventory_reservation r
                SET state = now.state, consumed = now.consumed, released = now.released,
                    release_reason = now.release_reason, expires_at = now.expires_at,
                    position_id = now.position_id, node_id = now.node_id,
                    closed_at = now.closed_at
                FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::bigint[],
                    %s::text[], %s::timestamptz[], %s::bigint[], %s::bigint[], %s::timestamptz[])
                    AS now (id, was, state, consumed, released, release_reason, expires_at,
                        position_id, node_id, closed_at)
                WHERE r.id = now.id AND r.state = now.was
                """,
                [
                    [row.id for row in rows],
                    [self._states[row.id] for row in rows],
                    [str(row.state) for row in rows],
                    [row.consumed for row in rows],
                    [row.released for row in rows],
                    [row.release_reason for row in rows],
                    [row.expires_at for row in rows],
                    [row.position_id for row in rows],
                    [row.node_id for row in rows],
                    [row.closed_at for row in rows],
                ],
            )
            expect_rows(cursor.rowcount, len(rows))
        self._count_back()
        self._unbind()

    def _unbind(self) -> None:
        """Bind no more than the reservations still want: the rest of their lots is free again."""
        for row in self._touched.values():
            self.bindings.shrink(row.id, row.open if is_claiming(row) else 0)
        freed = self.bindings.write()
        if freed and self._book is not None:
            for level in self._book.levels.values():
                level.allocated -= freed.get(level.id or 0, 0)

    def _count_back(self) -> None:
        """Keep what quotas have used equal to their reservations: what was given up is free again."""
        changed: Counter[int] = Counter()
        for id_, quota in self._quotas.items():
            if id_ in self._touched:
                used = quota.used(self.rows[id_])
                changed[quota.quota_id] += used - self._used[id_]
                self._used[id_] = used
        if moved := {quota_id: units for quota_id, units in changed.items() if units}:
            count_used(moved)


def open_book(reservation_ids: Collection[UUID], *, levels: bool) -> tuple[Book, Claims]:
    """Lock the positions of the reservations, their levels if asked, then the reservations.

    Levels are locked too where one of the reservations has lots bound. Live quotas that count them are locked before all. Raises Busy when one of the reservations got
    a position in between: the caller may try again.
    """
    wanted = list(set(reservation_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT r.id, r.position_id, u.quota_id, EXISTS (SELECT
                FROM inventory_allocation a WHERE a.reservation_id = r.id)
            FROM inventory_reservation r
            LEFT JOIN inventory_quotause u ON u.reservation_id = r.id
            WHERE r.id = ANY(%s) AND r.position_id IS NOT NULL
            """,
            [wanted],
        )
        rows = cursor.fetchall()
    counted = {id_: quota_id for id_, _, quota_id, _ in rows if quota_id is not None}
    bound = [row[0] for row in rows if row[3]]
    quotas = lock_counting(counted) if counted else {}
    book = Book.of_positions([row[1] for row in rows], levels=levels or bool(bound))
    claims = Claims.lock(wanted, quotas, book, bound)
    for row in claims.rows.values():
        if row.position_id is not None and row.position_id not in book.positions:
            raise Busy("The reservation has just been given its stock.")
    return book, claims


def sum_lots(portions: Sequence[Portion]) -> dict[UUID, list[tuple[str, int]]]:
    """The lots that portions name, per reservation; one that names none is absent."""
    named: dict[UUID, list[tuple[str, int]]] = {}
    for portion in portions:
        if portion.lots:
            named.setdefault(portion.reservation_id, []).extend(portion.lots)
    return named


def sum_portions(portions: Sequence[Portion]) -> dict[UUID, int]:
    """Units per reservation. Raises Conflict for a portion of nothing."""
    wanted: dict[UUID, int] = {}
    for portion in portions:
        if portion.quantity <= 0:
            raise Conflict("A portion of a reservation has at least one unit.")
        wanted[portion.reservation_id] = wanted.get(portion.reservation_id, 0) + portion.quantity
    return wanted


def give_back(row: Reservation, quantity: int, *, reason: str, at: datetime) -> None:
    """Release units of one reservation; the last open ones close it as consumed or released."""
    require_open(row, quantity)
    row.released += quantity
    row.release_reason = reason
    if not row.open:
        if row.consumed:
            row.consume(at=at)
        else:
            row.release(at=at)


def require_open(row: Reservation, quantity: int) -> None:
    """Check that so many units are still open. Raises Conflict, naming what is."""
    if quantity > row.open:
        raise Conflict(
            f"Only {row.open} of the reservation's units are still open.",
            reservation_id=str(row.id),
            open=row.open,
        )


def position_of(row: Reservation) -> int:
    """The position that the reservation claims. Raises Conflict while it waits for supply."""
    if row.position_id is None:
        raise Conflict("The reservation still waits for supply.", reservation_id=str(row.id))
    return row.position_id


def is_claiming(row: Reservation) -> bool:
    """Whether its open units are counted in `reserved` of its position."""
    return row.state in CLAIMING_STATES
