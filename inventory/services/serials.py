"""Single things: seen once, they have a place, a lot and a way behind them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from config.kernel import case_reports
from config.kernel.errors import IllegalTransition
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory.models import Lot, Serial
from inventory.states import MovementKind, SerialState
from inventory.types import SerialSeen, StockChange, SubjectTag, subject_id

_STEPS = {
    SerialState.IN_STOCK.value: Serial.store,
    SerialState.PICKED.value: Serial.pick,
    SerialState.SHIPPED.value: Serial.ship,
    SerialState.RETURNED.value: Serial.come_back,
    SerialState.SCRAPPED.value: Serial.scrap,
}


def see_serials(seen: Sequence[SerialSeen], *, at: datetime, actor: Actor) -> None:
    """Record where single things were seen, making those that are new; in the caller's transaction.

    A thing that cannot have been there (it lies somewhere, or was shipped already) is a case, and
    believed: a fact is never refused. Called after positions were written. Five statements.
    """
    wanted = {(one.sku_id, one.number): one for one in seen}
    if not wanted:
        return
    lots = _lots(seen)
    every = Serial.objects.for_scope(ALL_ACCOUNTS)
    every.bulk_create(
        [
            Serial(
                account_id=one.account_id,
                sku_id=one.sku_id,
                number=one.number,
                state=_before(one.state),
                seen_at=at,
            )
            for _, one in sorted(wanted.items())
        ],
        ignore_conflicts=True,
    )
    rows = {
        (row.sku_id, row.number): row
        for row in every.filter(
            sku_id__in={key[0] for key in wanted}, number__in={key[1] for key in wanted}
        )
        .order_by("pk")
        .select_for_update(of=("self",))
        if (row.sku_id, row.number) in wanted
    }
    doubts = []
    for key, one in wanted.items():
        row = rows[key]
        is_new = row.cause_kind == "" and row.cause_id is None
        if not is_new and _is_doubtful(row, one):
            doubts.append((row, str(row.state)))
        _step(row, one)
        row.lot_id = lots.get((one.sku_id, one.lot), row.lot_id)
        row.position_id = one.position_id
        row.cause_kind, row.cause_id, row.seen_at = one.cause_kind, one.cause_id, at
    every.bulk_update(
        list(rows.values()), ["state", "lot", "position", "cause_kind", "cause_id", "seen_at"]
    )
    record_history(Serial, [row.pk for row in rows.values()], Change.CHANGED, at=at, actor=actor)
    _report(doubts, wanted, at=at)


def see_changed(changes: Sequence[tuple[StockChange, int]], *, at: datetime, actor: Actor) -> None:
    """Record the single things that (change, position) name: they came there, or are gone."""
    see_serials(
        [
            SerialSeen(
                change.account_id,
                change.sku_id,
                number,
                _state_of(change),
                change.cause_kind or change.kind,
                change.cause_id,
                change.lot,
                position_id if change.quantity > 0 else None,
            )
            for change, position_id in changes
            for number in change.serials
        ],
        at=at,
        actor=actor,
    )


def _state_of(change: StockChange) -> str:
    if change.kind == MovementKind.RETURN:
        return SerialState.RETURNED.value
    if change.quantity > 0:
        return SerialState.IN_STOCK.value
    gone = change.kind in (MovementKind.SALE, MovementKind.ISSUE, MovementKind.TRANSFER)
    return (SerialState.SHIPPED if gone else SerialState.SCRAPPED).value


def _before(state: str) -> str:
    """The state of a thing that is seen for the first time, right before that."""
    return (SerialState.SHIPPED if state == SerialState.RETURNED else SerialState.IN_STOCK).value


def _is_doubtful(row: Serial, one: SerialSeen) -> bool:
    """Whether the thing was somewhere else as far as we knew."""
    if (row.cause_kind, row.cause_id) == (one.cause_kind, one.cause_id):
        return False
    if one.state == SerialState.IN_STOCK:
        return row.state in (SerialState.IN_STOCK, SerialState.SHIPPED, SerialState.SCRAPPED)
    if one.state == SerialState.RETURNED:
        return bool(row.state != SerialState.SHIPPED)
    return row.state in (SerialState.SHIPPED, SerialState.SCRAPPED)


def _step(row: Serial, one: SerialSeen) -> None:
    """Take the step; where the machine knows none from here, by way of the shelf."""
    if row.state == one.state and one.state != SerialState.IN_STOCK:
        return
    try:
        _STEPS[one.state](row)
    except IllegalTransition:
        row.store()
        if one.state == SerialState.RETURNED:
            row.ship()
        _STEPS[one.state](row)


def _lots(seen: Sequence[SerialSeen]) -> dict[tuple[int, str], int]:
    found = Lot.objects.for_scope(ALL_ACCOUNTS).filter(
        sku_id__in={one.sku_id for one in seen}, code__in={one.lot for one in seen if one.lot}
    )
    return {(sku_id, code): pk for pk, sku_id, code in found.values_list("pk", "sku_id", "code")}


def _report(
    doubts: Sequence[tuple[Serial, str]],
    wanted: dict[tuple[int, str], SerialSeen],
    *,
    at: datetime,
) -> None:
    case_reports.report(
        [
            case_reports.Report(
                "SERIAL_SEEN_TWICE",
                "serial",
                subject_id(SubjectTag.SERIAL, row.pk),
                row.account_id,
                {"serial": row.number, "sku_id": row.sku_id, "was": was, "seen": str(row.state)},
                cause=f"sku:{row.sku_id}",
                thread_id=_cause_of(wanted[row.sku_id, row.number]),
            )
            for row, was in doubts
        ],
        at=at,
    )


def _cause_of(one: SerialSeen) -> UUID | None:
    return one.cause_id if one.cause_kind == "order" else None
