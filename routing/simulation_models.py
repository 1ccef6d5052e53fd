"""What was tried: policies played over recorded decisions, beside live, and the week's certificate."""

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet


class SimulationKind(models.TextChoices):
    BACKTEST = "backtest", "Backtest"
    SHADOW = "shadow", "Shadow"


class Simulation(models.Model):
    """Policies played over recorded decisions: a backtest of a period, or a shadow beside live.

    `variants` are what is compared, the recorded policies first: label, policy, other weights.
    `sample` says which decisions. `carried` is what later decisions start from (compressed JSON:
    by how much each variant's stock differs from the recorded one), `result` the totals so far.
    A backtest is worked through by its job; a shadow goes on from `reached` until it is stopped.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    kind = models.CharField(max_length=12, choices=SimulationKind)
    title = models.CharField(max_length=200)
    policy = models.ForeignKey(
        "routing.SourcingPolicy", models.PROTECT, null=True, related_name="simulations"
    )
    job_id = models.UUIDField(null=True)
    variants = models.JSONField(default=list)
    sample = models.JSONField(default=dict)
    carried = models.BinaryField(default=b"")
    result = models.JSONField(default=dict)
    reached = models.UUIDField(null=True, help_text="The last decision that a shadow has seen.")
    asked_by = models.CharField(max_length=120)
    at = models.DateTimeField()
    stopped_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=SimulationKind.values), name="simulation_kind_known"
            ),
            models.UniqueConstraint(
                fields=["policy"],
                condition=Q(kind=SimulationKind.SHADOW, stopped_at__isnull=True),
                name="simulation_one_shadow",
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind"], condition=Q(stopped_at__isnull=True), name="simulation_open"
            )
        ]

    def __str__(self) -> str:
        return self.title


class SimulatedMove(models.Model):
    """A group that a variant would send from elsewhere, with both records.

    `before` is the first variant's record, empty where it is the recorded decision's own.
    `saved_minor` is what the variant saves in true cost, below zero where it costs more.
    """

    id = models.BigAutoField(primary_key=True)
    simulation = models.ForeignKey(Simulation, models.CASCADE, related_name="moves")
    variant = models.PositiveSmallIntegerField()
    decision_id = models.UUIDField()
    order_id = models.UUIDField()
    group_id = models.UUIDField()
    at = models.DateTimeField()
    before_from = models.TextField(default="")
    after_from = models.TextField(default="")
    saved_minor = models.BigIntegerField(default=0)
    parcels = models.SmallIntegerField(default=0, help_text="More parcels than before.")
    late_milli = models.BigIntegerField(default=0, help_text="Thousandths of a day later.")
    before = models.JSONField(default=dict)
    after = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["simulation", "variant", "id"], name="simulated_move_page")]

    def __str__(self) -> str:
        return f"{self.group_id}: {self.before_from or 'nothing'} → {self.after_from or 'nothing'}"


class Certificate(models.Model):
    """How far a week's live decisions were from the best that hindsight allows, and why.

    Minor units. No plan of the week's orders from the week's stock could have cost less than
    `bound_minor`. `causes` parts the difference; its parts add up to it.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    currency = models.CharField(max_length=3, default="USD")
    orders = models.PositiveIntegerField(default=0)
    left_out = models.PositiveIntegerField(
        default=0, help_text="Decisions that pickup, a pin or a missing input kept out."
    )
    live_minor = models.BigIntegerField(default=0)
    bound_minor = models.BigIntegerField(default=0)
    causes = models.JSONField(default=dict)
    examples = models.JSONField(default=dict, help_text="By cause, the orders that cost most.")
    made_by = models.CharField(max_length=120)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "starts_at", "ends_at"], name="certificate_once"
            ),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="certificate_period"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.starts_at:%Y-%m-%d}"

    @property
    def ratio(self) -> float:
        """What live decisions cost, by the bound."""
        return self.live_minor / self.bound_minor if self.bound_minor else 1.0
