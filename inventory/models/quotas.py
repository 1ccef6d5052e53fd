"""Quotas: units of a SKU that are kept for one channel, and what it has used of them."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.rules import SkuSelection
from inventory.states import QuotaKind, QuotaState


class QuotaPlan(SkuSelection, StateModel):
    """A quota for a set of SKUs in one channel: planned → live → ended, by its dates.

    Each SKU that is meant gets a `Quota` of its own. Of several that are live for a channel's SKU
    the one of the highest `sequence` is in force; an overlay (an event such as Prime Day) stands
    above every plan that is none.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+")
    name = models.CharField(max_length=120)
    sequence = models.IntegerField(default=0)
    overlay = models.BooleanField(default=False)
    kind = models.CharField(max_length=12, choices=QuotaKind)
    state = StateField(max_length=12, choices=QuotaState, default=QuotaState.PLANNED)
    units = models.BigIntegerField(
        null=True, blank=True, help_text="Units of each SKU: fixed and priority."
    )
    percent = models.SmallIntegerField(
        null=True, blank=True, help_text="Of what may be sold of each SKU: percent."
    )
    cap = models.BigIntegerField(
        null=True, blank=True, help_text="Most units of each SKU; empty is as many as are free."
    )
    spill = models.BooleanField(default=False, help_text="Others may have what is not used.")
    spill_at = models.DateTimeField(
        null=True, blank=True, help_text="From when others may have it; empty is at any time."
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)
    event_seq = models.BigIntegerField(default=0)

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=QuotaState.values), name="quota_plan_state_known"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")),
                name="quota_plan_ends_after_start",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind__in=[QuotaKind.FIXED, QuotaKind.PRIORITY], units__gte=0, percent=None
                )
                | Q(kind=QuotaKind.PERCENT, units=None, percent__gte=0, percent__lte=100),
                name="quota_plan_kind",
            ),
            models.CheckConstraint(
                condition=Q(cap=None) | Q(cap__gte=0), name="quota_plan_cap_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(spill=True) | Q(spill_at=None), name="quota_plan_spill"
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "starts_at"],
                name="quota_plan_open",
                condition=~Q(state=QuotaState.ENDED),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @transition(field=state, source=QuotaState.PLANNED, target=QuotaState.LIVE)
    def start(self) -> None:
        """Its units are kept from now on."""

    @transition(field=state, source=[QuotaState.PLANNED, QuotaState.LIVE], target=QuotaState.ENDED)
    def end(self, *, ends_at: datetime | None) -> None:
        """Its time is over: what was not used is everybody's again."""
        self.ends_at = ends_at


class Quota(models.Model):
    """What a plan comes to for one SKU: units kept for its channel, and units that it has used.

    Of `fixed`, units once used stay used; of the other kinds only open reservations are. What is
    kept by a percentage is worked out anew whenever it is asked for, `protected` is what it last was.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    plan = models.ForeignKey(QuotaPlan, models.PROTECT, related_name="quotas", db_index=False)
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="quotas", db_index=False)
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=12, choices=QuotaKind)
    state = models.CharField(max_length=12, choices=QuotaState)
    overlay = models.BooleanField()
    sequence = models.IntegerField()
    protected = models.BigIntegerField()
    percent = models.SmallIntegerField(null=True)
    used = models.BigIntegerField(default=0)
    cap = models.BigIntegerField(null=True)
    spill = models.BooleanField()
    spill_at = models.DateTimeField(null=True)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "sku"], name="quota_once"),
            models.CheckConstraint(
                condition=Q(state__in=QuotaState.values, kind__in=QuotaKind.values),
                name="quota_state_known",
            ),
            models.CheckConstraint(
                condition=Q(protected__gte=0, used__gte=0), name="quota_not_negative"
            ),
        ]
        indexes = [
            models.Index(fields=["sku"], name="quota_live", condition=Q(state=QuotaState.LIVE)),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.sku_id}"


class QuotaUse(models.Model):
    """A reservation's units count in a quota."""

    reservation_id = models.UUIDField(primary_key=True)
    quota = models.ForeignKey(Quota, models.CASCADE, related_name="uses")

    def __str__(self) -> str:
        return f"{self.quota_id} {self.reservation_id}"
