"""What is sold: SKUs, their barcodes and components, and the names channels give them."""

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.states import Regulation, SkuKind


class Sku(models.Model):
    """One sellable thing of an account. Weights are grams, lengths millimeters of the packed unit."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    brand = models.ForeignKey(
        "kernel.Brand", models.PROTECT, null=True, blank=True, related_name="+"
    )
    code = models.CharField(max_length=64)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=16, choices=SkuKind, default=SkuKind.STOCK)
    weight_grams = models.PositiveIntegerField(default=0)
    length_mm = models.PositiveIntegerField(default=0)
    width_mm = models.PositiveIntegerField(default=0)
    height_mm = models.PositiveIntegerField(default=0)
    price_minor = models.BigIntegerField(default=0)
    currency = models.CharField(max_length=3, default="USD")
    hazmat = models.BooleanField(default=False)
    regulation = models.CharField(
        max_length=16, choices=Regulation, blank=True, default="", db_default=""
    )
    lot_tracked = models.BooleanField(default=False, db_default=False)
    serial_tracked = models.BooleanField(default=False, db_default=False)
    expires = models.BooleanField(
        default=False, db_default=False, help_text="Every lot of it has a date of expiry."
    )
    min_remaining_life_days = models.PositiveIntegerField(
        default=0, db_default=0, help_text="So many days before a lot expires it is sold no more."
    )
    active = models.BooleanField(default=True)
    attributes = models.JSONField(default=dict, blank=True)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "SKU"
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="sku_code_once"),
            models.CheckConstraint(condition=Q(kind__in=SkuKind.values), name="sku_kind_known"),
        ]
        indexes = [
            GinIndex(fields=["name"], name="sku_name_trigram", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.code


class Barcode(models.Model):
    """What a scanner reads off the thing."""

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="barcodes")
    value = models.CharField(max_length=64)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "value"], name="barcode_once")]

    def __str__(self) -> str:
        return self.value


class KitComponent(models.Model):
    """A kit holds so many of a component."""

    kit = models.ForeignKey(Sku, models.CASCADE, related_name="components")
    component = models.ForeignKey(Sku, models.PROTECT, related_name="kits")
    quantity = models.PositiveIntegerField()

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["kit", "component"], name="kit_component_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="kit_component_some"),
            models.CheckConstraint(condition=~Q(kit=F("component")), name="kit_not_of_itself"),
        ]

    def __str__(self) -> str:
        return f"{self.kit_id}: {self.quantity} × {self.component_id}"


class ChannelListing(models.Model):
    """The code under which a channel sells a SKU."""

    channel = models.ForeignKey("kernel.Channel", models.PROTECT, related_name="+")
    external_sku = models.CharField(max_length=120)
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="listings")

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "external_sku"], name="channel_listing_once")
        ]

    def __str__(self) -> str:
        return self.external_sku
