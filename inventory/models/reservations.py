"""Claims on stock, and demand that waits for it."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.models.stock import StockPosition
from inventory.states import (
    CLAIMING_STATES,
    ReservationState,
)


class Reservation(StateModel):
    """A claim of one demand on a position; names no lot. Its row is its own history.

    held → reserved → committed → consumed; open ones → released | failed, held → expired;
    waiting (no position yet) → reserved when supply lands. Partial consumption and release are
    counters: `quantity = open + consumed + released`.

    Account, SKU and node are copied from the locked position, which refers to them: references of
    its own, checked row by row at COMMIT, would be a tenth of PostgreSQL's work in a take.
    `stock.reservation_place` compares them, those of waiting demand too.
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
