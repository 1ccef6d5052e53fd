"""How much a node can do within a window of its own day, and what of that is used."""

from django.db import models
from django.db.models import F, Q
from django.db.models.expressions import RawSQL

from config.kernel.history import HistoricalRecords
from config.kernel.models.events import TransactionId
from inventory.models.network import WEEKDAYS, Node
from inventory.states import CAPACITY_FUNCTIONS, CapacityResource, Function

CAPACITY_CHOICES = [(one.value, one.label) for one in Function if one.value in CAPACITY_FUNCTIONS]


class NodeCapacity(models.Model):
    """The most that a node does of one thing between two local times of a weekday.

    `closes` of midnight is the end of the day. A hard limit is never passed: whoever accepts an order
    takes from it in the same transaction. Any other limit is a signal.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="capacities")
    function = models.CharField(max_length=16, choices=CAPACITY_CHOICES)
    resource = models.CharField(max_length=16, choices=CapacityResource)
    weekday = models.SmallIntegerField(choices=WEEKDAYS)
    opens = models.TimeField()
    closes = models.TimeField()
    most = models.PositiveIntegerField()
    hard = models.BooleanField(default=False)

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "node capacities"
        constraints = [
            models.UniqueConstraint(
                fields=["node", "function", "resource", "weekday", "opens"],
                name="node_capacity_once",
            ),
            models.CheckConstraint(
                condition=Q(function__in=CAPACITY_FUNCTIONS), name="node_capacity_function"
            ),
            models.CheckConstraint(
                condition=Q(resource__in=CapacityResource.values), name="node_capacity_resource"
            ),
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="node_capacity_weekday"
            ),
            models.CheckConstraint(
                condition=Q(closes__gt=F("opens")) | Q(closes="00:00"), name="node_capacity_closes"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.resource} {self.get_weekday_display()} {self.most}"


class CapacityWindow(models.Model):
    """One window as it stands: its limit, what is used and done in it, and what it inherits.

    `backlog` is what earlier windows left undone: it enters this one first. Folded from the entries;
    what is taken from a hard limit is counted at once, in the transaction that takes it.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="windows")
    function = models.CharField(max_length=16, choices=CAPACITY_CHOICES)
    resource = models.CharField(max_length=16, choices=CapacityResource)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    most = models.PositiveIntegerField()
    hard = models.BooleanField(default=False)
    used = models.BigIntegerField(default=0)
    done = models.BigIntegerField(default=0)
    backlog = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "function", "resource", "starts_at"], name="capacity_window_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")), name="capacity_window_ends"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.resource} {self.starts_at:%Y-%m-%d %H:%M}"


class CapacityEntry(models.Model):
    """Work that came to a window, went from it again (negative), or was done in it.

    `after` is the last entry of the same cause that its writer had seen, `place` the entry's among
    what it wrote: two writers that began from the same one cannot both be right. Whoever takes from a
    hard limit has counted it (`counted`) and names none. Rows are never changed: `xid` tells how far they are folded.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="+")
    function = models.CharField(max_length=16)
    resource = models.CharField(max_length=16)
    starts_at = models.DateTimeField()
    used = models.BigIntegerField()
    done = models.BigIntegerField()
    counted = models.BooleanField()
    cause_kind = models.CharField(max_length=32)
    cause_id = models.UUIDField()
    after = models.BigIntegerField(null=True)
    place = models.SmallIntegerField(default=0)
    at = models.DateTimeField()
    xid = TransactionId(db_default=RawSQL("pg_current_xact_id()", ()))

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["cause_id", "node", "function", "resource", "after", "place"],
                name="capacity_entry_once",
            )
        ]
        indexes = [
            models.Index(fields=["xid"], name="capacity_entry_horizon"),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.resource} {self.used:+d}"


class CapacityFold(models.Model):
    """How far the entries are folded into windows: all of transactions below `xid`."""

    name = models.CharField(max_length=16, primary_key=True)
    xid = TransactionId(db_default=RawSQL("'0'::xid8", ()))

    def __str__(self) -> str:
        return self.name
