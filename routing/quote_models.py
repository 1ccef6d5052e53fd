"""What buyers were offered, what channels promise them, and how long carriers have taken."""

from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet


class QuoteKind(models.TextChoices):
    """Where the buyer was when the quote was asked for."""

    PRODUCT = "product", "Product page"
    CART = "cart", "Cart"
    CHECKOUT = "checkout", "Check-out"


class PromiseQuote(models.Model):
    """What one buyer was offered at one moment, honoured until it expires. Never changed.

    `lines` are [code, units, {SKU id: units}], `options` and `unavailable` as the API answers them
    (`routing.quotes.shapes`), `versions` those of the reference values that it was made from.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=QuoteKind)
    currency = models.CharField(max_length=3)
    cart = models.CharField(max_length=64, default="")
    postal_code = models.CharField(max_length=16, default="")
    region = models.CharField(max_length=64, default="")
    country = models.CharField(max_length=2, default="")
    lines = models.JSONField()
    options = models.JSONField()
    unavailable = models.JSONField(default=list)
    policies = models.JSONField(default=list)
    versions = models.JSONField(default=dict)
    at = models.DateTimeField()
    expires_at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=QuoteKind.values), name="promise_quote_kind_known"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("at")), name="promise_quote_lasts"),
        ]
        indexes = [
            models.Index(fields=["account", "-id"], name="promise_quote_recent"),
            models.Index(fields=["expires_at"], name="promise_quote_expired"),
        ]

    def __str__(self) -> str:
        return f"Quote {self.id}"


class ChannelPledge(models.Model):
    """What a channel promises its buyers of a service level: nobody may promise later.

    Days are working days of the channel's time zone, without the carriers' holidays of
    `holiday_country`; the day of the order counts when it was placed before `cutoff`. Without a
    service level it holds for every one. Of several that hold the tightest counts.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+", db_index=False)
    service_level = models.ForeignKey(
        "inventory.ServiceLevel",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    ship_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Working days in which it has left."
    )
    deliver_days = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="Working days in which it has arrived."
    )
    cutoff = models.TimeField(
        null=True, blank=True, help_text="Orders placed later count from the next working day."
    )
    holiday_country = models.CharField(max_length=2, default="US")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(ship_days__isnull=False) | Q(deliver_days__isnull=False),
                name="channel_pledge_says_something",
            ),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
                name="channel_pledge_ends_later",
            ),
        ]
        indexes = [models.Index(fields=["account", "channel"], name="channel_pledge_place")]

    def __str__(self) -> str:
        return f"{self.channel} from {self.starts_at:%Y-%m-%d}"


class LearntLane(models.Model):
    """How many carrier working days our own parcels took from a node into a ring of the rate card.

    `weekday` is that of the departure, null for all together. `p50` and `p90` are what promises
    rest on: what was seen, drawn towards the contract's figure by `routing.services.learnt_lanes`.
    The network is shared, so a lane belongs to no account.
    """

    id = models.BigAutoField(primary_key=True)
    node = models.ForeignKey("inventory.Node", models.CASCADE, related_name="+", db_index=False)
    service = models.CharField(max_length=32)
    max_km = models.PositiveIntegerField(help_text="The ring's reach on the rate card.")
    weekday = models.PositiveSmallIntegerField(null=True, help_text="0 is Monday; null is any.")
    parcels = models.PositiveIntegerField()
    seen_p50 = models.PositiveSmallIntegerField()
    seen_p90 = models.PositiveSmallIntegerField()
    contract_p50 = models.PositiveSmallIntegerField()
    contract_p90 = models.PositiveSmallIntegerField()
    p50 = models.PositiveSmallIntegerField()
    p90 = models.PositiveSmallIntegerField()
    learnt_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "service", "max_km", "weekday"],
                name="learnt_lane_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(p90__gte=F("p50")), name="learnt_lane_p90_after_p50"
            ),
            models.CheckConstraint(
                condition=Q(weekday__isnull=True) | Q(weekday__lte=6),
                name="learnt_lane_weekday_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.service} ≤ {self.max_km} km"
