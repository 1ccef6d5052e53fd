"""Stock: what may be promised, what lies there, why it changed, and who claims it."""

from datetime import datetime

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.querysets import StockQuerySet
from inventory.states import (
    CLAIMING_STATES,
    OPEN_COUNT_STATES,
    Condition,
    CountKind,
    CountState,
    MovementKind,
    ReservationState,
)


class StockPosition(models.Model):
    """The row that promises: what may be sold of one owner's SKU at one node, and what is claimed.

    `sellable` is Σ on hand of its sellable levels, `reserved` Σ open units of its reservations,
    `buffer` units kept back (safety stock, and the `haircut` while a node's figures are doubted),
    `landed` units set aside for waiting demand, `shortfall` what is reserved beyond what is there.
    Only `inventory.ledger`, the take and `inventory.buffers` write it.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="positions")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="positions", db_index=False)
    owner_id = models.UUIDField()
    sellable = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    buffer = models.BigIntegerField(default=0)
    haircut = models.BigIntegerField(default=0, db_default=0)
    shortfall = models.BigIntegerField(default=0)
    landed = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(
        null=True, help_text="As-of time of the last snapshot or count that set it."
    )
    fresh_until = models.DateTimeField(
        null=True, help_text="When the first of its lots on sale stops being so."
    )
    event_seq = models.BigIntegerField(default=0)
    changed_xid = models.BigIntegerField(
        editable=False, db_default=RawSQL("((pg_current_xact_id())::text)::bigint", ())
    )
    """The transaction that changed it last: set by the database where a writer does not."""

    objects = StockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sku", "node", "owner_id"], name="position_once"),
            models.CheckConstraint(
                condition=Q(sellable__gte=0, buffer__gte=0, shortfall__gte=0, landed__gte=0),
                name="position_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("sellable") + F("shortfall")),
                name="position_never_oversold",
            ),
            models.CheckConstraint(
                condition=Q(haircut__gte=0, haircut__lte=F("buffer")), name="position_haircut"
            ),
        ]
        indexes = [
            models.Index(fields=["node"], name="position_short", condition=Q(shortfall__gt=0)),
            models.Index(fields=["sku"], name="position_landed", condition=Q(landed__gt=0)),
            models.Index(
                fields=["fresh_until"],
                name="position_to_expire",
                condition=Q(fresh_until__isnull=False),
            ),
            # Of this kind alone an update stays on its page although the column changes.
            BrinIndex(
                fields=["changed_xid"],
                name="position_changed",
                pages_per_range=2,
                autosummarize=True,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.sku_id}"


class StockLevel(models.Model):
    """What lies there: units of a position in one condition and lot. Only the ledger writes it."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    position = models.ForeignKey(StockPosition, models.PROTECT, related_name="levels")
    condition = models.CharField(max_length=16, choices=Condition)
    lot = models.CharField(max_length=64, blank=True, default="")
    expires_on = models.DateField(null=True)
    on_hand = models.BigIntegerField(default=0)
    allocated = models.BigIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["position", "condition", "lot"], name="level_once"),
            models.CheckConstraint(
                condition=Q(condition__in=Condition.values), name="level_condition_known"
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, allocated__gte=0, allocated__lte=F("on_hand")),
                name="level_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position_id} {self.condition} {self.lot}"


