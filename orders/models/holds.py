"""Holds: what stops an order, a group or a line from going on, and who may lift it."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from orders.models.lines import OrderLine
from orders.models.order import DeliveryGroup, Order
from orders.querysets import HoldQuerySet
from orders.states import HoldScope, HoldState


class Hold(StateModel):
    """active → released | expired. It blocks what `blocks` names, for what its scope names.

    `handle` is unique per placer while the hold is active. Past `deadline_at` the stock reserved
    for what it holds is given back; at `until` it ends by itself.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    order = models.ForeignKey(Order, models.PROTECT, related_name="holds", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    group = models.ForeignKey(
        DeliveryGroup, models.PROTECT, null=True, related_name="holds", db_index=False
    )
    line = models.ForeignKey(
        OrderLine, models.PROTECT, null=True, related_name="holds", db_index=False
    )
    type = models.CharField(max_length=24)
    scope = models.CharField(max_length=8, choices=HoldScope, default=HoldScope.ORDER)
    blocks = ArrayField(models.CharField(max_length=12), default=list)
    state = StateField(max_length=12, choices=HoldState, default=HoldState.ACTIVE)
    reason = models.CharField(max_length=500)
    owner_team = models.CharField(max_length=32, default="")
    handle = models.CharField(max_length=160)
    placed_by = models.CharField(max_length=120)
    placed_at = models.DateTimeField()
    until = models.DateTimeField(null=True)
    deadline_at = models.DateTimeField(null=True)
    stock_given_back_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    ended_by = models.CharField(max_length=120, default="")
    ended_reason = models.CharField(max_length=500, default="")

    history = HistoricalRecords()
    history_document = "order_id"
    objects = HoldQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=HoldState.values), name="hold_state_known"
            ),
            models.CheckConstraint(
                condition=Q(scope__in=HoldScope.values), name="hold_scope_known"
            ),
            models.UniqueConstraint(
                fields=["order", "placed_by", "handle"],
                condition=Q(state="active"),
                name="hold_handle_once",
            ),
        ]
        indexes = [
            models.Index(fields=["order", "id"], name="hold_order"),
            models.Index(
                fields=["account", "type"], name="hold_queue", condition=Q(state="active")
            ),
            models.Index(
                F("until"), name="hold_until", condition=Q(state="active", until__isnull=False)
            ),
            models.Index(
                F("deadline_at"),
                name="hold_deadline",
                condition=Q(
                    state="active", deadline_at__isnull=False, stock_given_back_at__isnull=True
                ),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} hold"

    @transition(field=state, source=HoldState.ACTIVE, target=HoldState.RELEASED)
    def release(self, *, at: datetime, by: str, reason: str) -> None:
        self.ended_at, self.ended_by, self.ended_reason = at, by, reason

    @transition(field=state, source=HoldState.ACTIVE, target=HoldState.EXPIRED)
    def expire(self, *, at: datetime, by: str, reason: str) -> None:
        self.ended_at, self.ended_by, self.ended_reason = at, by, reason
