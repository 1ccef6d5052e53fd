"""The sheet: orders locked by this transaction, their lines, and what has changed so far.

Every command that moves units opens a sheet (three statements), changes it in memory under its
guards, and writes it (one statement for all tables, one for history, one for events).
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db import connection, models

from config.kernel import events, ids
from config.kernel.ahead import check_ahead, hand_over, sending_ahead
from config.kernel.errors import Conflict, NotFound
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel
from config.kernel.types import ALL_ACCOUNTS, Actor, Scope
from orders import progress
from orders.models import DeliveryGroup, Hold, LineCancellation, Order, OrderLine
from orders.rows import Statement
from orders.services.in_hand import GROUP_COLUMNS, GroupInHand, LineInHand, group_values, read_parts
from orders.states import BUCKETS, SHIPPED_BUCKETS, HoldScope, LineKind, OrderState, Progress
from orders.types import Move

_ORDER_COLUMNS = (
    "state",
    "progress",
    "payment_state",
    "accepted_at",
    "closed_at",
    "cancelled_at",
    "invoiced_minor",
    "cancelled_minor",
    "credited_minor",
    "credit_open_minor",
    "holds_open",
    "blocked",
    "plan_version",
    "event_seq",
    "ship_by",
    "deliver_by",
    "remorse_until",
)


_order_values: Callable[[Order], tuple[Any, ...]] = attrgetter(*_ORDER_COLUMNS)

_OUT = frozenset(SHIPPED_BUCKETS)


_LEADS_TO = {
    "pending": frozenset({"backordered", "reserved", "cancelled"}) | _OUT,
    "backordered": frozenset({"pending", "reserved", "cancelled"}) | _OUT,
    "reserved": frozenset({"pending", "backordered", "released", "cancelled"}),
    "released": frozenset({"pending", "reserved", "cancelled"}) | _OUT,
    "underway": frozenset({"released"}) | _OUT,
    "delivered": frozenset({"returned", "pending"}) | _OUT,
    "lost": _OUT,
    "sent_back": _OUT,
}
"""Where units of a bucket may go. What is cancelled or returned stays so."""


@dataclass(slots=True)
class Sheet:
    """Locked orders and their parts by id. Nothing is in the database before `write`."""

    orders: dict[UUID, Order]
    lines: dict[UUID, LineInHand]
    groups: dict[UUID, GroupInHand]
    statement: Statement = field(default_factory=Statement)
    _lines_of: dict[UUID, list[LineInHand]] = field(default_factory=dict)
    _groups_of: dict[UUID, list[GroupInHand]] = field(default_factory=dict)
    _billed: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    _read_lines: dict[UUID, tuple[int, ...]] = field(default_factory=dict)
    _read_groups: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)
    _read_orders: dict[UUID, tuple[Any, ...]] = field(default_factory=dict)
    _facts: list[events.Fact] = field(default_factory=list)
    _inserts: list[tuple[type[models.Model], dict[str, Any]]] = field(default_factory=list)
    _history: dict[tuple[type[models.Model], Change], list[UUID]] = field(default_factory=dict)
    _cancellations: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    _mapped: dict[UUID, dict[str, Any]] = field(default_factory=dict)
    _plan_raised: set[UUID] = field(default_factory=set)

    def map_lines(self, rows: list[dict[str, Any]]) -> None:
        """Give lines their SKU, kind and weight; written with their quantities."""
        self._mapped = {row["id"]: row for row in rows}

    def lines_of(self, order_id: UUID) -> list[LineInHand]:
        return self._lines_of.get(order_id, [])

    def groups_of(self, order_id: UUID) -> list[GroupInHand]:
        return self._groups_of.get(order_id, [])

    def order_of_line(self, line_id: UUID) -> Order:
        return self.orders[self.lines[line_id].order_id]

    def move(self, line_id: UUID, source: str, target: str, quantity: int) -> None:
        """Take units from one bucket to another. Raises Conflict when the source has fewer."""
        line = self.lines[line_id]
        target = "underway" if target == "shipped" else target
        if source == target or target not in _LEADS_TO.get(source, ()):
            raise Conflict(f"Units do not go from {source} to {target}.")
        if quantity < 1 or getattr(line, source) < quantity:
            raise Conflict(
                f"{quantity} of {line.external_sku} are to go from {source} to {target}, but "
                f"{getattr(line, source)} are there.",
                line_id=str(line_id),
            )
        if target == "returned":
            if line.returned + quantity > line.delivered:
                raise Conflict(f"More of {line.external_sku} come back than were delivered.")
            line.returned += quantity
            return
        setattr(line, source, getattr(line, source) - quantity)
        setattr(line, target, getattr(line, target) + quantity)
        was_out, is_out = source in SHIPPED_BUCKETS, target in SHIPPED_BUCKETS
        line.shipped += quantity * (is_out - was_out)
        self.raise_plan(line.order_id)

    def apply(self, moves: Iterable[Move]) -> None:
        for move in moves:
            self.move(move.line_id, move.source, move.target, move.quantity)

    def raise_plan(self, order_id: UUID) -> None:
        """Whatever a plan was made from is no longer as it was: once per command."""
        if order_id not in self._plan_raised:
            self._plan_raised.add(order_id)
            self.orders[order_id].plan_version += 1

    def tell(self, order_id: UUID, topic: str, data: dict[str, Any] | None = None) -> None:
        """Record an event of the order when the sheet is written; raises its `event_seq`."""
        order = self.orders[order_id]
        order.event_seq += 1
        self._facts.append(
            events.Fact(
                topic, "order", order_id, order.event_seq, order.account_id, data or {}, order_id
            )
        )

    def insert(self, model: type[models.Model], row: dict[str, Any]) -> None:
        """Insert the row with the rest of the sheet; rows of one model name the same columns."""
        self._inserts.append((model, row))

    def inserted(self, model: type[models.Model]) -> list[dict[str, Any]]:
        """The rows of the model that are to be inserted; until then they may be changed."""
        return [row for known, row in self._inserts if known is model]

    def place_hold(self, row: dict[str, Any]) -> None:
        """Insert the hold with the rest of the sheet, counted and blocking at once."""
        order = self.orders[row["order_id"]]
        order.holds_open += 1
        if row["scope"] == HoldScope.ORDER:
            order.blocked = sorted({*order.blocked, *row["blocks"]})
        self.insert(Hold, row)
        self.note_history(Hold, row["id"], Change.CREATED)
        self.tell(order.id, "order.held", {"hold_id": str(row["id"]), "type": row["type"]})

    def note_history(self, model: type[models.Model], pk: UUID, change: Change) -> None:
        """Have the row copied into its history when the sheet is written."""
        self._history.setdefault((model, change), []).append(pk)

    def cancel_units(
        self, line_id: UUID, portions: dict[str, int], *, reason: str, initiator: str, at: datetime
    ) -> int:
        """Move units from the named buckets to cancelled, with the row that says why."""
        line = self.lines[line_id]
        quantity = 0
        for bucket, units in portions.items():
            if units:
                self.move(line_id, bucket, "cancelled", units)
                quantity += units
        if quantity and line_id in self._cancellations:
            self._cancellations[line_id]["quantity"] += quantity
        elif quantity:
            self._cancellations[line_id] = {
                "id": ids.uuid7(),
                "order_id": line.order_id,
                "line_id": line_id,
                "account_id": line.account_id,
                "quantity": quantity,
                "amount_minor": 0,
                "reason": reason[:200],
                "initiator": initiator,
                "at": at,
            }
        return quantity

    def price_cancellation(self, line_id: UUID, amount_minor: int) -> None:
        """What the units cancelled now were worth."""
        if line_id in self._cancellations:
            self._cancellations[line_id]["amount_minor"] += amount_minor

    def closed_before(self, line_id: UUID) -> tuple[int, int]:
        """Units (shipped, cancelled) of the line that have been billed already."""
        return self._billed[line_id]

    def bill_up_to_now(self, line_id: UUID) -> None:
        line = self.lines[line_id]
        self._billed[line_id] = (line.shipped, line.cancelled)

    def follow(self, order_id: UUID, *, at: datetime) -> bool:
        """Let the lines that ship nothing go with the stock. Answers whether any went out."""
        went_out = False
        for move in progress.following_moves(self.lines_of(order_id)):
            if move.target == "cancelled":
                self.cancel_units(
                    move.line_id,
                    {move.source: move.quantity},
                    reason="goes with the goods, all cancelled",
                    initiator="system",
                    at=at,
                )
            else:
                self.move(move.line_id, move.source, move.target, move.quantity)
                went_out = True
        return went_out

    def unfollow(self, order_id: UUID) -> None:
        """Have the lines that went with the stock wait again: stock of their order is open."""
        for move in progress.unfollowing_moves(self.lines_of(order_id)):
            self.move(move.line_id, move.source, move.target, move.quantity)

    def is_billed_now(self, order_id: UUID) -> bool:
        """Whether this command has invoiced or dropped anything of the order."""
        read = dict(zip(_ORDER_COLUMNS, self._read_orders[order_id], strict=True))
        order = self.orders[order_id]
        return (order.invoiced_minor, order.cancelled_minor) != (
            read["invoiced_minor"],
            read["cancelled_minor"],
        )

    def fold(self) -> None:
        """Store how far each order is."""
        for order_id, order in self.orders.items():
            lines = self.lines_of(order_id)
            if lines:
                found = progress.fold(lines)
                if found is Progress.WAITING:
                    found = progress.waiting_for(
                        self.groups[line.group_id].fulfilled_by for line in lines if line.open
                    )
                order.progress = found

    def write(
        self,
        *,
        at: datetime,
        actor: Actor,
        reason: str,
        meanwhile: Callable[[], None] | None = None,
    ) -> list[Order]:
        """Write what has changed: one statement for the tables, one for history, one for events.

        They are sent ahead. `meanwhile` writes what else belongs to the change and is called while
        they are at work; it must not read a row count.
        """
        self.fold()
        now = {order_id: _order_values(order) for order_id, order in self.orders.items()}
        changed = [i for i, values in now.items() if values != self._read_orders[i]]
        self._write_inserts()
        self._write_lines()
        self._write_groups()
        self._write_orders(now, changed, at)
        with sending_ahead():
            self.statement.run()
            hand_over()
            self._history.setdefault((Order, Change.CHANGED), []).extend(changed)
            for (model, change), pks in self._history.items():
                record_history(model, pks, change, at=at, actor=actor, reason=reason)
            events.record(self._facts, at=at, actor=actor)
            if meanwhile is not None:
                check_ahead(len(changed))
                meanwhile()
        self._read_orders = now
        self._begin()
        return [self.orders[order_id] for order_id in changed]

    def _write_orders(
        self, now: Mapping[UUID, tuple[Any, ...]], changed: Sequence[UUID], at: datetime
    ) -> None:
        before = self._read_orders
        written = _different(now, before, changed)
        names = ["id", "before_state", *(_ORDER_COLUMNS[place] for place in written), "updated_at"]
        self.statement.update(
            Order,
            [
                dict(
                    zip(
                        names,
                        (
                            order_id,
                            before[order_id][0],
                            *(now[order_id][place] for place in written),
                            max(self.orders[order_id].updated_at, at),
                        ),
                        strict=True,
                    )
                )
                for order_id in changed
            ],
            guard='kept.state = given."before_state"',
        )

    def _write_inserts(self) -> None:
        by_model: dict[type[models.Model], list[dict[str, Any]]] = {}
        for model, row in self._inserts:
            by_model.setdefault(model, []).append(row)
        by_model[LineCancellation] = list(self._cancellations.values())
        for model, rows in by_model.items():
            self.statement.insert(model, rows)

    def _write_lines(self) -> None:
        now = {line_id: line.quantities() for line_id, line in self.lines.items()}
        for line_id, row in self._mapped.items():
            row.update(zip(BUCKETS, now[line_id], strict=True))
        before = self._read_lines
        moved = [i for i, units in now.items() if units != before[i] and i not in self._mapped]
        written = _different(now, before, moved)
        self.statement.add(
            OrderLine,
            [
                {"id": i} | {BUCKETS[place]: now[i][place] - before[i][place] for place in written}
                for i in moved
            ],
        )
        self.statement.update(OrderLine, list(self._mapped.values()))
        self._read_lines = now
        for line_id in (*moved, *self._mapped):
            self.bill_up_to_now(line_id)

    def _write_groups(self) -> None:
        now = {group_id: group_values(group) for group_id, group in self.groups.items()}
        before = self._read_groups
        changed = [i for i, values in now.items() if values != before[i]]
        written = _different(now, before, changed)
        self.statement.update(
            DeliveryGroup,
            [
                {"id": i} | {GROUP_COLUMNS[place]: now[i][place] for place in written}
                for i in changed
            ],
        )
        self._read_groups = now

    def _begin(self) -> None:
        """What is on the sheet now is in the database."""
        self.statement = Statement()
        self._facts, self._inserts, self._plan_raised = [], [], set()
        self._history, self._cancellations, self._mapped = {}, {}, {}

    def _remember(self) -> None:
        self._billed = {line.id: (line.shipped, line.cancelled) for line in self.lines.values()}
        self._read_lines = {line.id: line.quantities() for line in self.lines.values()}
        self._read_groups = {group.id: group_values(group) for group in self.groups.values()}
        self._read_orders = {order.id: _order_values(order) for order in self.orders.values()}


def _different(
    now: Mapping[UUID, tuple[Any, ...]],
    before: Mapping[UUID, tuple[Any, ...]],
    changed: Sequence[UUID],
) -> list[int]:
    """The places of the values that are not in every row as they were: only those are written."""
    places: set[int] = set()
    for row_id in changed:
        pairs = zip(now[row_id], before[row_id], strict=True)
        places.update([place for place, (new, old) in enumerate(pairs) if new != old])
    return sorted(places)


def open_sheet(order_ids: Iterable[UUID], *, skip_locked: bool = False) -> Sheet:
    """Lock the orders in id order and read their channels, lines and groups: three statements.

    Orders that do not exist (or, with `skip_locked`, are taken by others) are not on the sheet.
    Must be called inside the transaction, before anything below orders is locked.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("orders are locked inside a transaction")
    wanted = sorted(set(order_ids))
    query = Order.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=wanted).order_by("pk")
    orders = {
        order.id: order for order in query.select_for_update(of=("self",), skip_locked=skip_locked)
    }
    _give_channels(orders.values())
    return _sheet_of(orders)


