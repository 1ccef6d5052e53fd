"""What each channel may sell of each SKU: the kept figure, and what is to be worked out anew."""

from django.db import models
from django.db.models import Q

from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.states import Condition


class ChannelAvailability(models.Model):
    """Units of a SKU that a channel may sell, as of when they were worked out. A projection.

    `version` rises with every change of the figure; `published_version` is the one that the
    channel was last told. `last_order_id` names the channel's newest order counted in it.
    `seen_xid`: the transactions before it had ended when the figure was worked out, so that a
    position changed by one of them is in it.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="channel_availability")
    ats = models.BigIntegerField()
    version = models.BigIntegerField(default=1)
    as_of = models.DateTimeField()
    changed_at = models.DateTimeField()
    last_order_id = models.UUIDField(null=True)
    published_version = models.BigIntegerField(default=0)
    seen_xid = models.BigIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "channel availability"
        constraints = [
            models.UniqueConstraint(fields=["channel", "sku"], name="channel_availability_once"),
            models.CheckConstraint(
                condition=Q(ats__gte=0), name="channel_availability_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.sku_id}"


class DirtySku(models.Model):
    """A SKU whose figures are to be worked out anew, in one channel or in all. Insert-only.

    Written by whoever changes what a figure depends on outside a position: an exclusion, a
    threshold, a quota, a listing. The publisher takes rows away when it has counted them.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="+", db_index=False)
    channel = models.ForeignKey(
        "kernel.Channel", models.PROTECT, null=True, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.sku_id}"


class AvailabilityTurn(models.Model):
    """How far the publisher has come. One row.

    Positions changed by transactions that the snapshot `seen` sees are counted; empty, none is.
    `network_version` is the network it knew; `unplaced` the demand without a node by SKU; `counted_at` the business time of
    its last turn. `compared_id` is the last figure that was compared with supply.
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    seen = models.TextField(default="")
    network_version = models.BigIntegerField(default=-1)
    unplaced = models.JSONField(default=dict)
    counted_at = models.DateTimeField(null=True)
    compared_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="availability_turn_one")]

    def __str__(self) -> str:
        return f"up to {self.seen}"


class PickableTime(models.Model):
    """Minutes until units that lie in a condition at a node can be picked: of new ones at most.

    What lies in receiving or in reserve storage counts towards a later date, not towards now. A
    condition without a row never becomes pickable by itself.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="pickable_times", db_index=False)
    condition = models.CharField(max_length=16, choices=Condition)
    minutes = models.PositiveIntegerField()

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "condition"], name="pickable_time_once"),
            models.CheckConstraint(
                condition=Q(condition__in=[Condition.RECEIVING, Condition.RESERVE_STORAGE]),
                name="pickable_time_condition",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.condition}: {self.minutes} min"
