"""What one node is asked to do for one delivery group, and how far it has come."""

from datetime import datetime, timedelta

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from fulfillment.querysets import FulfillmentOrderQuerySet
from fulfillment.states import OPEN_FULFILLMENT, FulfillmentState, RequestKind, RequestState

QUANTITIES = (
    "waiting",
    "accepted",
    "picked",
    "packed",
    "shipped",
    "collected",
    "rejected",
    "short",
    "cancelled",
)

PICKUP_IS_KEPT = timedelta(days=7)
"""How long units stay aside for the buyer who is to collect them."""


class FulfillmentOrder(StateModel):
    """The units of one delivery group that one node ships, or hands to the buyer.

    Its state is folded from its lines (`fulfillment.progress`)::

        released → acknowledged → picking ⇄ packed ⇄ shipped ⇄ completed
                                     ⇅
                          ready_for_pickup → collected
                                     └────→ expired → collected
        cancelled from every state before shipped and collected, when nothing is left

    A node that does not acknowledge may begin at any later step. A parcel that is opened
    takes packed back to picking; one that never went takes shipped back to packed; a scan that
    finds a lost parcel takes completed back to shipped.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'FO-' || nextval('fulfillment_order_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="+")
    group = models.ForeignKey("orders.DeliveryGroup", models.PROTECT, related_name="+")
    node = models.ForeignKey("inventory.Node", models.PROTECT, related_name="+")
    service_level = models.ForeignKey(
        "inventory.ServiceLevel", models.PROTECT, null=True, related_name="+"
    )
    contact = models.ForeignKey(
        "orders.Contact",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="Where it goes, when that is not where its group goes.",
    )
    method = models.CharField(max_length=16, help_text="The delivery group's method.")
    state = StateField(max_length=16, choices=FulfillmentState, default=FulfillmentState.RELEASED)
    priority = models.SmallIntegerField(default=0)
    external_id = models.CharField(max_length=64, default="", help_text="The node's own number.")
    released_at = models.DateTimeField()
    acknowledge_by = models.DateTimeField()
    ship_by = models.DateTimeField(null=True)
    expected_at = models.DateTimeField(
        null=True, help_text="When the node says that it ships, if it says so."
    )
    collect_by = models.DateTimeField(null=True)
    acknowledged_at = models.DateTimeField(null=True)
    picked_at = models.DateTimeField(
        null=True, help_text="When nothing was left to pick; empty while something is."
    )
    packed_at = models.DateTimeField(null=True)
    shipped_at = models.DateTimeField(null=True)
    ready_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    collected_by = models.CharField(
        max_length=16, default="", help_text="Who came: buyer or proxy. Never a name."
    )
    alarms = ArrayField(
        models.CharField(max_length=32), default=list, help_text="Case kinds raised already."
    )
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["alarms"])
    objects = FulfillmentOrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=FulfillmentState.values), name="fulfillment_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["node", "ship_by", "id"],
                name="fulfillment_node_queue",
                condition=Q(state__in=OPEN_FULFILLMENT),
            ),
            models.Index(
                fields=["acknowledge_by"],
                name="fulfillment_to_acknowledge",
                condition=Q(state=FulfillmentState.RELEASED),
            ),
            models.Index(
                fields=["collect_by"],
                name="fulfillment_to_collect",
                condition=Q(state=FulfillmentState.READY_FOR_PICKUP),
            ),
            models.Index(
                fields=["ship_by"],
                name="fulfillment_to_ship",
                condition=Q(state__in=OPEN_FULFILLMENT),
            ),
            BrinIndex(fields=["released_at"], name="fulfillment_released"),
            models.Index(
                fields=["shipped_at"],
                name="fulfillment_to_complete",
                condition=Q(state=FulfillmentState.SHIPPED),
            ),
            models.Index(
                fields=["ended_at"],
                name="fulfillment_to_put_back",
                condition=Q(state=FulfillmentState.EXPIRED),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=FulfillmentState.RELEASED, target=FulfillmentState.ACKNOWLEDGED)
    def acknowledge(self, *, at: datetime) -> None:
        self.acknowledged_at = at

    @transition(
        field=state,
        source=[FulfillmentState.RELEASED, FulfillmentState.ACKNOWLEDGED],
        target=FulfillmentState.PICKING,
    )
    def start_picking(self, *, at: datetime) -> None:
        """To pick is to acknowledge."""
        self.acknowledged_at = self.acknowledged_at or at

    @transition(
        field=state,
        source=[
            FulfillmentState.RELEASED,
            FulfillmentState.ACKNOWLEDGED,
            FulfillmentState.PICKING,
        ],
        target=FulfillmentState.PACKED,
    )
    def finish_packing(self, *, at: datetime) -> None:
        """Everything that is left to ship lies in a parcel."""
        self.acknowledged_at = self.acknowledged_at or at
        self.packed_at = at

    @transition(
        field=state,
        source=[FulfillmentState.PACKED, FulfillmentState.READY_FOR_PICKUP],
        target=FulfillmentState.PICKING,
    )
    def open_again(self, *, at: datetime) -> None:
        """A parcel was opened: its units are picked, no longer packed."""
        self.packed_at = self.ready_at = None

    @transition(
        field=state,
        source=[
            FulfillmentState.RELEASED,
            FulfillmentState.ACKNOWLEDGED,
            FulfillmentState.PICKING,
            FulfillmentState.PACKED,
        ],
        target=FulfillmentState.SHIPPED,
    )
    def ship(self, *, at: datetime) -> None:
        """The last unit that was left is with the carrier."""
        self.acknowledged_at = self.acknowledged_at or at
        self.shipped_at = at

    @transition(field=state, source=FulfillmentState.SHIPPED, target=FulfillmentState.PACKED)
    def take_back(self, *, at: datetime) -> None:
        """A parcel that was said to be with the carrier waits at the node."""
        self.shipped_at = None

    @transition(field=state, source=FulfillmentState.SHIPPED, target=FulfillmentState.COMPLETED)
    def complete(self, *, at: datetime) -> None:
        """Every parcel has ended its way."""
        self.ended_at = at

    @transition(field=state, source=FulfillmentState.COMPLETED, target=FulfillmentState.SHIPPED)
    def resume(self, *, at: datetime) -> None:
        """A parcel that had ended its way was seen on it again."""
        self.ended_at = None

    @transition(
        field=state,
        source=[
            FulfillmentState.RELEASED,
            FulfillmentState.ACKNOWLEDGED,
            FulfillmentState.PICKING,
        ],
        target=FulfillmentState.READY_FOR_PICKUP,
    )
    def await_collection(self, *, at: datetime) -> None:
        self.acknowledged_at = self.acknowledged_at or at
        self.packed_at = self.ready_at = at
        self.collect_by = at + PICKUP_IS_KEPT

    @transition(
        field=state,
        source=[
            FulfillmentState.PICKING,
            FulfillmentState.READY_FOR_PICKUP,
            FulfillmentState.EXPIRED,
        ],
        target=FulfillmentState.COLLECTED,
    )
    def collect(self, *, at: datetime) -> None:
        """The buyer has it: also late, while it was not put back, and when the rest fell short."""
        self.ended_at = at

    @transition(
        field=state,
        source=FulfillmentState.READY_FOR_PICKUP,
        target=FulfillmentState.EXPIRED,
    )
    def expire(self, *, at: datetime) -> None:
        """Nobody came. The units stay aside until they are scanned back onto the shelf."""
        self.ended_at = at

    @transition(field=state, source=OPEN_FULFILLMENT, target=FulfillmentState.CANCELLED)
    def cancel(self, *, at: datetime) -> None:
        """Nothing is left to do, and nothing was done."""
        self.ended_at = at


class FulfillmentLine(models.Model):
    """Units of one order line out of one reservation, and where the node's work has them.

    `requested` never changes; every unit is in exactly one of the other quantities.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    fulfillment_order = models.ForeignKey(FulfillmentOrder, models.PROTECT, related_name="lines")
    position = models.PositiveIntegerField()
    order_line = models.ForeignKey("orders.OrderLine", models.PROTECT, related_name="+")
    sku = models.ForeignKey("inventory.Sku", models.PROTECT, related_name="+")
    reservation_id = models.UUIDField(unique=True)
    requested = models.PositiveIntegerField()
    waiting = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    picked = models.PositiveIntegerField(default=0)
    packed = models.PositiveIntegerField(default=0)
    shipped = models.PositiveIntegerField(default=0)
    collected = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    short = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(requested=sum((F(name) for name in QUANTITIES[1:]), F("waiting"))),
                name="fulfillment_line_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(requested__gt=0), name="fulfillment_line_asks_something"
            ),
            models.UniqueConstraint(
                fields=["fulfillment_order", "position"], name="fulfillment_line_once"
            ),
        ]


