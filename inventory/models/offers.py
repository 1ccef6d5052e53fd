"""What drop-ship suppliers ask for the goods that they send for us, and how soon they send them."""

from django.db import models
from django.db.models import F, Q

from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.models.network import Node


class SupplierOffer(models.Model):
    """A supplier sends a SKU for us at this price, from one day until another.

    Of a supplier's offers of a SKU that have begun, the last one holds. `own_cost_minor` is what a
    unit of our own costs us, with which the price is compared; None, with the least that any
    supplier asks. `valid_until` is the first day on which the offer holds no more. Amounts are per
    unit in minor units of the currency; `lead_days` are the supplier's working days; an order for
    fewer than `least_units` it does not take.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    node = models.ForeignKey(Node, models.PROTECT, related_name="+", db_index=False)
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="+")
    unit_cost_minor = models.BigIntegerField()
    own_cost_minor = models.BigIntegerField(null=True, blank=True)
    currency = models.CharField(max_length=3)
    lead_days = models.PositiveSmallIntegerField(default=0)
    least_units = models.PositiveIntegerField(default=1)
    valid_from = models.DateField()
    valid_until = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=64, blank=True, default="")

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["node", "sku", "valid_from"], name="supplier_offer_once"
            ),
            models.CheckConstraint(
                condition=Q(unit_cost_minor__gte=0, least_units__gte=1)
                & (Q(own_cost_minor=None) | Q(own_cost_minor__gte=0)),
                name="supplier_offer_amounts",
            ),
            models.CheckConstraint(
                condition=Q(valid_until=None) | Q(valid_until__gte=F("valid_from")),
                name="supplier_offer_period",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.node_id} {self.sku_id} {self.valid_from}"
