"""Claims: parcels that never arrived whole. What the buyer gets, and what the carrier owes."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from returns.states import ClaimKind, ClaimState, Resolution


class Claim(StateModel):
    """What a carrier owes for one parcel. What the buyer gets for it is decided apart from that.

    open → filed → paid | denied; withdrawn from open and filed.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'C-' || nextval('returns_claim_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="+")
    parcel_id = models.UUIDField(unique=True)
    carrier_code = models.CharField(max_length=32, default="")
    tracking_number = models.CharField(max_length=64, default="")
    kind = models.CharField(max_length=12, choices=ClaimKind, default=ClaimKind.LOST)
    state = StateField(max_length=12, choices=ClaimState, default=ClaimState.OPEN)
    resolution = models.CharField(
        max_length=12, choices=Resolution, default=Resolution.UNDECIDED, blank=True
    )
    reship_order_id = models.UUIDField(null=True)
    credited_minor = models.BigIntegerField(default=0)
    amount_minor = models.BigIntegerField(default=0, help_text="What the carrier has paid.")
    currency = models.CharField(max_length=3, default="")
    reference = models.CharField(max_length=128, default="", help_text="The carrier's number.")
    opened_at = models.DateTimeField()
    filed_at = models.DateTimeField(null=True)
    answered_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=ClaimState.values), name="claim_state_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=ClaimKind.values) & Q(resolution__in=Resolution.values),
                name="claim_words_known",
            ),
        ]
        indexes = [models.Index(fields=["account", "state", "-id"], name="claim_by_state")]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=ClaimState.OPEN, target=ClaimState.FILED)
    def file(self, *, reference: str, at: datetime) -> None:
        self.reference, self.filed_at = reference, at

    @transition(field=state, source=[ClaimState.OPEN, ClaimState.FILED], target=ClaimState.PAID)
    def pay(self, *, amount_minor: int, at: datetime) -> None:
        self.amount_minor, self.answered_at = amount_minor, at

    @transition(field=state, source=[ClaimState.OPEN, ClaimState.FILED], target=ClaimState.DENIED)
    def deny(self, *, at: datetime) -> None:
        self.answered_at = at

    @transition(
        field=state, source=[ClaimState.OPEN, ClaimState.FILED], target=ClaimState.WITHDRAWN
    )
    def withdraw(self, *, at: datetime) -> None:
        """The parcel turned up, or nobody asks for anything."""
        self.answered_at = at


class ClaimLine(models.Model):
    """Units that were in the parcel."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    claim = models.ForeignKey(Claim, models.PROTECT, related_name="lines")
    order_line = models.ForeignKey("orders.OrderLine", models.PROTECT, related_name="+")
    quantity = models.PositiveIntegerField()

    objects = ScopedQuerySet.as_manager()