class Movement(models.Model):
    """A line of the ledger: units that came or went, and why. Never changed.

    On hand of a level is the sum of its movements; `balance` is that sum after this one.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account_id = models.UUIDField()
    node_id = models.BigIntegerField()
    sku_id = models.BigIntegerField()
    position_id = models.BigIntegerField()
    level_id = models.BigIntegerField()
    condition = models.CharField(max_length=16)
    lot = models.CharField(max_length=64, default="")
    kind = models.CharField(max_length=16, choices=MovementKind)
    quantity = models.BigIntegerField()
    balance = models.BigIntegerField()
    cause_kind = models.CharField(max_length=32, default="")
    cause_id = models.UUIDField(null=True)
    source = models.CharField(max_length=64, default="")
    external_id = models.CharField(max_length=255, default="")
    note = models.TextField(default="")
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=120)
    correlation_id = models.CharField(max_length=64, default="")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = StockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=MovementKind.values), name="movement_kind_known"
            ),
            models.CheckConstraint(condition=~Q(quantity=0), name="movement_moves"),
        ]
        indexes = [
            models.Index(fields=["level_id", "id"], name="movement_level"),
            models.Index(fields=["position_id", "at"], name="movement_position"),
            models.Index(
                fields=["source", "external_id"],
                name="movement_external",
                condition=~Q(external_id=""),
            ),
            models.Index(
                fields=["cause_id"], name="movement_cause", condition=Q(cause_id__isnull=False)
            ),
        ]


class Reservation(StateModel):
    """A claim of one demand on a position; names no lot. Its row is its own history.

    held → reserved → committed → consumed; open ones → released | failed, held → expired;
    waiting (no position yet) → reserved when supply lands. Partial consumption and release are
    counters: `quantity = open + consumed + released`.

    Account, SKU and node are copied from the locked position, which refers to them: references of
    its own, checked row by row at COMMIT, would be a sixth of a take. `stock.reservation_place`
    compares them.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    state = StateField(max_length=12, choices=ReservationState, default=ReservationState.RESERVED)
    position = models.ForeignKey(
        StockPosition, models.PROTECT, null=True, related_name="reservations", db_index=False
    )
    sku = models.ForeignKey(
        Sku, models.PROTECT, related_name="reservations", db_constraint=False, db_index=False
    )
    node = models.ForeignKey(
        Node,
        models.PROTECT,
        null=True,
        related_name="reservations",
        db_constraint=False,
        db_index=False,
    )
    demand_id = models.UUIDField()
    thread_id = models.UUIDField()
    quantity = models.BigIntegerField()
    consumed = models.BigIntegerField(default=0)
    released = models.BigIntegerField(default=0)
    release_reason = models.CharField(max_length=48, default="", blank=True)
    expires_at = models.DateTimeField(null=True)
    priority = models.SmallIntegerField(default=0)
    promised_at = models.DateTimeField(null=True)
    inbound_line = models.ForeignKey(
        "inventory.InboundLine",
        models.PROTECT,
        null=True,
        related_name="reservations",
        db_index=False,
    )
    at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ReservationState.values), name="reservation_state_known"
            ),
            models.CheckConstraint(
                condition=Q(
                    quantity__gt=0,
                    consumed__gte=0,
                    released__gte=0,
                    quantity__gte=F("consumed") + F("released"),
                ),
                name="reservation_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(
                    state__in=[ReservationState.WAITING, *CLAIMING_STATES],
                    quantity__gt=F("consumed") + F("released"),
                )
                | Q(
                    state__in=[
                        ReservationState.CONSUMED,
                        ReservationState.RELEASED,
                        ReservationState.EXPIRED,
                        ReservationState.FAILED,
                    ],
                    quantity=F("consumed") + F("released"),
                ),
                name="reservation_open_while_units_are",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=CLAIMING_STATES) | Q(position__isnull=False),
                name="reservation_claims_a_position",
            ),
        ]
        indexes = [
            models.Index(
                fields=["position"],
                name="reservation_claims",
                condition=Q(state__in=CLAIMING_STATES),
            ),
            models.Index(
                fields=["sku"],
                name="reservation_waiting",
                condition=Q(state=ReservationState.WAITING),
            ),
            models.Index(
                fields=["expires_at"],
                name="reservation_expiry",
                condition=Q(state=ReservationState.HELD),
            ),
            models.Index(fields=["thread_id"], name="reservation_thread"),
            models.Index(fields=["demand_id"], name="reservation_demand"),
        ]

    @property
    def open(self) -> int:
        return self.quantity - self.consumed - self.released

    @transition(
        field=state,
        source=[ReservationState.HELD, ReservationState.WAITING],
        target=ReservationState.RESERVED,
    )
    def confirm(self) -> None:
        """The cart became an order, or the supply that it waited for has landed."""
        self.expires_at = None

    @transition(field=state, source=ReservationState.RESERVED, target=ReservationState.COMMITTED)
    def commit(self) -> None:
        """A fulfillment order asks the node for the units."""

    @transition(
        field=state,
        source=[ReservationState.RESERVED, ReservationState.COMMITTED],
        target=ReservationState.CONSUMED,
    )
    def consume(self, *, at: datetime) -> None:
        """The last open units left the node."""
        self.closed_at = at

    @transition(field=state, source=ReservationState.CONSUMED, target=ReservationState.COMMITTED)
    def reopen(self) -> None:
        """Units that had left are put back before the first scan."""
        self.closed_at = None

    @transition(
        field=state,
        source=[
            ReservationState.WAITING,
            ReservationState.HELD,
            ReservationState.RESERVED,
            ReservationState.COMMITTED,
        ],
        target=ReservationState.RELEASED,
    )
    def release(self, *, at: datetime) -> None:
        """The demand does not need the units here any more."""
        self.closed_at = at

    @transition(field=state, source=ReservationState.HELD, target=ReservationState.EXPIRED)
    def expire(self, *, at: datetime) -> None:
        """The cart did not become an order in time."""
        self.closed_at = at

    @transition(
        field=state,
        source=[ReservationState.RESERVED, ReservationState.COMMITTED],
        target=ReservationState.FAILED,
    )
    def fail(self, *, at: datetime) -> None:
        """The node could not serve it: short or damaged."""
        self.closed_at = at


