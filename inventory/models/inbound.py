"""What is on its way to a node."""

from django.db import models
from django.db.models import F, Q

from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.states import InboundKind, InboundState


class Inbound(StateModel):
    """Goods on their way to a node: expected → arriving → received; cancelled before that."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    number = models.CharField(max_length=64)
    node = models.ForeignKey(Node, models.PROTECT, related_name="inbound")
    kind = models.CharField(max_length=12, choices=InboundKind)
    source = models.CharField(max_length=64, default="manual")
    state = StateField(max_length=12, choices=InboundState, default=InboundState.EXPECTED)
    supplier = models.CharField(
        max_length=64,
        default="",
        blank=True,
        help_text="Who sends it, by a code of ours; empty where nobody has said so.",
    )
    at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    close_reason = models.CharField(max_length=200, default="", blank=True)
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "inbound"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "source", "number"], name="inbound_number_once"
            ),
            models.CheckConstraint(
                condition=Q(state__in=InboundState.values), name="inbound_state_known"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=InboundKind.values), name="inbound_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.number

    @transition(
        field=state,
        source=[InboundState.EXPECTED, InboundState.ARRIVING],
        target=InboundState.ARRIVING,
    )
    def arrive(self) -> None:
        """Some of it has been received."""

    @transition(
        field=state,
        source=[InboundState.EXPECTED, InboundState.ARRIVING],
        target=InboundState.RECEIVED,
    )
    def finish(self) -> None:
        """Everything expected has been received, or the rest is given up."""

    @transition(
        field=state,
        source=[InboundState.EXPECTED, InboundState.ARRIVING],
        target=InboundState.CANCELLED,
    )
    def cancel(self) -> None:
        """The rest does not come."""


class InboundLine(models.Model):
    """Units of one SKU within an inbound; more may be received than was expected.

    A notice's line names the line of the order that it brings units of. Those are expected under
    the notice from then on: the order's line expects `expected` and has `advised` to notices, in
    sum what was ordered. `first_eta_at` is the time that was told first, once there was another.
    Of what is still to come `ahead_percent` may be sold ahead; None is no limit. `sold_ahead`
    may stand above what is sold, never below: it is counted anew before a sale is refused.
    """

    inbound = models.ForeignKey(Inbound, models.CASCADE, related_name="lines")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="inbound_lines")
    expected = models.BigIntegerField()
    received = models.BigIntegerField(default=0)
    eta_at = models.DateTimeField()
    first_eta_at = models.DateTimeField(null=True, blank=True)
    reliability_percent = models.SmallIntegerField(default=90)
    of_line = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="notices"
    )
    advised = models.BigIntegerField(default=0)
    completed_at = models.DateTimeField(null=True, blank=True)
    ahead_percent = models.SmallIntegerField(null=True, blank=True)
    sold_ahead = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expected__gte=0, received__gte=0), name="inbound_line_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(reliability_percent__gte=0, reliability_percent__lte=100),
                name="inbound_line_reliability",
            ),
            models.CheckConstraint(
                condition=Q(advised__gte=0, sold_ahead__gte=0)
                & (Q(ahead_percent__isnull=True) | Q(ahead_percent__gte=0, ahead_percent__lte=100)),
                name="inbound_line_ahead",
            ),
        ]
        indexes = [
            models.Index(
                fields=["sku", "eta_at"],
                name="inbound_line_due",
                condition=Q(received__lt=F("expected")),
            ),
            models.Index(
                fields=["completed_at"],
                name="inbound_line_completed",
                condition=Q(completed_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.inbound_id} {self.sku_id}"

    @property
    def ordered(self) -> int:
        """Units that the document named: still expected under it, or told by notices."""
        return self.expected + self.advised

    @property
    def coming(self) -> int:
        """Units that are still to come under this document."""
        return max(0, self.expected - self.received)