class NodeRequest(StateModel):
    """A question to the node about work that it has.

    May units of a line be cancelled, or go elsewhere? May all of it be sent to another address, or by
    another service? `asked` and `granted` are units; a change concerns the work as a whole, and is
    granted for all of its units or none::

        sent → accepted | partly | refused
        sent → timed_out when the node stays silent, which means that it continues

    A late answer is still the truth: timed_out → accepted | partly | refused.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    fulfillment_order = models.ForeignKey(FulfillmentOrder, models.PROTECT, related_name="requests")
    line = models.ForeignKey(FulfillmentLine, models.PROTECT, null=True, related_name="requests")
    kind = models.CharField(max_length=16, choices=RequestKind, default=RequestKind.CANCEL)
    state = StateField(max_length=16, choices=RequestState, default=RequestState.SENT)
    asked = models.PositiveIntegerField(help_text="Units.")
    granted = models.PositiveIntegerField(default=0)
    contact = models.ForeignKey(
        "orders.Contact",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The address that a change wants.",
    )
    service_level = models.ForeignKey(
        "inventory.ServiceLevel",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="The service that a change wants.",
    )
    note = models.CharField(max_length=200, default="")
    sent_at = models.DateTimeField()
    until = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RequestState.values), name="node_request_state_known"
            ),
            models.CheckConstraint(
                condition=Q(granted__lte=F("asked")), name="node_request_within_asked"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=RequestKind.values), name="node_request_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(kind=RequestKind.CHANGE, line__isnull=True)
                & (Q(contact__isnull=False) | Q(service_level__isnull=False))
                | ~Q(kind=RequestKind.CHANGE)
                & Q(line__isnull=False, contact__isnull=True, service_level__isnull=True),
                name="node_request_is_of_a_line_or_a_change",
            ),
            models.UniqueConstraint(
                fields=["fulfillment_order"],
                name="node_request_one_change_open",
                condition=Q(kind=RequestKind.CHANGE, state=RequestState.SENT),
            ),
        ]
        indexes = [
            models.Index(
                fields=["until"],
                name="node_request_open",
                condition=Q(state=RequestState.SENT),
            ),
        ]

    @transition(
        field=state,
        source=[RequestState.SENT, RequestState.TIMED_OUT],
        target=RequestState.ACCEPTED,
    )
    def accept(self, *, granted: int, at: datetime) -> None:
        self.granted, self.answered_at = granted, at

    @transition(
        field=state,
        source=[RequestState.SENT, RequestState.TIMED_OUT],
        target=RequestState.PARTLY,
    )
    def accept_in_part(self, *, granted: int, at: datetime) -> None:
        self.granted, self.answered_at = granted, at

    @transition(
        field=state,
        source=[RequestState.SENT, RequestState.TIMED_OUT],
        target=RequestState.REFUSED,
    )
    def refuse(self, *, granted: int, at: datetime) -> None:
        self.granted, self.answered_at = granted, at

    @transition(field=state, source=RequestState.SENT, target=RequestState.TIMED_OUT)
    def time_out(self) -> None:
        """The node said nothing: it continues."""
