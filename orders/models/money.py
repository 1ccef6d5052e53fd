"""The money of an order: tenders, authorisations, captures, refunds, invoices. Minor units all."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from orders.models.order import Order
from orders.querysets import CaptureQuerySet, OfOrdersQuerySet, RefundQuerySet
from orders.states import (
    AuthorizationState,
    CaptureState,
    CollectedBy,
    InvoiceKind,
    RefundState,
)


class Tender(models.Model):
    """A means of payment of an order, and who collects it. We capture and refund only `us`.

    `captured_minor` and `refunded_minor` count what was asked for and not refused, so that a
    second request never exceeds the tender while the first is still on its way.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="tenders", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    position = models.PositiveSmallIntegerField()
    kind = models.CharField(max_length=24)
    provider = models.CharField(max_length=32, default="")
    collected_by = models.CharField(max_length=8, choices=CollectedBy, default=CollectedBy.US)
    capabilities = models.JSONField(default=dict)
    amount_minor = models.BigIntegerField()
    captured_minor = models.BigIntegerField(default=0)
    refunded_minor = models.BigIntegerField(default=0)
    credited_minor = models.BigIntegerField(
        default=0, help_text="Of the order's credit notes, what this tender answers for."
    )
    carried_minor = models.BigIntegerField(
        default=0, help_text="Of what it was credited, what pays for another order instead."
    )
    charged_back_minor = models.BigIntegerField(
        default=0, help_text="Of what was given back, what a bank took for a lost dispute."
    )

    objects = OfOrdersQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["order", "position"], name="tender_position_once"),
            models.CheckConstraint(
                condition=Q(collected_by__in=CollectedBy.values), name="tender_collected_by_known"
            ),
            models.CheckConstraint(
                condition=Q(captured_minor__gte=0) & Q(captured_minor__lte=F("amount_minor")),
                name="tender_captured_within_amount",
            ),
            models.CheckConstraint(
                condition=Q(refunded_minor__gte=0) & Q(refunded_minor__lte=F("captured_minor")),
                name="tender_refunded_was_captured",
            ),
            models.CheckConstraint(
                condition=Q(carried_minor__gte=0) & Q(carried_minor__lte=F("credited_minor")),
                name="tender_carried_was_credited",
            ),
            models.CheckConstraint(
                condition=Q(charged_back_minor__gte=0)
                & Q(charged_back_minor__lte=F("refunded_minor")),
                name="tender_charged_back_was_refunded",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.collected_by}"


class Authorization(StateModel):
    """requested → live → used | voided | expired.

    `refused_at` is when the provider refused a capture from it: nothing is asked of it again until
    a person says so. Between `renewal_asked_at` and the answer nothing is captured from it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tender = models.ForeignKey(
        Tender, models.PROTECT, related_name="authorizations", db_index=False
    )
    order = models.ForeignKey(Order, models.PROTECT, related_name="authorizations", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    reference = models.CharField(max_length=128)
    amount_minor = models.BigIntegerField()
    state = StateField(max_length=12, choices=AuthorizationState, default=AuthorizationState.LIVE)
    void_asked_at = models.DateTimeField(null=True)
    refused_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    renewal_asked_at = models.DateTimeField(null=True)
    renewal_failed_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    history = HistoricalRecords()
    history_document = "order_id"
    objects = OfOrdersQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=AuthorizationState.values), name="authorization_state_known"
            )
        ]
        indexes = [
            models.Index(fields=["order"], name="authorization_order"),
            models.Index(fields=["reference"], name="authorization_reference"),
            models.Index(
                F("expires_at"),
                name="authorization_to_expire",
                condition=Q(state__in=["requested", "live"], expires_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"Authorisation {self.state}"

    @transition(field=state, source=AuthorizationState.REQUESTED, target=AuthorizationState.LIVE)
    def confirm(self, *, reference: str) -> None:
        self.reference = reference

    @transition(field=state, source=AuthorizationState.LIVE, target=AuthorizationState.USED)
    def use_up(self) -> None:
        """Nothing more can be captured from it."""

    @transition(
        field=state,
        source=[AuthorizationState.REQUESTED, AuthorizationState.LIVE],
        target=AuthorizationState.VOIDED,
    )
    def void(self) -> None:
        """The provider has let it go."""

    @transition(
        field=state,
        source=[AuthorizationState.REQUESTED, AuthorizationState.LIVE],
        target=AuthorizationState.EXPIRED,
    )
    def expire(self) -> None:
        """The provider's term has passed."""


