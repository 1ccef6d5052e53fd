"""Which lots and single things the units of a line are of, from the pick to the parcel they left in."""

from django.db import models
from django.db.models import Q

from config.kernel.querysets import ScopedQuerySet
from fulfillment.models.parcels import Parcel
from fulfillment.models.work import FulfillmentLine


class TracedUnits(models.Model):
    """Units of a line that are of one lot, or one thing with a serial number.

    Recorded at the pick or at the packing; `parcel` is empty until they are packed. `verified`
    says that we know the lot, that it may be sold, and what the law asks for beside it.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+", db_index=False)
    line = models.ForeignKey(FulfillmentLine, models.PROTECT, related_name="traced")
    parcel = models.ForeignKey(Parcel, models.PROTECT, null=True, related_name="traced")
    sku = models.ForeignKey("inventory.Sku", models.PROTECT, related_name="+", db_index=False)
    lot = models.CharField(max_length=64, blank=True, default="")
    serial = models.CharField(max_length=64, blank=True, default="")
    expires_on = models.DateField(null=True)
    quantity = models.PositiveIntegerField()
    verified = models.BooleanField(default=False)
    at = models.DateTimeField()

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gt=0) & (Q(serial="") | Q(quantity=1)),
                name="traced_units_some",
            ),
            models.CheckConstraint(condition=~Q(lot="") | ~Q(serial=""), name="traced_units_named"),
        ]
        indexes = [
            models.Index(fields=["sku", "lot"], name="traced_lot"),
            models.Index(fields=["sku", "serial"], name="traced_serial", condition=~Q(serial="")),
        ]
