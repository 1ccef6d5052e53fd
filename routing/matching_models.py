"""What later orders need, what was moved since, what nodes refuse, and what follows from it."""

from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from routing.states import NextStep, Variance


class PriceBook(models.Model):
    """What units and room were worth when it was made: the newest of an account counts.

    `error_permille` is how far off the forecast was, `usual_minor` what a parcel usually costs,
    `took_ms` processor time. `parcels` are [node id, day, minor units]. `versions` are those of the
    network, policies, rates and SKUs that it was made from. Units are priced in `StockPrice`.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    currency = models.CharField(max_length=3)
    made_at = models.DateTimeField()
    days_recorded = models.PositiveIntegerField()
    orders_recorded = models.PositiveIntegerField()
    days_ahead = models.PositiveSmallIntegerField()
    scenes = models.PositiveSmallIntegerField()
    seed = models.BigIntegerField()
    skus = models.PositiveIntegerField()
    nodes = models.PositiveIntegerField()
    error_permille = models.PositiveSmallIntegerField()
    usual_minor = models.BigIntegerField()
    took_ms = models.PositiveIntegerField()
    parcels = models.JSONField(default=list)
    versions = models.JSONField(default=dict)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-made_at"], name="book_newest")]
        constraints = [
            models.CheckConstraint(
                condition=Q(error_permille__lte=1_000), name="book_error_is_a_share"
            )
        ]

    def __str__(self) -> str:
        return f"Prices of {self.made_at:%Y-%m-%d %H:%M}"


class StockPrice(models.Model):
    """A SKU's prices in a book. `packed` are triples of 32 bits, low byte first: node id, minor
    units, and the units that were free there when the book was made.
    """

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey(PriceBook, models.CASCADE, related_name="+", db_index=False)
    sku_id = models.BigIntegerField()
    packed = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["book", "sku_id"], name="price_once")]

    def __str__(self) -> str:
        return f"{self.sku_id} in {self.book_id}"


class ReplanWish(models.Model):
    """Something happened that may have made standing plans worse than they could be.

    One row per account however much happened: `causes` since the last look.
    """

    account = models.OneToOneField(
        "kernel.Account", models.PROTECT, primary_key=True, related_name="+"
    )
    causes = models.JSONField(default=list)
    since = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"Wanted since {self.since:%Y-%m-%d %H:%M}"


class ReplanRun(models.Model):
    """One look at an account's open orders: what was moved, what was not and why.

    `refused` counts orders by reason, `levels` plans by what decided. `saved_minor` is the
    objective's, `freight_saved_minor` money alone: where prices of stock moved an order it may be
    negative. `took_ms` is processor time.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    book = models.ForeignKey(PriceBook, models.SET_NULL, null=True, related_name="+")
    causes = models.JSONField(default=list)
    currency = models.CharField(max_length=3)
    looked_at = models.PositiveIntegerField(default=0)
    moved = models.PositiveIntegerField(default=0)
    saved_minor = models.BigIntegerField(default=0)
    freight_saved_minor = models.BigIntegerField(default=0)
    refused = models.JSONField(default=dict)
    levels = models.JSONField(default=dict)
    took_ms = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["account", "-at"], name="replan_run_newest")]

    def __str__(self) -> str:
        return f"Re-planned {self.at:%Y-%m-%d %H:%M}"


class ReplanMove(models.Model):
    """A delivery group that a run sent from elsewhere, with both costs."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    run = models.ForeignKey(ReplanRun, models.PROTECT, related_name="moves")
    account = models.ForeignKey(
        "kernel.Account", models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    order_id = models.UUIDField()
    group_id = models.UUIDField()
    was = models.CharField(max_length=200)
    now = models.CharField(max_length=200)
    was_minor = models.BigIntegerField()
    now_minor = models.BigIntegerField()
    saved_minor = models.BigIntegerField()
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["group_id", "at"], name="replan_move_group")]

    def __str__(self) -> str:
        return f"{self.was} → {self.now}"


class RejectionRule(models.Model):
    """What follows when a node gives units of an account up for a reason.

    Hours of zero leave the SKU at the node, or the node, as it is. An account without a rule for a
    reason has the built-in one (`routing.rejections.BUILT_IN`).
    """

    id = models.BigAutoField(primary_key=True)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    reason = models.SlugField(max_length=24)
    variance = models.CharField(max_length=8, choices=Variance, default=Variance.NONE)
    sku_hours = models.PositiveSmallIntegerField(
        default=24, help_text="How long the SKU is not sourced at the node."
    )
    node_hours = models.PositiveSmallIntegerField(
        default=0, help_text="How long the node gets no new work of this kind."
    )
    next_step = models.CharField(max_length=8, choices=NextStep, default=NextStep.SOURCE)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "reason"], name="rejection_rule_once"),
            models.CheckConstraint(
                condition=Q(variance__in=Variance.values), name="rejection_variance_known"
            ),
            models.CheckConstraint(
                condition=Q(next_step__in=NextStep.values), name="rejection_step_known"
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class FullNode(models.Model):
    """A node that said it can do no more: it gets no new work of this kind until then."""

    id = models.BigAutoField(primary_key=True)
    node_id = models.BigIntegerField()
    function = models.CharField(max_length=12)
    until = models.DateTimeField()
    reason = models.CharField(max_length=80)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["node_id", "function"], name="full_once")]

    def __str__(self) -> str:
        return f"{self.node_id} full until {self.until:%Y-%m-%d %H:%M}"


class AcceptanceRate(models.Model):
    """How often a node takes on work with goods of a class: counts that fade as they age.

    `counted_at` is the moment to which both counts are faded. `goods` is the class
    (`routing.acceptance`).
    """

    id = models.BigAutoField(primary_key=True)
    node_id = models.BigIntegerField()
    goods = models.SlugField(max_length=40)
    asked = models.FloatField(default=0)
    rejected = models.FloatField(default=0)
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["node_id", "goods"], name="acceptance_once"),
            models.CheckConstraint(
                condition=Q(asked__gte=0, rejected__gte=0), name="acceptance_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id}: {self.goods}"