class Capture(StateModel):
    """requested → succeeded | failed | unknown | withdrawn; unknown → succeeded | failed.

    Unknown is what was given up while it may have happened: never asked again before the provider
    has said what became of it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tender = models.ForeignKey(Tender, models.PROTECT, related_name="captures")
    authorization = models.ForeignKey(
        Authorization, models.PROTECT, null=True, related_name="captures"
    )
    order = models.ForeignKey(Order, models.PROTECT, related_name="captures", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    parcel_id = models.UUIDField(null=True)
    amount_minor = models.BigIntegerField()
    state = StateField(max_length=12, choices=CaptureState, default=CaptureState.REQUESTED)
    reference = models.CharField(max_length=128, default="")
    failure = models.CharField(max_length=200, default="")
    at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    history = HistoricalRecords()
    objects = CaptureQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=CaptureState.values), name="capture_state_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="capture_amount_positive"),
        ]
        indexes = [models.Index(fields=["order"], name="capture_order")]

    def __str__(self) -> str:
        return f"Capture {self.state}"

    @transition(
        field=state,
        source=[CaptureState.REQUESTED, CaptureState.UNKNOWN],
        target=CaptureState.SUCCEEDED,
    )
    def succeed(self, *, reference: str, at: datetime) -> None:
        self.reference, self.answered_at = reference, at

    @transition(
        field=state,
        source=[CaptureState.REQUESTED, CaptureState.UNKNOWN],
        target=CaptureState.FAILED,
    )
    def fail(self, *, why: str, at: datetime) -> None:
        self.failure, self.answered_at = why, at

    @transition(field=state, source=CaptureState.REQUESTED, target=CaptureState.UNKNOWN)
    def lose_sight(self) -> None:
        """The provider may or may not have taken the money."""

    @transition(field=state, source=CaptureState.REQUESTED, target=CaptureState.WITHDRAWN)
    def withdraw(self, *, at: datetime) -> None:
        """The shipment was taken back before the provider was asked."""
        self.answered_at = at


class Refund(StateModel):
    """pending → sent → succeeded | failed → retried | manual; sent → manual.

    Sent is what was given up while it may have happened. What succeeded may fail late. A failed one
    is counted as refunded until another takes its place, a person has given the money back, or a
    bank has taken it: nothing is refunded twice.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tender = models.ForeignKey(Tender, models.PROTECT, related_name="refunds")
    order = models.ForeignKey(Order, models.PROTECT, related_name="refunds", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    reason = models.CharField(max_length=200, default="")
    source = models.CharField(
        max_length=128, default="", help_text="The authorisation through which it goes back."
    )
    state = StateField(max_length=12, choices=RefundState, default=RefundState.PENDING)
    reference = models.CharField(max_length=128, default="")
    failure = models.CharField(max_length=200, default="")
    at = models.DateTimeField()
    answered_at = models.DateTimeField(null=True)

    history = HistoricalRecords()
    objects = RefundQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RefundState.values), name="refund_state_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="refund_amount_positive"),
        ]
        indexes = [models.Index(fields=["order"], name="refund_order")]

    def __str__(self) -> str:
        return f"Refund {self.state}"

    @transition(field=state, source=RefundState.PENDING, target=RefundState.SENT)
    def send(self) -> None:
        """The provider has it, and has not said how it ended."""

    @transition(
        field=state,
        source=[RefundState.PENDING, RefundState.SENT],
        target=RefundState.SUCCEEDED,
    )
    def succeed(self, *, reference: str, at: datetime) -> None:
        self.reference, self.answered_at = reference, at

    @transition(
        field=state,
        source=[RefundState.PENDING, RefundState.SENT, RefundState.SUCCEEDED],
        target=RefundState.FAILED,
    )
    def fail(self, *, why: str, at: datetime) -> None:
        self.failure, self.answered_at = why, at

    @transition(field=state, source=RefundState.FAILED, target=RefundState.RETRIED)
    def retry(self) -> None:
        """A new refund takes its place, or what the bank took back."""

    @transition(
        field=state, source=[RefundState.SENT, RefundState.FAILED], target=RefundState.MANUAL
    )
    def settle_by_hand(self, *, reference: str, at: datetime) -> None:
        """A person gave the money back; `reference` says where it is found."""
        self.reference, self.answered_at = reference, at


class Invoice(models.Model):
    """What was charged for a parcel, or for lines that ship nothing. Never changed."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="invoices", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    parcel_id = models.UUIDField(null=True)
    kind = models.CharField(max_length=12, choices=InvoiceKind, default=InvoiceKind.INVOICE)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=InvoiceKind.values), name="invoice_kind_known"
            )
        ]
        indexes = [models.Index(fields=["order", "id"], name="invoice_order")]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount_minor} {self.currency}"
