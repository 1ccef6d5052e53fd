"""What carriers say of parcels beyond their way."""

from django.db import models

from config.kernel import ids
from config.kernel.querysets import ScopedQuerySet


class DeliveryEstimate(models.Model):
    """When a carrier expects to deliver a parcel: what it said first, and what it says now."""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    parcel = models.OneToOneField("fulfillment.Parcel", models.PROTECT, related_name="+")
    first_at = models.DateTimeField(help_text="When it was to come, at first.")
    latest_at = models.DateTimeField(help_text="When it is to come, as the carrier has it now.")
    told_at = models.DateTimeField(help_text="When the carrier changed its mind last.")

    objects = ScopedQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.parcel_id} by {self.latest_at:%Y-%m-%d}"