def _give_channels(orders: Collection[Order]) -> None:
    """The orders' channels, whose policies every command asks for: one object for all of its orders."""
    wanted = {order.channel_id for order in orders}
    channels = Channel.objects.for_scope(ALL_ACCOUNTS).in_bulk(wanted) if wanted else {}
    for order in orders:
        order.channel = channels[order.channel_id]


def _sheet_of(orders: dict[UUID, Order]) -> Sheet:
    lines, groups = read_parts(list(orders))
    sheet = Sheet(orders, lines, groups)
    for line in lines.values():
        sheet._lines_of.setdefault(line.order_id, []).append(line)
    for group in groups.values():
        sheet._groups_of.setdefault(group.order_id, []).append(group)
    sheet._remember()
    return sheet


def visible(sheet: Sheet, order_id: UUID, scope: Scope) -> Order:
    """The order on the sheet. Raises NotFound when it does not exist or is beyond the scope."""
    order = sheet.orders.get(order_id)
    if order is None or not scope.allows(order.account_id):
        raise NotFound("There is no such order.")
    return order


def orders_of_lines(line_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The order of each line, so that it can be locked first."""
    rows = OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(line_ids))
    return dict(rows.values_list("pk", "order_id"))


def orders_of_groups(group_ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """The order of each group, so that it can be locked first."""
    rows = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=list(group_ids))
    return dict(rows.values_list("pk", "order_id"))


def open_lines(sheet: Sheet, order_id: UUID) -> list[LineInHand]:
    """Lines of the order with units neither shipped nor cancelled."""
    return [line for line in sheet.lines_of(order_id) if line.kind != LineKind.KIT and line.open]


def is_live(order: Order) -> bool:
    """Whether units of the order may still move."""
    return order.state in {OrderState.CAPTURED, OrderState.ACCEPTED}
