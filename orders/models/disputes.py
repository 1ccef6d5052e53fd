"""What buyers dispute with their bank, and what the bank took back for it. Minor units all."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from orders.models.money import Tender
from orders.models.order import Order
from orders.querysets import DisputeQuerySet
from orders.states import DisputeState


class Dispute(StateModel):
    """opened → won | lost. While it is open, nothing is given back of its tender.

    `reference` is the provider's name for it. Evidence counts until `evidence_due_at`. Of one that is
    lost, `beyond_minor` was given back by us too: the buyer has it twice, as far as is known by now.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    tender = models.ForeignKey(Tender, models.PROTECT, related_name="disputes", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="disputes", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    provider = models.CharField(max_length=32)
    reference = models.CharField(max_length=128)
    amount_minor = models.BigIntegerField()
    beyond_minor = models.BigIntegerField(default=0, editable=False)
    reason = models.CharField(max_length=64, default="")
    state = StateField(max_length=12, choices=DisputeState, default=DisputeState.OPENED)
    evidence_due_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    at = models.DateTimeField()

    history = HistoricalRecords()
    history_document = "order_id"
    objects = DisputeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["reference", "account", "provider"], name="dispute_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=DisputeState.values), name="dispute_state_known"
            ),
            models.CheckConstraint(condition=Q(amount_minor__gt=0), name="dispute_amount_positive"),
            models.CheckConstraint(
                condition=Q(beyond_minor__gte=0) & Q(beyond_minor__lte=F("amount_minor")),
                name="dispute_beyond_within",
            ),
        ]
        indexes = [
            models.Index(fields=["order"], name="dispute_order"),
            models.Index(
                fields=["tender"],
                name="dispute_open",
                condition=Q(state="opened"),
            ),
        ]

    def __str__(self) -> str:
        return f"Dispute {self.state}"

    @transition(field=state, source=DisputeState.OPENED, target=DisputeState.WON)
    def win(self, *, at: datetime) -> None:
        """The bank has left the money with us."""
        self.settled_at = at

    @transition(field=state, source=DisputeState.OPENED, target=DisputeState.LOST)
    def lose(self, *, at: datetime) -> None:
        """The bank has taken the money back."""
        self.settled_at = at


class Chargeback(models.Model):
    """What a bank took back for a dispute that was lost. Never changed."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    dispute = models.OneToOneField(Dispute, models.PROTECT, related_name="chargeback")
    tender = models.ForeignKey(Tender, models.PROTECT, related_name="chargebacks", db_index=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="chargebacks", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_minor__gt=0), name="chargeback_amount_positive"
            )
        ]
        indexes = [models.Index(fields=["order"], name="chargeback_order")]

    def __str__(self) -> str:
        return f"Chargeback {self.amount_minor} {self.currency}"
