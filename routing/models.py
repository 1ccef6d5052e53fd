"""Policies, rate cards, and why each unit was sent from where."""

from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from routing.states import PolicyState


class RateCard(models.Model):
    """What a service level is expected to cost and take, by distance: an estimate, not a tariff.

    The network is shared, so a card belongs to no account. A service level has one card at most.
    """

    id = models.BigAutoField(primary_key=True)
    code = models.SlugField(max_length=32, unique=True)
    name = models.CharField(max_length=80, blank=True, default="")
    carrier = models.ForeignKey(
        "inventory.Carrier", models.PROTECT, null=True, blank=True, related_name="+"
    )
    service_level = models.OneToOneField("inventory.ServiceLevel", models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3, default="USD")
    holiday_country = models.CharField(
        max_length=2, default="US", help_text="On whose public holidays the carrier rests."
    )

    history = HistoricalRecords()

    def __str__(self) -> str:
        return self.code


class RateZone(models.Model):
    """A ring of a rate card: up to `max_km` it costs `base + per_kg × kilograms`."""

    id = models.BigAutoField(primary_key=True)
    card = models.ForeignKey(RateCard, models.CASCADE, related_name="zones")
    max_km = models.PositiveIntegerField()
    base_minor = models.BigIntegerField()
    per_kg_minor = models.BigIntegerField()
    days_p50 = models.PositiveSmallIntegerField(help_text="Carrier working days, usual.")
    days_p90 = models.PositiveSmallIntegerField(help_text="Carrier working days, nine in ten.")

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["card", "max_km"], name="rate_zone_once"),
            models.CheckConstraint(
                condition=Q(base_minor__gte=0, per_kg_minor__gte=0), name="rate_zone_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(days_p90__gte=models.F("days_p50")), name="rate_zone_p90_after_p50"
            ),
        ]

    def __str__(self) -> str:
        return f"≤ {self.max_km} km"


class SourcingPolicy(StateModel):
    """How an account (or one channel of it) chooses nodes. Each edit is a new version.

    `weights`: `cost_percent` of the expected parcel and handling cost, `parcel_minor` per parcel
    after the first, `km_milli` thousandths of a minor unit per kilometre, `late_day_minor` per
    expected day past the requested date. `soft` constraints are dropped in a second pass when
    nothing satisfies them, and the decision says so. `rules` are what is different for some orders
    (`routing.rules`). `based_on` is the version that it was drafted from, or that it brings back.
    Machine: see `routing.states`.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey(
        "kernel.Channel", models.PROTECT, null=True, blank=True, related_name="+"
    )
    code = models.SlugField(max_length=32)
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=80)
    state = StateField(max_length=12, choices=PolicyState, default=PolicyState.DRAFT)
    weights = models.JSONField(default=dict)
    max_nodes = models.PositiveSmallIntegerField(default=4)
    max_km = models.PositiveIntegerField(null=True, blank=True)
    allow_partial = models.BooleanField(default=True)
    split_lines = models.BooleanField(default=True)
    on_time = models.BooleanField(
        default=False, help_text="Refuse nodes that would deliver after the requested date."
    )
    soft = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    rules = models.JSONField(default=list, blank=True)
    comment = models.CharField(max_length=500, blank=True, default="")
    based_on = models.ForeignKey(
        "self", models.PROTECT, null=True, editable=False, related_name="+", db_index=False
    )
    drafted_by_id = models.CharField(max_length=64, default="", editable=False)
    drafted_by = models.CharField(max_length=120, default="", editable=False)
    reviewed_by = models.CharField(max_length=120, default="", editable=False)
    review_note = models.CharField(max_length=500, default="", editable=False)
    starts_at = models.DateTimeField(null=True, blank=True)
    published_at = models.DateTimeField(null=True, editable=False)
    published_by = models.CharField(max_length=120, default="", editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "sourcing policies"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "channel", "code", "version"],
                name="policy_version_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["account", "channel"],
                condition=Q(state=PolicyState.LIVE),
                name="policy_live_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(state__in=PolicyState.values), name="policy_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    @transition(field=state, source=PolicyState.DRAFT, target=PolicyState.IN_REVIEW)
    def submit(self) -> None:
        """Its author thinks it is ready."""

    @transition(
        field=state, source=[PolicyState.IN_REVIEW, PolicyState.SCHEDULED], target=PolicyState.DRAFT
    )
    def send_back(self, *, by: str, note: str) -> None:
        self.reviewed_by, self.review_note = by, note
        self.starts_at = None

    @transition(field=state, source=PolicyState.IN_REVIEW, target=PolicyState.SCHEDULED)
    def schedule(self, *, by: str, note: str, starts_at: datetime) -> None:
        self.reviewed_by, self.review_note = by, note
        self.starts_at = starts_at

    @transition(
        field=state,
        source=[PolicyState.IN_REVIEW, PolicyState.SCHEDULED],
        target=PolicyState.LIVE,
    )
    def publish(self, *, by: str, at: datetime) -> None:
        self.published_by, self.published_at = by, at

    @transition(
        field=state,
        source=[
            PolicyState.DRAFT,
            PolicyState.IN_REVIEW,
            PolicyState.SCHEDULED,
            PolicyState.LIVE,
        ],
        target=PolicyState.RETIRED,
    )
    def retire(self, *, at: datetime) -> None:
        self.retired_at = at


class RoutingDecision(models.Model):
    """Why a group's units are sent from where: every node of the network with its verdict.

    Never updated: a group that is planned again gets another row. `record` is the decision as
    read by people and the API (codes, ids and numbers, no personal data); `input` is what the
    engine was given, as compressed JSON: demand, supply, exclusions, policy, and the versions of
    the network and the rates. The policy is null where the account has none and the built-in one
    (cheapest) decided.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account_id = models.UUIDField()
    order_id = models.UUIDField()
    group_id = models.UUIDField()
    plan_version = models.BigIntegerField()
    policy = models.ForeignKey(
        SourcingPolicy, models.PROTECT, null=True, related_name="+", db_index=False
    )
    level = models.CharField(
        max_length=8, help_text="exact, gap, priced, stale, joint or rule: what decided."
    )
    record = models.JSONField(default=dict)
    input = models.BinaryField()
    winner = models.TextField(default="", help_text="Codes of the chosen nodes.")
    cost_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3)
    split_cause = models.CharField(max_length=32, default="")
    pinned = models.BooleanField(default=False, help_text="A person had chosen the node.")
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["order_id", "-id"], name="decision_order"),
            models.Index(fields=["group_id", "-id"], name="decision_group"),
            BrinIndex(fields=["at"], name="decision_time"),
        ]

    def __str__(self) -> str:
        return f"{self.group_id} → {self.winner or 'nothing'}"


import routing.matching_models  # noqa: E402  # beside these, in a module of their own
import routing.quote_models  # noqa: E402, F401  # told to Django
from routing.simulation_models import Certificate, SimulatedMove, Simulation  # noqa: E402, F401  # told to Django
