"""Returns, their lines, and the labels they travel with."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from returns.models.policies import ReturnPolicy
from returns.querysets import ReturnQuerySet
from returns.states import (
    ARRIVABLE,
    OPEN_RETURN,
    TO_DECIDE,
    PaidBy,
    ReturnKind,
    ReturnState,
    Trigger,
    Wants,
)


class Return(StateModel):
    """Goods of one order that come back, or came. The verdict on it is frozen when it is asked for.

    requested → (review) → authorized → in_transit → received → inspected → settled → closed; what
    comes later takes it to received again. declined from requested and review; expired from
    authorized; cancelled before anything is on its way. An arrival is a fact: it takes a return to
    received also from requested, review and expired.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'R-' || nextval('returns_return_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, null=True, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=12, choices=ReturnKind, default=ReturnKind.BUYER)
    state = StateField(max_length=12, choices=ReturnState, default=ReturnState.REQUESTED)
    external_id = models.CharField(max_length=128, default="", help_text="The channel's number.")
    policy = models.ForeignKey(ReturnPolicy, models.PROTECT, null=True, related_name="+")
    verdict = models.JSONField(default=dict, help_text="What the policy said, when it was asked.")
    words = models.CharField(max_length=500, default="")
    currency = models.CharField(max_length=3, default="")
    wants = models.CharField(max_length=12, choices=Wants, default=Wants.REFUND)
    keep = models.BooleanField(default=False, help_text="The buyer keeps the goods.")
    fee_minor = models.BigIntegerField(default=0)
    refunds_shipping = models.BooleanField(default=False)
    label_paid_by = models.CharField(max_length=12, choices=PaidBy, default=PaidBy.MERCHANT)
    refund_trigger = models.CharField(max_length=12, choices=Trigger, default=Trigger.INSPECTION)
    node = models.ForeignKey("inventory.Node", models.PROTECT, null=True, related_name="+")
    parcel_id = models.UUIDField(null=True, help_text="The parcel that the carrier sent back.")
    carrier_code = models.CharField(max_length=32, default="")
    tracking_number = models.CharField(max_length=64, default="")
    label_asked = models.PositiveSmallIntegerField(default=0)
    label_pending = models.BooleanField(default=False)
    why_declined = models.CharField(max_length=200, default="")
    credits = models.PositiveSmallIntegerField(default=0, help_text="Credit notes written so far.")
    credited_minor = models.BigIntegerField(default=0)
    exchange_order_id = models.UUIDField(null=True)
    requested_at = models.DateTimeField()
    authorized_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    first_scan_at = models.DateTimeField(null=True)
    received_at = models.DateTimeField(null=True)
    inspected_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField()
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords()
    objects = ReturnQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ReturnState.values), name="return_state_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ReturnKind.values), name="return_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(order__isnull=False) | Q(kind__in=[ReturnKind.BLIND]),
                name="return_of_an_order",
            ),
            models.UniqueConstraint(
                fields=["account", "external_id"],
                name="return_of_a_channel_once",
                condition=~Q(external_id=""),
            ),
            models.UniqueConstraint(
                fields=["parcel_id"],
                name="return_of_a_parcel_once",
                condition=Q(parcel_id__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="return_of_order"),
            models.Index(fields=["account", "state", "-id"], name="return_by_state"),
            models.Index(
                fields=["tracking_number"],
                name="return_tracking_number",
                condition=~Q(tracking_number=""),
            ),
            models.Index(
                fields=["expires_at"],
                name="return_to_expire",
                condition=Q(state=ReturnState.AUTHORIZED),
            ),
            models.Index(
                fields=["updated_at"], name="return_open", condition=Q(state__in=OPEN_RETURN)
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=ReturnState.REQUESTED, target=ReturnState.REVIEW)
    def ask_for_review(self) -> None:
        """A person has to decide."""

    @transition(field=state, source=TO_DECIDE, target=ReturnState.AUTHORIZED)
    def authorize(self, *, expires_at: datetime, at: datetime) -> None:
        self.authorized_at, self.expires_at = at, expires_at

    @transition(field=state, source=TO_DECIDE, target=ReturnState.DECLINED)
    def decline(self, *, why: str) -> None:
        self.why_declined = why

    @transition(field=state, source=ReturnState.AUTHORIZED, target=ReturnState.IN_TRANSIT)
    def travel(self, *, at: datetime) -> None:
        """A carrier has it."""
        self.first_scan_at = at

    @transition(field=state, source=ReturnState.AUTHORIZED, target=ReturnState.EXPIRED)
    def expire(self) -> None:
        """Nothing came in time."""

    @transition(
        field=state,
        source=[*TO_DECIDE, ReturnState.AUTHORIZED],
        target=ReturnState.CANCELLED,
    )
    def cancel(self) -> None:
        """The goods stay where they are."""

    @transition(field=state, source=ARRIVABLE, target=ReturnState.RECEIVED)
    def receive(self, *, at: datetime) -> None:
        self.received_at = at

    @transition(field=state, source=ReturnState.RECEIVED, target=ReturnState.INSPECTED)
    def inspect(self, *, at: datetime) -> None:
        """Everything that came was graded."""
        self.inspected_at = at

    @transition(
        field=state,
        source=[ReturnState.INSPECTED, ReturnState.SETTLED, ReturnState.CLOSED],
        target=ReturnState.RECEIVED,
    )
    def receive_more(self) -> None:
        """More of it came."""
        self.settled_at = self.closed_at = None

    @transition(
        field=state,
        source=[ReturnState.INSPECTED, ReturnState.AUTHORIZED],
        target=ReturnState.SETTLED,
    )
    def settle(self, *, at: datetime) -> None:
        """The buyer has got what is due, or the goods that stay with them were refunded."""
        self.settled_at = at

    @transition(field=state, source=ReturnState.SETTLED, target=ReturnState.CLOSED)
    def close(self, *, at: datetime) -> None:
        """The money has arrived."""
        self.closed_at = at


class ReturnLine(models.Model):
    """Units of one order line in a return; or of a SKU that nobody has ordered.

    Received, accepted and refunded are three numbers: what came, what of it is as it should be,
    and what was paid for. `requested` is 0 where nobody had announced it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    returned = models.ForeignKey(Return, models.PROTECT, related_name="lines")
    position = models.PositiveSmallIntegerField()
    order_line = models.ForeignKey("orders.OrderLine", models.PROTECT, null=True, related_name="+")
    sku = models.ForeignKey(
        "inventory.Sku", models.PROTECT, null=True, related_name="+", db_index=False
    )
    title = models.CharField(max_length=300, default="")
    reason = models.CharField(max_length=48, default="")
    reason_class = models.CharField(max_length=16, default="")
    requested = models.PositiveIntegerField(default=0)
    received = models.PositiveIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    refunded = models.PositiveIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["returned", "position"], name="return_line_position_once"
            ),
            models.CheckConstraint(
                condition=Q(accepted__lte=F("received") - F("rejected")),
                name="return_line_accepted_was_received",
            ),
            models.CheckConstraint(
                condition=Q(refunded__lte=Greatest(F("requested"), F("received"))),
                name="return_line_refunded_was_asked_or_came",
            ),
        ]
        indexes = [models.Index(fields=["sku", "-id"], name="return_line_of_sku")]

    @property
    def ungraded(self) -> int:
        """Units that came and nobody has looked at."""
        return self.received - self.accepted - self.rejected

    @property
    def awaited(self) -> int:
        """Units that were announced and have not come."""
        return max(0, self.requested - self.received)


class ReturnLabel(models.Model):
    """The label a return travels with. It shows a name and an address: sealed with that person's key."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    returned = models.ForeignKey(Return, models.PROTECT, related_name="labels")
    key = models.CharField(max_length=120, unique=True)
    carrier_code = models.CharField(max_length=32)
    tracking_number = models.CharField(max_length=64)
    sealed_with = models.UUIDField(help_text="Key of the person whose address it shows.")
    document = models.BinaryField(help_text="Sealed.")
    media_type = models.CharField(max_length=64)
    cost_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="")
    bought_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()
