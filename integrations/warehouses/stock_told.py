"""What warehouses tell of stock, given to inventory's commands."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import inventory.selectors
from config.kernel.errors import Conflict, NotFound
from config.kernel.types import Actor, OutcomeKind
from integrations import connections
from integrations.warehouses.reports import Counted, StockMoved, StockSeen
from integrations.warehouses.telling import Came, Told, of, when
from integrations.warehouses.work_told import SNAPSHOT
from inventory import services
from inventory.types import SkuView, SnapshotRow, StockChange, SubjectTag, pk_of, tag_of

Names = dict[tuple[UUID, str], SkuView]


def apply(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    """Counts and snapshots first: what moved earlier is in their numbers already."""
    names = _names(told)
    _count(told, at=at, actor=actor)
    _see(told, names, at=at, actor=actor)
    _move(told, names, at=at, actor=actor)


def _names(told: Sequence[Told]) -> Names:
    """What the SKU codes mean in the accounts of their connections. Two statements per account."""
    codes: dict[UUID, set[str]] = {}
    for one, moved in of(told, StockMoved):
        codes.setdefault(one.ref.account_id, set()).add(moved.sku)
    for one, seen in of(told, StockSeen):
        codes.setdefault(one.ref.account_id, set()).update(row.sku for row in seen.rows)
    return {
        (account_id, code): sku
        for account_id, wanted in codes.items()
        for code, sku in inventory.selectors.skus_by_code(account_id, None, wanted).items()
    }


def _count(told: Sequence[Told], *, at: datetime, actor: Actor) -> None:
    for one, report in of(told, Counted):
        if not _is_count(report.count):
            one.differ("no-count", "It is no count of ours.")
            continue
        try:
            services.answer_count(
                pk_of(report.count), report.quantity, at=when([one], at), actor=actor
            )
        except NotFound:
            one.become(Came.WAITS, "no-count", "No such count was asked for.")
        except Conflict:
            one.become(Came.SAME)
        else:
            one.become(Came.DONE)


def _is_count(subject: UUID) -> bool:
    try:
        return tag_of(subject) is SubjectTag.COUNT_REQUEST
    except ValueError:
        return False


def _see(told: Sequence[Told], names: Names, *, at: datetime, actor: Actor) -> None:
    """Counted lists each by itself. Of several snapshots of one node the latest: the others are in it."""
    latest: dict[UUID, tuple[Told, StockSeen]] = {}
    for one, report in of(told, StockSeen):
        if report.counted:
            _apply_list(one, report, names, at=at, actor=actor)
            continue
        held = latest.get(one.ref.id)
        if held is None or report.at > held[1].at:
            latest[one.ref.id] = (one, report)
    for one, report in latest.values():
        try:
            _apply_list(one, report, names, at=at, actor=actor)
        except Conflict:
            continue  # A newer one of this feed stands.
        connections.move_cursor(one.ref.id, SNAPSHOT, {"as_of": when([one], at).isoformat()})


def _apply_list(one: Told, report: StockSeen, names: Names, *, at: datetime, actor: Actor) -> None:
    """Bring the book to what was seen, or counted. Raises Conflict where a newer snapshot stands."""
    rows = [
        SnapshotRow(
            names[one.ref.account_id, row.sku].id,
            row.quantity,
            row.condition,
            row.lot,
            expires_on=row.expires_on,
        )
        for row in report.rows
        if (one.ref.account_id, row.sku) in names
    ]
    as_of = when([one], at)
    services.apply_snapshot(
        one.node_id,
        one.ref.source,
        as_of,
        inventory.selectors.of_all_owners(one.node_id, rows, as_of),
        counted=report.counted,
        at=at,
        actor=actor,
    )
    one.become(Came.DONE)
    unknown = sorted({row.sku for row in report.rows} - {code for _, code in names})
    if unknown:
        one.partly = True
        one.differ("unknown-sku", f"{len(unknown)} SKUs are not known.", skus=unknown[:20])


def _move(told: Sequence[Told], names: Names, *, at: datetime, actor: Actor) -> None:
    changes: list[tuple[Told, StockChange]] = []
    for one, report in of(told, StockMoved):
        sku = names.get((one.ref.account_id, report.sku))
        if sku is None:
            one.become(Came.WAITS, "unknown-sku", f"No SKU is called {report.sku} here.")
            continue
        changes.append(
            (
                one,
                StockChange(
                    one.node_id,
                    sku.id,
                    sku.account_id,
                    report.quantity,
                    report.kind,
                    report.condition,
                    report.lot,
                    source=one.ref.source,
                    external_id=report.id[:150],
                    note=report.note,
                    expires_on=report.expires_on,
                    happened_at=report.at,
                    serials=report.serials,
                ),
            )
        )
    if not changes:
        return
    outcomes = services.record_changes([change for _, change in changes], at=at, actor=actor)
    for (one, _), outcome in zip(changes, outcomes, strict=True):
        if outcome.problem is not None:
            one.differ(outcome.problem.code, outcome.problem.detail)
        elif outcome.kind is OutcomeKind.DONE:
            one.become(Came.DONE)
