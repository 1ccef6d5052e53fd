"""What a node can do and when it is there: capabilities, pickups, special days, plans, signals."""

from django.db import models
from django.db.models import F, Q

from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from inventory.models.network import WEEKDAYS, Carrier, Node, NodeFunction, ServiceLevel
from inventory.states import Capability, Function, PlanKind, PlanState, SignalCode


class NodeCapability(models.Model):
    """Something that a node can do beyond holding and handing over goods."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="capabilities")
    code = models.CharField(max_length=16, choices=Capability)
    detail = models.JSONField(default=dict, blank=True)

    history = HistoricalRecords()

    class Meta:
        verbose_name_plural = "node capabilities"
        constraints = [
            models.UniqueConstraint(fields=["node", "code"], name="node_capability_once"),
            models.CheckConstraint(
                condition=Q(code__in=Capability.values), name="node_capability_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.code}"


class NodePickup(models.Model):
    """When a carrier fetches what is labelled for it, in the node's time; no service means any.

    `most_parcels` is what it takes along; empty means all there is.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="pickups")
    carrier = models.ForeignKey(Carrier, models.PROTECT, related_name="pickups")
    service_level = models.ForeignKey(
        ServiceLevel, models.PROTECT, null=True, blank=True, related_name="pickups"
    )
    weekday = models.SmallIntegerField(choices=WEEKDAYS)
    at_local = models.TimeField()
    most_parcels = models.PositiveIntegerField(null=True, blank=True)
    dock = models.CharField(max_length=32, blank=True, default="")

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "carrier", "service_level", "weekday", "at_local"],
                name="node_pickup_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(weekday__gte=0, weekday__lte=6), name="node_pickup_weekday"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.get_weekday_display()} {self.at_local}"


class NodeSpecialDay(models.Model):
    """Hours of one date, whatever its weekday or a public holiday says."""

    node = models.ForeignKey(Node, models.CASCADE, related_name="special_days")
    on = models.DateField()
    opens = models.TimeField()
    closes = models.TimeField()
    name = models.CharField(max_length=120)

    history = HistoricalRecords()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node", "on"], name="node_special_day_once")]

    def __str__(self) -> str:
        return f"{self.node_id} {self.on} {self.opens}-{self.closes}"


class NodePlan(StateModel):
    """What a node does differently for a while: closed, or able to do less or more than usual.

    planned → live → ended; cancelled before it ends. `function` empty means all of them. How much
    less or more is a percentage of the usual limit, or so many of whatever the limit counts.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="plans")
    function = models.CharField(max_length=16, choices=Function, blank=True, default="")
    kind = models.CharField(max_length=16, choices=PlanKind)
    state = StateField(max_length=16, choices=PlanState, default=PlanState.PLANNED)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    units = models.PositiveIntegerField(null=True, blank=True)
    reason = models.CharField(max_length=200)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=PlanKind.values), name="node_plan_kind"),
            models.CheckConstraint(condition=Q(state__in=PlanState.values), name="node_plan_state"),
            models.CheckConstraint(
                condition=Q(function="") | Q(function__in=Function.values),
                name="node_plan_function",
            ),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="node_plan_ends"),
            models.CheckConstraint(
                condition=Q(kind=PlanKind.CLOSED, percent=None, units=None)
                | ~Q(kind=PlanKind.CLOSED) & Q(percent=None, units__isnull=False)
                | ~Q(kind=PlanKind.CLOSED) & Q(percent__isnull=False, units=None),
                name="node_plan_amount",
            ),
        ]
        indexes = [
            models.Index(
                fields=["starts_at"],
                name="node_plan_to_turn",
                condition=Q(state__in=(PlanState.PLANNED, PlanState.LIVE)),
            )
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.kind} {self.starts_at:%Y-%m-%d}"

    @transition(field=state, source=PlanState.PLANNED, target=PlanState.LIVE)
    def start(self) -> None:
        """Its time has come."""

    @transition(field=state, source=[PlanState.PLANNED, PlanState.LIVE], target=PlanState.ENDED)
    def end(self) -> None:
        """Its time is over."""

    @transition(field=state, source=[PlanState.PLANNED, PlanState.LIVE], target=PlanState.CANCELLED)
    def cancel(self) -> None:
        """Somebody took it back."""


class PlannedPause(models.Model):
    """A function of a node is paused by a plan, and resumes with its end: nobody paused it by hand."""

    function = models.OneToOneField(
        NodeFunction, models.CASCADE, primary_key=True, related_name="planned_pause"
    )
    plan = models.ForeignKey(NodePlan, models.CASCADE, related_name="pauses")

    def __str__(self) -> str:
        return f"{self.function_id} by {self.plan_id}"


class NodeSignal(models.Model):
    """How a node is doing, as last measured; no value means that it was not measured.

    `most` is the node's own threshold: a value above it opens a case. Empty: the usual one.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="signals")
    code = models.CharField(max_length=16, choices=SignalCode)
    value = models.FloatField(null=True, blank=True)
    most = models.FloatField(null=True, blank=True)
    as_of = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node", "code"], name="node_signal_once"),
            models.CheckConstraint(
                condition=Q(code__in=SignalCode.values), name="node_signal_known"
            ),
            models.CheckConstraint(
                condition=Q(value=None) | Q(as_of__isnull=False), name="node_signal_dated"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.code}"
