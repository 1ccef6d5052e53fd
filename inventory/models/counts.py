"""Counts asked of nodes, and SKUs that are not sourced at one for now."""

from datetime import datetime

from django.db import models
from django.db.models import Q

from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.states import (
    OPEN_COUNT_STATES,
    CountKind,
    CountState,
)


class CountRequest(StateModel):
    """A node is asked to count a SKU: open → answered | recount → answered; cancelled before that.

    A large difference is counted again by another person: `first_counted` is then what the first
    has found, and the book stands as it was.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="count_requests")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="count_requests")
    state = StateField(max_length=12, choices=CountState, default=CountState.OPEN)
    kind = models.CharField(max_length=12, choices=CountKind, default=CountKind.MANUAL)
    reason = models.CharField(max_length=120)
    opened_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    first_counted = models.BigIntegerField(null=True)
    first_counted_by = models.CharField(max_length=64, default="", blank=True)
    counted = models.BigIntegerField(null=True)
    counted_by = models.CharField(max_length=64, default="", blank=True)
    answered_at = models.DateTimeField(null=True)
    cancel_reason = models.CharField(max_length=200, default="", blank=True)
    event_seq = models.BigIntegerField(default=1)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "sku"],
                condition=Q(state__in=OPEN_COUNT_STATES),
                name="count_request_open_once",
            ),
            models.CheckConstraint(
                condition=Q(state__in=CountState.values), name="count_request_state_known"
            ),
        ]
        indexes = [
            models.Index(
                fields=["opened_at"],
                name="count_request_open",
                condition=Q(state__in=OPEN_COUNT_STATES),
            )
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.sku_id}"

    @transition(field=state, source=list(OPEN_COUNT_STATES), target=CountState.ANSWERED)
    def answer(self, *, counted: int, by: str, at: datetime) -> None:
        self.counted, self.counted_by, self.answered_at = counted, by, at

    @transition(field=state, source=CountState.OPEN, target=CountState.RECOUNT)
    def doubt(self, *, counted: int, by: str, due_at: datetime) -> None:
        """The difference is large: another person counts before the book is changed."""
        self.first_counted, self.first_counted_by, self.due_at = counted, by, due_at

    @transition(field=state, source=list(OPEN_COUNT_STATES), target=CountState.CANCELLED)
    def cancel(self, *, reason: str, at: datetime) -> None:
        """Nobody needs the number any more."""
        self.cancel_reason, self.answered_at = reason, at


class Exclusion(models.Model):
    """A SKU is not sourced at a node until a time: after a short, a reject, or by hand."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="exclusions")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="exclusions")
    until = models.DateTimeField()
    reason = models.CharField(max_length=120)
    cause_kind = models.CharField(max_length=32, blank=True, default="")
    cause_id = models.UUIDField(null=True, blank=True)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["sku", "node"], name="exclusion_once")]

    def __str__(self) -> str:
        return f"{self.node_id} {self.sku_id} until {self.until}"
