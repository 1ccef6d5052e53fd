"""What is kept back: rules for safety stock and thresholds, and what they come to for now."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.groups import NodeGroup
from inventory.models.items import Sku
from inventory.models.network import Node
from inventory.models.stock import StockPosition
from inventory.states import RuleState, SkuKind


class SkuSelection(models.Model):
    """Which SKUs are meant: those that meet everything that is said. Nothing said means all."""

    sku_codes = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    brand = models.ForeignKey(
        "kernel.Brand", models.PROTECT, null=True, blank=True, related_name="+"
    )
    sku_kind = models.CharField(max_length=16, choices=SkuKind, blank=True, default="")
    lifecycle = models.CharField(max_length=16, blank=True, default="")
    attribute = models.CharField(max_length=64, blank=True, default="")
    attribute_value = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        abstract = True


class BufferRule(SkuSelection, StateModel):
    """Units that are not sold: of a node's stock (safety stock), or of a channel's figure (threshold).

    draft ⇄ live → ended. In force while live, from `starts_at` to before `ends_at`. Rules stand in
    the order of `sequence`; of those that match, the last one wins. Of units, share and days of
    cover the greatest counts. Without a group and nodes it is for all nodes.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    sequence = models.IntegerField()
    state = StateField(max_length=12, choices=RuleState, default=RuleState.DRAFT)
    channel = models.ForeignKey(
        "kernel.Channel", models.PROTECT, null=True, blank=True, related_name="+"
    )
    group = models.ForeignKey(
        NodeGroup, models.PROTECT, null=True, blank=True, related_name="buffer_rules"
    )
    node_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    safety_units = models.BigIntegerField(null=True, blank=True)
    safety_percent = models.SmallIntegerField(
        null=True, blank=True, help_text="Of the units that may be sold, rounded up."
    )
    cover_days = models.SmallIntegerField(
        null=True, blank=True, help_text="Days of average demand that are kept."
    )
    cover_over_days = models.SmallIntegerField(
        default=28, help_text="Days over which demand is averaged."
    )
    threshold = models.BigIntegerField(
        null=True, blank=True, help_text="Units by which the channel's figure is lowered."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RuleState.values), name="buffer_rule_state_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="buffer_rule_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(
                    channel__isnull=False,
                    threshold__gte=0,
                    safety_units=None,
                    safety_percent=None,
                    cover_days=None,
                    group=None,
                    node_ids=[],
                )
                | Q(channel=None, threshold=None),
                name="buffer_rule_one_side",
            ),
            models.CheckConstraint(
                condition=Q(channel__isnull=False)
                | Q(safety_units__isnull=False)
                | Q(safety_percent__isnull=False)
                | Q(cover_days__isnull=False),
                name="buffer_rule_says_something",
            ),
            models.CheckConstraint(
                condition=(Q(safety_units=None) | Q(safety_units__gte=0))
                & (Q(safety_percent=None) | Q(safety_percent__gte=0, safety_percent__lte=100))
                & (Q(cover_days=None) | Q(cover_days__gte=0, cover_days__lte=365))
                & Q(cover_over_days__gte=1, cover_over_days__lte=365),
                name="buffer_rule_in_range",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "sequence", "id"], name="buffer_rule_order"),
        ]

    def __str__(self) -> str:
        return self.name

    @transition(field=state, source=RuleState.DRAFT, target=RuleState.LIVE)
    def publish(self) -> None:
        """It is in force in its time."""

    @transition(field=state, source=RuleState.LIVE, target=RuleState.DRAFT)
    def withdraw(self) -> None:
        """It is out of force until it is published again."""

    @transition(field=state, source=[RuleState.DRAFT, RuleState.LIVE], target=RuleState.ENDED)
    def end(self, *, ends_at: datetime | None) -> None:
        """Its time is over, or nobody wants it any more."""
        self.ends_at = ends_at


class ChannelTerm(models.Model):
    """The threshold of a SKU in a channel that applies now, and the rule that says so."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="channel_terms")
    threshold = models.BigIntegerField()
    rule = models.ForeignKey(BufferRule, models.PROTECT, related_name="channel_terms")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "sku"], name="channel_term_once"),
            models.CheckConstraint(condition=Q(threshold__gte=0), name="channel_term_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.sku_id}"


class PositionSafety(models.Model):
    """The safety stock of a position that applies now: by a rule, or set by hand (no rule).

    What is set by hand stands above every rule until it is given up. The position's `buffer` is
    this plus its `haircut`.
    """

    position = models.OneToOneField(
        StockPosition, models.CASCADE, primary_key=True, related_name="safety"
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    rule = models.ForeignKey(
        BufferRule, models.PROTECT, null=True, blank=True, related_name="positions"
    )
    units = models.BigIntegerField()
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "position safety"
        constraints = [
            models.CheckConstraint(condition=Q(units__gte=0), name="position_safety_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.position_id}: {self.units}"


class NodeHaircut(models.Model):
    """The share of a node's stock that is kept back because its figures are not to be trusted.

    One row per cause (`feed`, `pick_fail_rate`); the greatest share counts. 100 keeps back
    everything, also what arrives meanwhile. With an account it is of what that one keeps there:
    nodes are shared, and a feed tells of one account's stock.
    """

    node = models.ForeignKey(Node, models.CASCADE, related_name="haircuts", db_index=False)
    account = models.ForeignKey(
        "kernel.Account", models.CASCADE, null=True, related_name="+", db_index=False
    )
    source = models.CharField(max_length=32)
    percent = models.SmallIntegerField()
    reason = models.CharField(max_length=200, blank=True, default="")
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "source", "account"],
                name="node_haircut_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(percent__gte=1, percent__lte=100), name="node_haircut_share"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.source} {self.percent} %"


class RuleRun(models.Model):
    """When an account's buffer rules are to be applied next, and how far new positions have been."""

    account = models.OneToOneField(
        "kernel.Account", models.PROTECT, primary_key=True, related_name="+"
    )
    due_at = models.DateTimeField()
    applied_at = models.DateTimeField(null=True)
    last_position = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.account_id} {self.due_at}"
