"""What the continuous check of the books has looked at, and where it found them not adding up."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from inventory.models.stock import StockLevel, StockPosition
from inventory.states import DriftKind


class DriftWatch(models.Model):
    """How far the check has come: positions up to `after` are done in this round.

    `size` is how many positions a range has; it is halved when a range takes too long. `checked` and
    `found` count the present round, `last_checked` and `last_found` the one before.
    """

    name = models.CharField(max_length=32, unique=True)
    after = models.BigIntegerField(default=0)
    size = models.IntegerField(default=1_000)
    round = models.BigIntegerField(default=1)
    begun_at = models.DateTimeField()
    looked_at = models.DateTimeField()
    checked = models.BigIntegerField(default=0)
    found = models.BigIntegerField(default=0)
    last_begun_at = models.DateTimeField(null=True)
    last_ended_at = models.DateTimeField(null=True)
    last_checked = models.BigIntegerField(default=0)
    last_found = models.BigIntegerField(default=0)
    too_slow = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(size__gt=0), name="drift_watch_size")]

    def __str__(self) -> str:
        return self.name


class StockDrift(models.Model):
    """A sum that did not hold: what the row says (`found`) and what its parts say (`expected`).

    Open until `closed_at`; repaired by whom and by which line of the ledger, or it was gone when it
    was looked at again. `evidence` names the first ledger row or event after which it was so.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    position = models.ForeignKey(StockPosition, models.PROTECT, related_name="+")
    level = models.ForeignKey(StockLevel, models.PROTECT, null=True, related_name="+")
    kind = models.CharField(max_length=16, choices=DriftKind)
    found = models.BigIntegerField()
    expected = models.BigIntegerField()
    evidence = models.JSONField(default=dict)
    seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)
    repaired_by = models.CharField(max_length=64, default="")
    repaired_by_name = models.CharField(max_length=120, default="")
    movement_id = models.UUIDField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["position", "kind", "level"],
                condition=Q(closed_at=None),
                nulls_distinct=False,
                name="drift_open_once",
            ),
            models.CheckConstraint(condition=Q(kind__in=DriftKind.values), name="drift_kind_known"),
        ]
        indexes = [models.Index(fields=["account", "-id"], name="drift_by_account")]

    def __str__(self) -> str:
        return f"{self.kind} {self.position_id}"
