"""The order and its delivery groups: what was asked for, where it goes, what we have promised.

The account of an order is a foreign key; what hangs on an order carries a copy of it, for the wall,
and no constraint of its own: looking the same row up for every line was nearly a tenth of what a
capture cost the database. The invariant `accounts.children` holds the copies.
"""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from orders.models.people import Contact, Customer
from orders.querysets import OrderQuerySet
from orders.states import (
    Blocks,
    DocumentKind,
    FulfilledBy,
    Method,
    Mode,
    OrderState,
    PaymentState,
    Progress,
)


class Order(StateModel):
    """What a customer asked for, and what we have promised.

    draft → captured → accepted → closed; cancelled only when every unit is cancelled. Holds are
    rows, not a state. `progress`, `payment_state`, `holds_open` and `blocked` are folds, stored.
    `plan_version` rises with whatever a plan depends on; `event_seq` is the version behind ETag.
    `updated_at` is the time of the last command that changed the order, never going back.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    brand = models.ForeignKey("kernel.Brand", models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    number = models.CharField(
        max_length=16,
        db_default=RawSQL("'SY-' || nextval('orders_order_number')", ()),
    )
    document_kind = models.CharField(max_length=12, choices=DocumentKind, default=DocumentKind.SALE)
    external_id = models.CharField(max_length=128)
    external_number = models.CharField(max_length=64, default="")
    mode = models.CharField(max_length=8, choices=Mode, default=Mode.LIVE)
    state = StateField(max_length=12, choices=OrderState, default=OrderState.CAPTURED)
    progress = models.CharField(max_length=20, choices=Progress, default=Progress.WAITING)
    payment_state = models.CharField(max_length=20, choices=PaymentState, default=PaymentState.NONE)
    currency = models.CharField(max_length=3)
    tax_inclusive = models.BooleanField(default=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="orders", db_index=False
    )
    billing_contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="+", db_index=False
    )
    placed_at = models.DateTimeField()
    captured_at = models.DateTimeField(null=True)
    accepted_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    items_minor = models.BigIntegerField(default=0)
    discount_minor = models.BigIntegerField(default=0)
    shipping_minor = models.BigIntegerField(default=0)
    tax_minor = models.BigIntegerField(default=0)
    total_minor = models.BigIntegerField(default=0)
    invoiced_minor = models.BigIntegerField(default=0)
    cancelled_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(default=0)
    credit_open_minor = models.BigIntegerField(
        default=0, help_text="Of what was credited, what nobody has been asked to give back yet."
    )
    holds_open = models.PositiveIntegerField(default=0)
    blocked = ArrayField(models.CharField(max_length=12), default=list)
    priority = models.SmallIntegerField(default=0)
    plan_version = models.BigIntegerField(default=0)
    event_seq = models.BigIntegerField(default=0)
    ship_by = models.DateTimeField(null=True)
    deliver_by = models.DateTimeField(null=True)
    remorse_until = models.DateTimeField(null=True)
    tags = ArrayField(models.CharField(max_length=48), default=list)
    customer_tags = ArrayField(
        models.CharField(max_length=48),
        default=list,
        help_text="What the channel said of its customer when the order was placed: vip, wholesale.",
    )
    lookalike_hash = models.CharField(max_length=64, default="")
    inbox_id = models.UUIDField(null=True)
    cart_hold = models.ForeignKey(
        "inventory.CartHold",
        models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        help_text="What its cart held before it was ordered.",
    )
    updated_at = models.DateTimeField()

    history = HistoricalRecords()
    objects = OrderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["number"], name="order_number_once"),
            # The external id first: people look for it without naming the channel.
            models.UniqueConstraint(
                fields=["external_id", "channel", "document_kind"], name="order_captured_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=OrderState.values), name="order_state_known"
            ),
            models.CheckConstraint(
                condition=Q(progress__in=Progress.values), name="order_progress_known"
            ),
            models.CheckConstraint(
                condition=Q(payment_state__in=PaymentState.values), name="order_payment_known"
            ),
            models.CheckConstraint(
                condition=Q(document_kind__in=DocumentKind.values), name="order_document_known"
            ),
            models.CheckConstraint(condition=Q(mode__in=Mode.values), name="order_mode_known"),
            models.CheckConstraint(
                condition=Q(credit_open_minor__gte=0)
                & Q(credit_open_minor__lte=F("credited_minor")),
                name="order_credit_open_was_credited",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="order_recent"),
            models.Index(fields=["account", "state", "-id"], name="order_by_state"),
            models.Index(fields=["account", "progress", "-id"], name="order_by_progress"),
            models.Index(fields=["channel", "-id"], name="order_by_channel"),
            models.Index(fields=["customer", "-id"], name="order_by_customer"),
            models.Index(fields=["billing_contact"], name="order_by_contact"),
            models.Index(fields=["external_number"], name="order_external_number"),
            models.Index(F("captured_at"), name="order_to_accept", condition=Q(state="captured")),
            models.Index(
                fields=["account", "ship_by"],
                name="order_open_ship_by",
                condition=Q(state="accepted"),
            ),
            models.Index(
                fields=["account", "-id"], name="order_held", condition=Q(holds_open__gt=0)
            ),
            models.Index(fields=["lookalike_hash", "placed_at"], name="order_lookalikes"),
            models.Index(
                fields=["id"], name="order_credit_open", condition=Q(credit_open_minor__gt=0)
            ),
            models.Index(fields=["account", "updated_at", "id"], name="order_by_update"),
            BrinIndex(
                fields=["placed_at"],
                name="order_placed_brin",
                pages_per_range=32,
                autosummarize=True,
            ),
        ]

    def __str__(self) -> str:
        return self.number

    def is_free_to_accept(self) -> bool:
        return Blocks.ACCEPT not in self.blocked

    def is_free_to_close(self) -> bool:
        return Blocks.CLOSE not in self.blocked and self.holds_open == 0

    @transition(field=state, source=OrderState.DRAFT, target=OrderState.CAPTURED)
    def submit(self, *, at: datetime) -> None:
        """The assistant has finished the draft."""
        self.captured_at = at

    @transition(
        field=state,
        source=OrderState.CAPTURED,
        target=OrderState.ACCEPTED,
        conditions=[is_free_to_accept],
    )
    def accept(self, *, at: datetime) -> None:
        self.accepted_at = at

    @transition(
        field=state,
        source=OrderState.ACCEPTED,
        target=OrderState.CLOSED,
        conditions=[is_free_to_close],
    )
    def close(self, *, at: datetime) -> None:
        self.closed_at = at

    @transition(
        field=state,
        source=[OrderState.DRAFT, OrderState.CAPTURED, OrderState.ACCEPTED],
        target=OrderState.CANCELLED,
    )
    def cancel(self, *, at: datetime) -> None:
        """Every unit is cancelled."""
        self.cancelled_at = at


class DeliveryGroup(models.Model):
    """The lines of one order that go to one place by one method."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="groups", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    position = models.PositiveSmallIntegerField()
    method = models.CharField(max_length=16, choices=Method, default=Method.SHIP)
    fulfilled_by = models.CharField(max_length=12, choices=FulfilledBy, default=FulfilledBy.US)
    contact = models.ForeignKey(
        Contact, models.PROTECT, null=True, related_name="+", db_index=False
    )
    postal_code = models.CharField(max_length=16, default="")
    region = models.CharField(max_length=64, default="")
    country = models.CharField(max_length=2, default="")
    pickup_node = models.ForeignKey(
        "inventory.Node", models.PROTECT, null=True, related_name="+", db_index=False
    )
    service_level = models.ForeignKey(
        "inventory.ServiceLevel", models.PROTECT, null=True, related_name="+", db_index=False
    )
    service_code = models.CharField(max_length=32, default="")
    ship_complete = models.BooleanField(default=False)
    not_before = models.DateTimeField(null=True)
    requested_by = models.DateTimeField(null=True)
    gift_message = models.BinaryField(null=True)
    handling_notes = models.CharField(max_length=500, default="")
    pinned_node = models.ForeignKey(
        "inventory.Node", models.PROTECT, null=True, related_name="+", db_index=False
    )
    ship_by = models.DateTimeField(null=True)
    deliver_by = models.DateTimeField(null=True)
    quote_id = models.UUIDField(null=True, help_text="The quote that the buyer had accepted.")
    quote_option = models.CharField(max_length=64, default="")
    bounds = models.JSONField(
        default=dict, help_text="Dates beyond which nobody may promise it, by who set them."
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="group_position_once"),
            models.CheckConstraint(
                condition=Q(method__in=Method.values), name="group_method_known"
            ),
            models.CheckConstraint(
                condition=Q(fulfilled_by__in=FulfilledBy.values), name="group_fulfilled_by_known"
            ),
        ]
        indexes = [models.Index(fields=["contact"], name="group_by_contact")]

    def __str__(self) -> str:
        return f"{self.order_id} group {self.position}"
