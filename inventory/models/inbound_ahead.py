"""What may be sold before it is there, what rests on goods to come, and how late suppliers are."""

from django.db import models
from django.db.models import Q

from config.kernel.querysets import ScopedQuerySet
from inventory.models.inbound import InboundLine
from inventory.models.items import Sku
from inventory.models.network import Node


class AheadCap(models.Model):
    """The most units of a SKU that a channel may sell before they are there.

    `used` may stand above what is sold ahead, never below: it rises with each sale and is counted
    anew from the backings before a sale is refused. It counts from `starts_at` and until `ends_at`.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="ahead_caps")
    units = models.BigIntegerField()
    used = models.BigIntegerField(default=0)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, default="", blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "sku"], name="ahead_cap_once"),
            models.CheckConstraint(
                condition=Q(units__gte=0, used__gte=0), name="ahead_cap_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.sku_id}"


class Backing(models.Model):
    """What a waiting reservation rests on: the line that is to serve it, by when, under which cap.

    `ready_by` is the time by which the units were to be here for what was promised; None where
    nothing was. It follows the promise. Who is served when goods arrive is decided then.
    """

    reservation_id = models.UUIDField(primary_key=True)
    line = models.ForeignKey(InboundLine, models.SET_NULL, null=True, related_name="backings")
    cap = models.ForeignKey(AheadCap, models.SET_NULL, null=True, related_name="backings")
    ready_by = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.reservation_id} {self.line_id}"


class SupplyLane(models.Model):
    """How late a supplier is at a node (None: at any): as declared, and as learnt from receipts.

    In hours after the time that was told first; early is negative. What was learnt from at least
    five receipts stands above what was declared.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    supplier = models.CharField(max_length=64)
    node = models.ForeignKey(Node, models.PROTECT, null=True, blank=True, related_name="+")
    declared_hours = models.IntegerField(null=True, blank=True)
    seen = models.IntegerField(default=0)
    median_hours = models.IntegerField(null=True, blank=True)
    p90_hours = models.IntegerField(null=True, blank=True)
    learnt_at = models.DateTimeField(null=True, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "supplier", "node"],
                name="supply_lane_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(seen__gte=0)
                & (Q(declared_hours__isnull=True) | Q(declared_hours__gte=0)),
                name="supply_lane_counts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.supplier} {self.node_id or 'any node'}"
