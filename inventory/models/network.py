"""The network: nodes, what they do and when, and the carriers and services whose codes they name."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from inventory.querysets import NodeQuerySet
from inventory.states import Capability, Function, NodeKind, NodeState, ServiceKind

WEEKDAYS = [
    (0, "Monday"),
    (1, "Tuesday"),
    (2, "Wednesday"),
    (3, "Thursday"),
    (4, "Friday"),
    (5, "Saturday"),
    (6, "Sunday"),
]


class Carrier(models.Model):
    """Who moves parcels. `tracking_url` holds `{number}` where the tracking number goes."""

    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=80)
    tracking_url = models.CharField(max_length=200, blank=True, default="")

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.name


class ServiceLevel(models.Model):
    """A speed that is sold and shipped by; `carrier` empty lets the node's carrier be chosen."""

    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=80)
    carrier = models.ForeignKey(
        Carrier, models.PROTECT, null=True, blank=True, related_name="service_levels"
    )
    kind = models.CharField(max_length=16, choices=ServiceKind, default=ServiceKind.STANDARD)
    refuses = ArrayField(
        models.CharField(max_length=16, choices=Capability),
        default=list,
        blank=True,
        help_text="Goods that it does not carry, by what a node must be able to do to send them.",
    )

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ServiceKind.values), name="service_level_kind_known"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Node(StateModel):
    """A place that holds stock and executes: warehouse, store, 3PL, supplier or channel's own.

    onboarding → active ⇄ paused → draining → closed; an active node may drain at once. What it
    does (ship, pickup, receiving, returns) is paused apart, on `NodeFunction`.
    """

    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=120)
    kind = models.CharField(max_length=16, choices=NodeKind)
    state = StateField(max_length=16, choices=NodeState, default=NodeState.ONBOARDING)
    paused_until = models.DateTimeField(null=True, blank=True)
    pause_reason = models.CharField(max_length=200, blank=True, default="")
    line1 = models.CharField(max_length=120, blank=True, default="")
    city = models.CharField(max_length=80, blank=True, default="")
    region = models.CharField(max_length=16, blank=True, default="")
    postal_code = models.CharField(max_length=16)
    country = models.CharField(max_length=2, default="US")
    latitude = models.FloatField(null=True, blank=True)
    longitude = models.FloatField(null=True, blank=True)
    timezone = models.CharField(max_length=64, default="UTC")
    has_wms = models.BooleanField(
        default=False, help_text="A WMS executes; otherwise people do, with lists and scans."
    )
    puts_away = models.BooleanField(
        default=False, help_text="Receipts lie in receiving until somebody has put them away."
    )
    counts_per_day = models.PositiveSmallIntegerField(
        default=0, help_text="SKUs that the node is asked to count each day in the cycle."
    )
    processing_minutes = models.PositiveIntegerField(default=120)
    handling_cost_minor = models.BigIntegerField(default=0)
    pick_cost_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="USD")
    priority = models.IntegerField(default=100, help_text="The lower goes first when all is equal.")
    holiday_country = models.CharField(max_length=2, blank=True, default="US")
    accounts = models.ManyToManyField("kernel.Account", through="NodeGrant", related_name="+")
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = NodeQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=NodeKind.values), name="node_kind_known"),
            models.CheckConstraint(
                condition=Q(state__in=NodeState.values), name="node_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"

    @transition(field=state, source=NodeState.ONBOARDING, target=NodeState.ACTIVE)
    def activate(self) -> None:
        """The node takes work."""

    @transition(field=state, source=NodeState.ACTIVE, target=NodeState.PAUSED)
    def pause(self, *, until: datetime | None, reason: str) -> None:
        self.paused_until, self.pause_reason = until, reason

    @transition(field=state, source=NodeState.PAUSED, target=NodeState.ACTIVE)
    def resume(self) -> None:
        self.paused_until, self.pause_reason = None, ""

    @transition(field=state, source=[NodeState.ACTIVE, NodeState.PAUSED], target=NodeState.DRAINING)
    def drain(self, *, reason: str) -> None:
        """It finishes what it has and is given nothing new."""
        self.paused_until, self.pause_reason = None, reason

    @transition(field=state, source=NodeState.DRAINING, target=NodeState.CLOSED)
    def close(self) -> None:
        """It executes nothing any more."""


class NodeGrant(models.Model):
    """An account may see and use a node."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="grants")
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")

    history = HistoricalRecords()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "account"], name="node_grant_once")]

    def __str__(self) -> str:
        return f"{self.node_id} {self.account_id}"


class NodeFunction(models.Model):
    """One thing that a node does. Absent: it does not; paused: not now."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="functions")
    function = models.CharField(max_length=16, choices=Function)
    paused = models.BooleanField(default=False)
    paused_until = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True, default="")

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "function"], name="node_function_once"),
            models.CheckConstraint(
                condition=Q(function__in=Function.values), name="node_function_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.function}"


class NodeHours(models.Model):
    """When a node works on a weekday, in its local time. No row: closed that day."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="hours")
    weekday = models.SmallIntegerField(choices=WEEKDAYS)
    opens = models.TimeField()
    closes = models.TimeField()

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "node hours"
        constraints = [
            models.UniqueConstraint(fields=["node", "weekday"], name="node_hours_once"),
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="node_hours_weekday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.get_weekday_display()} {self.opens}-{self.closes}"


class NodeCutoff(models.Model):
    """Local time by which work must be in to leave the same day; no service means any."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="cutoffs")
    service_level = models.ForeignKey(
        ServiceLevel, models.PROTECT, null=True, blank=True, related_name="cutoffs"
    )
    weekday = models.SmallIntegerField(choices=WEEKDAYS)
    at_local = models.TimeField()

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "service_level", "weekday"],
                name="node_cutoff_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="node_cutoff_weekday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.get_weekday_display()} {self.at_local}"


class NodeClosure(models.Model):
    """A day on which a node does not work: a public holiday, or one entered by hand."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="closures")
    on = models.DateField()
    name = models.CharField(max_length=120)

    history = HistoricalRecords()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "on"], name="node_closure_once")]

    def __str__(self) -> str:
        return f"{self.node_id} {self.on} {self.name}"


class ChannelNode(models.Model):
    """A node stands in a channel's network: it ships for it, hands over pickups, or both."""

    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.CASCADE, related_name="channel_nodes")
    ships = models.BooleanField(default=True)
    picks_up = models.BooleanField(default=False)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "node"], name="channel_node_once")
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.node_id}"
