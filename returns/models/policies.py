"""Return policies: what may come back, until when, at whose cost. Versions, never overwritten."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.kernel import ids
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from returns.states import PaidBy, ShippingBack, Trigger
from returns.types import Reason, Terms


class ReturnPolicy(models.Model):
    """One version of what an account says about returns: of a channel, of a brand, or of all.

    The live one of a place has no `retired_at`. Amounts are minor units of the order's currency,
    0 is no limit.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    brand = models.ForeignKey(
        "kernel.Brand", models.PROTECT, null=True, blank=True, related_name="+"
    )
    channel = models.ForeignKey(
        "kernel.Channel", models.PROTECT, null=True, blank=True, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)
    window_days = models.PositiveSmallIntegerField(default=30)
    reasons = models.JSONField(default=list, help_text="Code, label and class of each.")
    excluded_categories = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    condition = models.CharField(max_length=200, default="", blank=True)
    fee_minor = models.PositiveBigIntegerField(default=0)
    keep_below_minor = models.PositiveBigIntegerField(default=0)
    review_above_minor = models.PositiveBigIntegerField(default=0)
    label_paid_by = models.CharField(max_length=12, choices=PaidBy, default=PaidBy.MERCHANT)
    refund_trigger = models.CharField(max_length=12, choices=Trigger, default=Trigger.INSPECTION)
    shipping_back = models.CharField(
        max_length=12, choices=ShippingBack, default=ShippingBack.FAULT
    )
    expires_days = models.PositiveSmallIntegerField(default=30)
    authorizes_itself = models.BooleanField(default=False)
    live_from = models.DateTimeField()
    retired_at = models.DateTimeField(null=True, blank=True)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "return policies"
        constraints = [
            models.UniqueConstraint(
                fields=["account", "brand", "channel", "version"],
                name="return_policy_version_once",
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["account", "brand", "channel"],
                name="return_policy_one_live",
                condition=Q(retired_at__isnull=True),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(label_paid_by__in=PaidBy.values)
                & Q(refund_trigger__in=Trigger.values)
                & Q(shipping_back__in=ShippingBack.values),
                name="return_policy_words_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Return policy {self.version}"

    def terms(self) -> Terms:
        """What it says, for the verdict."""
        return Terms(
            window_days=self.window_days,
            reasons=tuple(Reason(**reason) for reason in self.reasons),
            excluded_categories=tuple(self.excluded_categories),
            condition=self.condition,
            fee_minor=self.fee_minor,
            keep_below_minor=self.keep_below_minor,
            review_above_minor=self.review_above_minor,
            label_paid_by=self.label_paid_by,
            refund_trigger=self.refund_trigger,
            shipping_back=self.shipping_back,
            expires_days=self.expires_days,
            authorizes_itself=self.authorizes_itself,
        )
