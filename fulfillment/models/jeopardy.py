"""How long stages take, when each promise gets into danger, and what was done about it."""

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet
from fulfillment.models.work import FulfillmentOrder
from fulfillment.states import RemedyKind, Stage


class StageTime(models.Model):
    """How long a stage has taken: at a node, or with a carrier; without either, at any. Seconds.

    `fast`, `usual` and `slow` are the 10th, 50th and 90th percentile of `samples` recorded ones.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    node = models.ForeignKey(
        "inventory.Node", models.PROTECT, null=True, related_name="+", db_index=False
    )
    carrier_code = models.CharField(max_length=32, default="")
    stage = models.CharField(max_length=12, choices=Stage)
    fast = models.PositiveIntegerField()
    usual = models.PositiveIntegerField()
    slow = models.PositiveIntegerField()
    samples = models.PositiveIntegerField()
    learnt_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "node", "carrier_code", "stage"],
                name="stage_time_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="stage_time_known"),
            models.CheckConstraint(
                condition=Q(fast__lte=F("usual")) & Q(usual__lte=F("slow")),
                name="stage_time_in_order",
            ),
        ]


class PromiseSlack(models.Model):
    """Where the part of a delivery group that is furthest behind stands, and until when all is well.

    The four instants do not move while the stage lasts, so a row is written when a stage ends and
    not as time goes by: from `low_at` on even the slow tenth makes it no more, from `high_at` the
    usual pace is too slow, from `certain_at` the fastest is. Slack is what is left to `high_at`.
    """

    group = models.OneToOneField(
        "orders.DeliveryGroup", models.PROTECT, primary_key=True, related_name="+"
    )
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="+", db_index=False)
    fulfillment_order = models.ForeignKey(
        FulfillmentOrder, models.PROTECT, null=True, related_name="+", db_index=False
    )
    node = models.ForeignKey(
        "inventory.Node", models.PROTECT, null=True, related_name="+", db_index=False
    )
    carrier_code = models.CharField(max_length=32, default="")
    stage = models.CharField(max_length=12, choices=Stage)
    since = models.DateTimeField(help_text="When the stage began.")
    target_at = models.DateTimeField(help_text="By when this stage is to end.")
    promised_at = models.DateTimeField(
        help_text="Ship-by; the last day of delivery, once a carrier has it."
    )
    low_at = models.DateTimeField()
    medium_at = models.DateTimeField()
    high_at = models.DateTimeField()
    certain_at = models.DateTimeField()
    reported = models.CharField(
        max_length=8, default="", help_text="The highest level that was reported of this danger."
    )
    written_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "slack of a promise"
        verbose_name_plural = "slack of promises"
        constraints = [
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="slack_stage_known"),
            models.CheckConstraint(
                condition=Q(low_at__lte=F("medium_at"))
                & Q(medium_at__lte=F("high_at"))
                & Q(high_at__lte=F("certain_at")),
                name="slack_in_order",
            ),
        ]
        indexes = [
            models.Index(fields=["account", "high_at", "group"], name="slack_by_account"),
            models.Index(fields=["low_at"], name="slack_by_danger"),
            models.Index(fields=["order"], name="slack_of_order"),
        ]


class Remedy(models.Model):
    """Something was done for a promise in danger: what, at which extra cost, by whom.

    `before` and `after` are what it changed, by ids and codes: what undoing needs.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    order = models.ForeignKey("orders.Order", models.PROTECT, related_name="+", db_index=False)
    group = models.ForeignKey(
        "orders.DeliveryGroup", models.PROTECT, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=12, choices=RemedyKind)
    cost_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    automatic = models.BooleanField(default=False)
    level = models.CharField(max_length=8, default="")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=120)
    at = models.DateTimeField()
    undone_at = models.DateTimeField(null=True)
    undone_by = models.CharField(max_length=120, default="")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "remedies"
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=RemedyKind.values), name="remedy_known")
        ]
        indexes = [
            models.Index(fields=["account", "at"], name="remedy_of_day"),
            models.Index(fields=["order", "id"], name="remedy_of_order"),
        ]
