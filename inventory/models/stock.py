"""Stock: what may be promised, what lies there, and why it changed."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.querysets import StockQuerySet
from inventory.states import (
    Condition,
    MovementKind,
)


class StockPosition(models.Model):
    """The row that promises: what may be sold of one owner's SKU at one node, and what is claimed.

    `sellable` is Σ on hand of its sellable levels, `reserved` Σ open units of its reservations,
    `buffer` units kept back (safety stock, and the `haircut` while a node's figures are doubted),
    `landed` units set aside for waiting demand, `shortfall` what is reserved beyond what is there.
    Only `inventory.ledger`, the take and `inventory.buffers` write it.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="positions")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="positions", db_index=False)
    owner_id = models.UUIDField()
    sellable = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    buffer = models.BigIntegerField(default=0)
    haircut = models.BigIntegerField(default=0, db_default=0)
    shortfall = models.BigIntegerField(default=0)
    landed = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(
        null=True, help_text="As-of time of the last snapshot or count that set it."
    )
    fresh_until = models.DateTimeField(
        null=True, help_text="When the first of its lots on sale stops being so."
    )
    event_seq = models.BigIntegerField(default=0)
    changed_xid = models.BigIntegerField(
        editable=False, db_default=RawSQL("((pg_current_xact_id())::text)::bigint", ())
    )
    """The transaction that changed it last: set by the database where a writer does not."""

    objects = StockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sku", "node", "owner_id"], name="position_once"),
            models.CheckConstraint(
                condition=Q(sellable__gte=0, buffer__gte=0, shortfall__gte=0, landed__gte=0),
                name="position_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(reserved__gte=0, reserved__lte=F("sellable") + F("shortfall")),
                name="position_never_oversold",
            ),
            models.CheckConstraint(
                condition=Q(haircut__gte=0, haircut__lte=F("buffer")), name="position_haircut"
            ),
        ]
        indexes = [
            models.Index(fields=["node"], name="position_short", condition=Q(shortfall__gt=0)),
            models.Index(fields=["sku"], name="position_landed", condition=Q(landed__gt=0)),
            models.Index(
                fields=["fresh_until"],
                name="position_to_expire",
                condition=Q(fresh_until__isnull=False),
            ),
            # Of this kind alone an update stays on its page although the column changes.
            BrinIndex(
                fields=["changed_xid"],
                name="position_changed",
                pages_per_range=2,
                autosummarize=True,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.sku_id}"


class StockLevel(models.Model):
    """What lies there: units of a position in one condition and lot. Only the ledger writes it."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    position = models.ForeignKey(StockPosition, models.PROTECT, related_name="levels")
    condition = models.CharField(max_length=16, choices=Condition)
    lot = models.CharField(max_length=64, blank=True, default="")
    expires_on = models.DateField(null=True)
    on_hand = models.BigIntegerField(default=0)
    allocated = models.BigIntegerField(default=0)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["position", "condition", "lot"], name="level_once"),
            models.CheckConstraint(
                condition=Q(condition__in=Condition.values), name="level_condition_known"
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=0, allocated__gte=0, allocated__lte=F("on_hand")),
                name="level_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.position_id} {self.condition} {self.lot}"


class Movement(models.Model):
    """A line of the ledger: units that came or went, and why. Never changed.

    On hand of a level is the sum of its movements; `balance` is that sum after this one.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account_id = models.UUIDField()
    node_id = models.BigIntegerField()
    sku_id = models.BigIntegerField()
    position_id = models.BigIntegerField()
    level_id = models.BigIntegerField()
    condition = models.CharField(max_length=16)
    lot = models.CharField(max_length=64, default="")
    kind = models.CharField(max_length=16, choices=MovementKind)
    quantity = models.BigIntegerField()
    balance = models.BigIntegerField()
    cause_kind = models.CharField(max_length=32, default="")
    cause_id = models.UUIDField(null=True)
    source = models.CharField(max_length=64, default="")
    external_id = models.CharField(max_length=255, default="")
    note = models.TextField(default="")
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=120)
    correlation_id = models.CharField(max_length=64, default="")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = StockQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=MovementKind.values), name="movement_kind_known"
            ),
            models.CheckConstraint(condition=~Q(quantity=0), name="movement_moves"),
        ]
        indexes = [
            models.Index(fields=["level_id", "id"], name="movement_level"),
            models.Index(fields=["position_id", "at"], name="movement_position"),
            models.Index(
                fields=["source", "external_id"],
                name="movement_external",
                condition=~Q(external_id=""),
            ),
            models.Index(
                fields=["cause_id"], name="movement_cause", condition=Q(cause_id__isnull=False)
            ),
        ]


class PositionWork(models.Model):
    """A debt of a position that somebody works off: open while `done_at` is empty."""

    quantity = models.BigIntegerField()
    at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class ShortfallWork(PositionWork):
    """Units reserved at a position that are not there; orders re-source them."""

    position = models.ForeignKey(
        StockPosition, models.PROTECT, related_name="shortfall_work", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position"], condition=Q(done_at=None), name="shortfall_work_open_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shortfall_work_some"),
        ]


class LandedWork(PositionWork):
    """Units set aside for waiting demand; orders turn them into reservations."""

    position = models.ForeignKey(
        StockPosition, models.PROTECT, related_name="landed_work", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position"], condition=Q(done_at=None), name="landed_work_open_once"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="landed_work_some"),
        ]
