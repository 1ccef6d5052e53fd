"""Changes of the book that a person asks for; the large ones wait for a second person."""

from datetime import datetime
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.states import AdjustmentReason, AdjustmentState, Condition


class StockAdjustment(StateModel):
    """Units that a person adds to the book or takes out of it, and why.

    proposed → approved → applied, or declined; what is below the account's limit is applied at
    once. Whoever approves is not whoever proposed. `value_minor` is what the units sell for.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    number = models.CharField(
        max_length=24,
        unique=True,
        db_default=RawSQL("'A-' || nextval('inventory_adjustment_number')", ()),
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+")
    owner_id = models.UUIDField()
    condition = models.CharField(max_length=16, choices=Condition, default=Condition.AVAILABLE)
    lot = models.CharField(max_length=64, blank=True, default="")
    expires_on = models.DateField(null=True, blank=True)
    quantity = models.BigIntegerField()
    expected_on_hand = models.BigIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=16, choices=AdjustmentReason)
    note = models.CharField(max_length=500, blank=True, default="")
    value_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="USD")
    state = StateField(max_length=12, choices=AdjustmentState, default=AdjustmentState.PROPOSED)
    proposed_at = models.DateTimeField()
    proposed_by = models.CharField(max_length=64)
    proposed_by_name = models.CharField(max_length=120, default="")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=64, blank=True, default="")
    decided_by_name = models.CharField(max_length=120, blank=True, default="")
    decision_note = models.CharField(max_length=200, blank=True, default="")
    applied_at = models.DateTimeField(null=True, blank=True)
    movement_id = models.UUIDField(null=True, blank=True)
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=AdjustmentState.values)
                & Q(reason__in=AdjustmentReason.values)
                & Q(condition__in=Condition.values),
                name="adjustment_words_known",
            ),
            models.CheckConstraint(condition=~Q(quantity=0), name="adjustment_moves"),
            models.CheckConstraint(
                condition=~Q(state=AdjustmentState.APPLIED) | Q(movement_id__isnull=False),
                name="adjustment_applied_in_ledger",
            ),
        ]
        indexes = [models.Index(fields=["account", "state", "-id"], name="adjustment_by_state")]

    def __str__(self) -> str:
        return self.number

    @transition(field=state, source=AdjustmentState.PROPOSED, target=AdjustmentState.APPROVED)
    def approve(self, *, by: str, name: str, note: str, at: datetime) -> None:
        """A second person has looked at it."""
        self.decided_by, self.decided_by_name = by, name
        self.decision_note, self.decided_at = note, at

    @transition(
        field=state,
        source=[AdjustmentState.PROPOSED, AdjustmentState.APPROVED],
        target=AdjustmentState.APPLIED,
    )
    def apply(self, *, movement_id: UUID, at: datetime) -> None:
        """It is in the ledger: approved, or below the limit."""
        self.movement_id, self.applied_at = movement_id, at

    @transition(
        field=state,
        source=[AdjustmentState.PROPOSED, AdjustmentState.APPROVED],
        target=AdjustmentState.DECLINED,
    )
    def decline(self, *, by: str, name: str, note: str, at: datetime) -> None:
        """The book stays as it is: refused, taken back, or overtaken by what has happened."""
        self.decided_by, self.decided_by_name = by, name
        self.decision_note, self.decided_at = note, at