class PositionWork(models.Model):
    """A debt of a position that somebody works off: open while `done_at` is empty."""

    quantity = models.BigIntegerField()
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class ShortfallWork(PositionWork):
    """Units reserved at a position that are not there; orders re-source them."""

    position = models.ForeignKey(
        StockPosition, models.PROTECT, related_name="shortfall_work", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position"], condition=Q(done_at=None), name="shortfall_work_open_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shortfall_work_some"),
        ]


class LandedWork(PositionWork):
    """Units set aside for waiting demand; orders turn them into reservations."""

    position = models.ForeignKey(
        StockPosition, models.PROTECT, related_name="landed_work", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position"], condition=Q(done_at=None), name="landed_work_open_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="landed_work_some"),
        ]


class CountRequest(StateModel):
    """A node is asked to count a SKU: open → answered | recount → answered; cancelled before that.

    A large difference is counted again by another person: `first_counted` is then what the first
    has found, and the book stands as it was.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="count_requests")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="count_requests")
    state = StateField(max_length=12, choices=CountState, default=CountState.OPEN)
    kind = models.CharField(max_length=12, choices=CountKind, default=CountKind.MANUAL)
    reason = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    first_counted = models.BigIntegerField(null=True)
    first_counted_by = models.CharField(max_length=64, default="", blank=True)
    counted = models.BigIntegerField(null=True)
    counted_by = models.CharField(max_length=64, default="", blank=True)
    answered_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=200, default="", blank=True)
    event_seq = models.BigIntegerField(default=1)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "sku"],
                condition=Q(state__in=OPEN_COUNT_STATES),
                name="count_request_open_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=CountState.values), name="count_request_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at"],
                name="count_request_open",
                condition=Q(state__in=OPEN_COUNT_STATES),
            )
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.sku_id}"

    @transition(field=state, source=list(OPEN_COUNT_STATES), target=CountState.ANSWERED)
    def answer(self, *, counted: int, by: str, at: datetime) -> None:
        self.counted, self.counted_by, self.answered_at = counted, by, at

    @transition(field=state, source=CountState.OPEN, target=CountState.RECOUNT)
    def doubt(self, *, counted: int, by: str, due_at: datetime) -> None:
        """The difference is large: another person counts before the book is changed."""
        self.first_counted, self.first_counted_by, self.due_at = counted, by, due_at

    @transition(field=state, source=list(OPEN_COUNT_STATES), target=CountState.CANCELLED)
    def cancel(self, *, reason: str, at: datetime) -> None:
        """Nobody needs the number any more."""
        self.cancel_reason, self.answered_at = reason, at


class Exclusion(models.Model):
    """A SKU is not sourced at a node until a time: after a short, a reject, or by hand."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="exclusions")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="exclusions")
    until = models.DateTimeField()
    reason = models.CharField(max_length=120)
    cause_kind = models.CharField(max_length=32, blank=True, default="")
    cause_id = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sku", "node"], name="exclusion_once")]

    def __str__(self) -> str:
        return f"{self.node_id} {self.sku_id} until {self.until}"
