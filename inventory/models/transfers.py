"""Goods that move between our own nodes, and what is owed for those that did not arrive whole."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.inbound import Inbound, InboundLine
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.states import (
    TransferClaimKind,
    TransferClaimState,
    TransferPurpose,
    TransferState,
)


class Transfer(StateModel):
    """Goods asked from one node for another.

    draft → approved → released → shipped → received → closed; cancelled before it is shipped.
    Released, its lines hold reservations at the source; shipped, they are an inbound at the
    destination. Parts may ship and arrive one after another: the state says how far the first
    went out and the last came in, the lines say the rest.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'T-' || nextval('inventory_transfer_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    source = models.ForeignKey(Node, models.PROTECT, related_name="transfers_out")
    destination = models.ForeignKey(Node, models.PROTECT, related_name="transfers_in")
    state = StateField(max_length=12, choices=TransferState, default=TransferState.DRAFT)
    purpose = models.CharField(
        max_length=16, choices=TransferPurpose, default=TransferPurpose.REBALANCE
    )
    priority = models.SmallIntegerField(default=0)
    note = models.CharField(max_length=500, blank=True, default="")
    reference = models.CharField(
        max_length=64, blank=True, default="", help_text="What the goods travel under."
    )
    thread_id = models.UUIDField(
        null=True, blank=True, help_text="The document for which the goods move."
    )
    eta_at = models.DateTimeField(null=True, blank=True)
    inbound = models.OneToOneField(
        Inbound, models.PROTECT, null=True, blank=True, related_name="transfer"
    )
    drafted_at = models.DateTimeField()
    drafted_by = models.CharField(max_length=64)
    drafted_by_name = models.CharField(max_length=120, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by_name = models.CharField(max_length=120, blank=True, default="")
    released_at = models.DateTimeField(null=True, blank=True)
    shipped_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    cancel_reason = models.CharField(max_length=200, blank=True, default="")
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=TransferState.values) & Q(purpose__in=TransferPurpose.values),
                name="transfer_words_known",
            ),
            models.CheckConstraint(
                condition=~Q(source=F("destination")), name="transfer_between_two"
            ),
        ]
        indexes = [
            models.Index(fields=["account", "state", "-id"], name="transfer_by_state"),
            models.Index(
                fields=["thread_id"],
                name="transfer_thread",
                condition=Q(thread_id__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=TransferState.DRAFT, target=TransferState.APPROVED)
    def approve(self, *, name: str, at: datetime) -> None:
        self.approved_by_name, self.approved_at = name, at

    @transition(
        field=state,
        source=[TransferState.APPROVED, TransferState.RELEASED],
        target=TransferState.RELEASED,
    )
    def release(self, *, at: datetime) -> None:
        """The source is asked for the units; asked again, for those it did not have before."""
        self.released_at = self.released_at or at

    @transition(
        field=state,
        source=[TransferState.RELEASED, TransferState.SHIPPED],
        target=TransferState.SHIPPED,
    )
    def ship(self, *, eta_at: datetime, reference: str, at: datetime) -> None:
        """Some of it has left, or some more."""
        self.shipped_at, self.eta_at = self.shipped_at or at, eta_at
        self.reference = reference or self.reference

    @transition(field=state, source=TransferState.SHIPPED, target=TransferState.RECEIVED)
    def receive(self, *, at: datetime) -> None:
        """All that left has arrived, or is known not to; nothing more is to leave."""
        self.received_at = at

    @transition(field=state, source=TransferState.RECEIVED, target=TransferState.CLOSED)
    def close(self, *, at: datetime) -> None:
        """Differences are settled or claimed."""
        self.closed_at = at

    @transition(
        field=state,
        source=[TransferState.DRAFT, TransferState.APPROVED, TransferState.RELEASED],
        target=TransferState.CANCELLED,
    )
    def cancel(self, *, reason: str, at: datetime) -> None:
        """Nothing has left, and nothing will."""
        self.cancel_reason, self.closed_at = reason, at


class TransferLine(models.Model):
    """Units of one SKU within a transfer. What is reserved for it names the line as its demand.

    `received` arrived whole, `damaged` broken, `missing` not at all; what arrived beyond
    `shipped` is received as well.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    transfer = models.ForeignKey(Transfer, models.PROTECT, related_name="lines")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+")
    requested = models.BigIntegerField()
    shipped = models.BigIntegerField(default=0)
    received = models.BigIntegerField(default=0)
    damaged = models.BigIntegerField(default=0)
    missing = models.BigIntegerField(default=0)
    inbound_line = models.OneToOneField(InboundLine, models.PROTECT, null=True, related_name="+")
    demand_id = models.UUIDField(null=True, help_text="For whom the units move, if for one.")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    requested__gt=0,
                    shipped__gte=0,
                    received__gte=0,
                    damaged__gte=0,
                    missing__gte=0,
                ),
                name="transfer_line_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(missing=0)
                | Q(shipped__gte=F("received") + F("damaged") + F("missing")),
                name="transfer_line_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.transfer_id} {self.sku_id}"

    @property
    def under_way(self) -> int:
        """Units that left and of which nobody has heard since."""
        return max(0, self.shipped - self.received - self.damaged - self.missing)

    @property
    def excess(self) -> int:
        """Units that arrived beyond what left."""
        return max(0, self.received + self.damaged - self.shipped)


class TransferClaim(StateModel):
    """What whoever moved the goods owes for units that did not arrive whole.

    open → settled | withdrawn.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'TC-' || nextval('inventory_transfer_claim_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    line = models.ForeignKey(TransferLine, models.PROTECT, related_name="claims")
    kind = models.CharField(max_length=12, choices=TransferClaimKind)
    quantity = models.BigIntegerField()
    value_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    state = StateField(max_length=12, choices=TransferClaimState, default=TransferClaimState.OPEN)
    settled_minor = models.BigIntegerField(default=0)
    reference = models.CharField(max_length=64, blank=True, default="")
    opened_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["line", "kind"], name="transfer_claim_once"),
            models.CheckConstraint(
                condition=Q(state__in=TransferClaimState.values)
                & Q(kind__in=TransferClaimKind.values),
                name="transfer_claim_words_known",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0, settled_minor__gte=0), name="transfer_claim_some"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=TransferClaimState.OPEN, target=TransferClaimState.SETTLED)
    def settle(self, *, settled_minor: int, reference: str, at: datetime) -> None:
        """Somebody has paid, or credited, so much."""
        self.settled_minor, self.reference, self.ended_at = settled_minor, reference, at

    @transition(field=state, source=TransferClaimState.OPEN, target=TransferClaimState.WITHDRAWN)
    def withdraw(self, *, reason: str, at: datetime) -> None:
        """The units turned up, or nobody asks for anything."""
        self.reference, self.ended_at = reason, at
