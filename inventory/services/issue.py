"""Units leave, come back before the first scan, or turn out not to be there.

Called inside the caller's transaction, which has locked the order and fulfillment order first.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

from config.kernel import versions
from config.kernel.errors import Conflict
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.bindings import insert_allocations
from inventory.claims import (
    give_back,
    open_book,
    position_of,
    require_open,
    sum_lots,
    sum_portions,
)
from inventory.draws import Draws, Mismatch, report_mismatches
from inventory.ledger import Book
from inventory.lives import TOPIC, days_of, least_expiry
from inventory.models import Movement, Reservation
from inventory.services.counts import ask_for_counts, exclude
from inventory.states import Condition, MovementKind, ReservationState, ShortageReason
from inventory.stock_rows import Level, Position, Why
from inventory.types import CountWanted, ExclusionWanted, IssuedPortion, Portion, Shortage

EXCLUDED_AFTER_SHORT = timedelta(hours=24)


def issue(
    portions: Sequence[Portion],
    cause_kind: str,
    cause_id: UUID,
    *,
    at: datetime,
    actor: Actor,
) -> None:
    """The units left the node: consume the reservations and lower on hand, first to expire first.

    Lots that a portion names are those that left, and a case where others had been bound. A fact is never refused: units beyond the book are issued with a discrepancy and a case. What
    left before the position's last snapshot or count is in that number already: it consumes the
    reservation, and a movement of the same size balances the issue.
    """
    why = Why(MovementKind.ISSUE, cause_kind, cause_id)
    wanted = sum_portions(portions)
    _issue(
        [(key, quantity, why) for key, quantity in wanted.items()],
        sum_lots(portions),
        at=at,
        actor=actor,
    )


def issue_transferred(portions: Sequence[IssuedPortion], *, at: datetime, actor: Actor) -> None:
    """As `issue`, for transfers, each portion under its own cause; one portion per reservation."""
    _issue(
        [
            (
                portion.reservation_id,
                portion.quantity,
                Why(MovementKind.TRANSFER, portion.cause_kind, portion.cause_id),
            )
            for portion in portions
        ],
        {portion.reservation_id: portion.lots for portion in portions if portion.lots},
        at=at,
        actor=actor,
    )


def _issue(
    wanted: Sequence[tuple[UUID, int, Why]],
    named: Mapping[UUID, Sequence[tuple[str, int]]],
    *,
    at: datetime,
    actor: Actor,
) -> None:
    found: list[Mismatch] = []
    book, claims = open_book({key for key, _, _ in wanted}, levels=True)
    for reservation_id, quantity, why in wanted:
        row = claims.rows[reservation_id]
        require_open(row, quantity)
        _require_confirmed(row)
        position = book.positions[position_of(row)]
        row.consumed += quantity
        if not row.open:
            row.consume(at=at)
        claims.touch(row)
        book.claim(position, -quantity)
        if _lower_counted(book, position, quantity, why, at=at):
            continue
        parts = Draws(book, position, claims.bindings, row, named.get(row.id, ()), quantity)
        found += parts.mismatches
        book.draw(parts.parts, parts.default, quantity, why, at=at)
    claims.write()
    book.write(at=at, actor=actor)
    report_mismatches(found, at=at)


def put_back(portions: Sequence[IssuedPortion], *, at: datetime, actor: Actor) -> None:
    """Undo an issue before the first scan: the units lie in their lots again, still committed.

    Where the law wants the lot on record, the channel wants some days left of it, or the reservation
    has lots bound, they are bound to it again. Raises Conflict when fewer units were consumed.
    """
    book, claims = open_book({portion.reservation_id for portion in portions}, levels=True)
    lots = _issued_lots(book, {portion.cause_id for portion in portions})
    # Most goods have no lots, and then nobody need be asked what must be left of them.
    in_lots = any(lot for taken in lots.values() for lot, _ in taken)
    days = _days_wanted(book) if in_lots else {}
    bound: list[tuple[Reservation, Level, int, date]] = []
    for portion in portions:
        row = claims.rows[portion.reservation_id]
        if not 0 < portion.quantity <= row.consumed:
            raise Conflict(
                f"Only {row.consumed} of the reservation's units had left.",
                reservation_id=str(row.id),
                consumed=row.consumed,
            )
        position = book.positions[position_of(row)]
        row.consumed -= portion.quantity
        if row.state == ReservationState.CONSUMED:
            row.reopen()
        claims.touch(row)
        book.claim(position, portion.quantity)
        why = Why(MovementKind.PUT_BACK, portion.cause_kind, portion.cause_id)
        issued = lots.get((position.id, portion.cause_id), [])
        returned = _raise(book, position, portion.quantity, why, issued, at=at)
        wanted = least_expiry(days, portion.channel_id, position.key.sku_id, at)
        if wanted is not None or claims.bindings.of(row.id):
            least = wanted or at.date()
            bound += [(row, level, units, least) for level, units in returned if level.lot]
    claims.write()
    book.write(at=at, actor=actor)
    _bind_again(bound)


def _bind_again(returned: Sequence[tuple[Reservation, Level, int, date]]) -> None:
    """Bind what came back; what has gone on to quality hold, its lot being stopped, is not bound."""
    rows: list[tuple[UUID, UUID, int, int, date | None]] = []
    for row, level, units, least in returned:
        part = min(units, level.on_hand - level.allocated)
        if level.id is not None and part > 0:
            level.allocated += part
            rows.append((row.account_id, row.id, level.id, part, least))
    if rows:
        insert_allocations(rows)


def record_shortages(shortages: Sequence[Shortage], *, at: datetime, actor: Actor) -> None:
    """Units that a picker did not find, or found broken, are no longer available.

    They go to `count_pending` or `damaged`, their reservation gives them up, the node is asked
    to count, and the SKU is not sourced there for 24 hours or until the count is answered.
    """
    _require_reasons(shortages)
    book, claims = open_book({one.reservation_id for one in shortages}, levels=True)
    found: dict[tuple[int, int], str] = {}
    for shortage in shortages:
        row = claims.rows[shortage.reservation_id]
        require_open(row, shortage.quantity)
        _require_confirmed(row)
        position = book.positions[position_of(row)]
        book.claim(position, -shortage.quantity)
        _set_apart(book, position, shortage, at=at)
        _give_up(row, shortage, at=at)
        claims.touch(row)
        found[position.key.node_id, position.key.sku_id] = shortage.reason
    claims.write()
    accounts = {
        (position.key.node_id, position.key.sku_id): position.key.account_id
        for position in book.positions.values()
    }
    asked = ask_for_counts(
        [
            CountWanted(accounts[place], *place, reason, kind=reason)
            for place, reason in sorted(found.items())
        ],
        at=at,
        actor=actor,
    )
    exclude(
        [
            ExclusionWanted(
                *place, at + EXCLUDED_AFTER_SHORT, reason, "count_request", asked.get(place)
            )
            for place, reason in sorted(found.items())
        ],
        at=at,
        actor=actor,
    )
    book.write(at=at, actor=actor)


def _require_confirmed(row: Reservation) -> None:
    if row.state not in (ReservationState.RESERVED, ReservationState.COMMITTED):
        raise Conflict(f"The reservation is {row.state}.", reservation_id=str(row.id))


def _lower_counted(
    book: Book, position: Position, quantity: int, why: Why, *, at: datetime
) -> bool:
    """Balance what left before the last count, which has not seen it; whether it did."""
    if position.counted_at is None or at >= position.counted_at:
        return False
    default = book.level(position)
    note = f"left before the count of {position.counted_at:%Y-%m-%d %H:%M} UTC"
    counted = Why(MovementKind.SNAPSHOT, why.cause_kind, why.cause_id, note=note)
    book.move(default, quantity, counted, at=at)
    book.move(default, -quantity, why, at=at)
    return True


def _raise(
    book: Book,
    position: Position,
    quantity: int,
    why: Why,
    lots: list[tuple[str, int]],
    *,
    at: datetime,
) -> list[tuple[Level, int]]:
    """Put units back into the lots that they came from; answers the levels, with the units of each."""
    returned: list[tuple[Level, int]] = []
    left = quantity
    while left and lots:
        lot, issued = lots.pop()
        part = min(left, issued)
        level = book.level(position, lot=lot)
        book.move(level, part, why, at=at)
        returned.append((level, part))
        left -= part
        if issued > part:
            lots.append((lot, issued - part))
    if left:
        book.move(book.level(position), left, why, at=at)
    return returned


def _days_wanted(book: Book) -> dict[tuple[UUID | None, int], int]:
    """(channel, SKU) → days that must be left, of the accounts concerned. One statement while known."""
    version = versions.read([TOPIC])[TOPIC]
    days: dict[tuple[UUID | None, int], int] = {}
    for account_id in {position.key.account_id for position in book.positions.values()}:
        days |= days_of(account_id, version)
    return days


def _issued_lots(
    book: Book, cause_ids: Collection[UUID]
) -> dict[tuple[int, UUID], list[tuple[str, int]]]:
    """(lot, units) that each cause took from each position and has not put back yet."""
    moved = (
        Movement.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            cause_id__in=list(cause_ids),
            position_id__in=list(book.positions),
            condition=Condition.AVAILABLE,
            kind__in=[MovementKind.ISSUE, MovementKind.PUT_BACK],
        )
        .order_by("id")
        .values_list("position_id", "cause_id", "lot", "quantity")
    )
    issued: dict[tuple[int, UUID], dict[str, int]] = {}
    for position_id, cause_id, lot, quantity in moved:
        lots = issued.setdefault((position_id, cause_id), {})
        lots[lot] = lots.get(lot, 0) - quantity
    return {
        taken: [(lot, units) for lot, units in lots.items() if units > 0]
        for taken, lots in issued.items()
    }


def _set_apart(book: Book, position: Position, shortage: Shortage, *, at: datetime) -> None:
    """Move what the book still has of the units out of `available`, lot by lot."""
    damaged = shortage.reason == ShortageReason.DAMAGED
    kind = MovementKind.DAMAGE if damaged else MovementKind.SHORT
    target = Condition.DAMAGED if damaged else Condition.COUNT_PENDING
    why = Why(kind, "reservation", shortage.reservation_id)
    left = shortage.quantity
    for level in book.levels_of(position):
        if part := min(left, level.on_hand):
            book.shift(level, target, part, why, at=at)
            left -= part


def _give_up(row: Reservation, shortage: Shortage, *, at: datetime) -> None:
    """Release the units; a reservation that gives up all it had has failed."""
    if shortage.quantity == row.open and not row.consumed:
        row.released += shortage.quantity
        row.release_reason = shortage.reason
        row.fail(at=at)
    else:
        give_back(row, shortage.quantity, reason=shortage.reason, at=at)


def _require_reasons(shortages: Sequence[Shortage]) -> None:
    for shortage in shortages:
        if shortage.quantity <= 0 or shortage.reason not in ShortageReason.values:
            raise Conflict("A shortage has at least one unit and is short or damaged.")
