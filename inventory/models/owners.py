"""Whose goods lie at our nodes, what of them channels may sell, and what was sold of them."""

from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL

from config.kernel import ids
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.models.items import Sku
from inventory.states import ConsignedKind


class StockOwner(models.Model):
    """Somebody else whose goods lie at our nodes. Its id is the owner of their positions.

    What a channel sells of them is owed to the owner. `is_first` says that they are sold before
    our own goods of the same SKU and node; otherwise they are sold when ours are gone.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    code = models.SlugField(max_length=32)
    name = models.CharField(max_length=120)
    is_first = models.BooleanField(default=False)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="stock_owner_code_once")
        ]

    def __str__(self) -> str:
        return self.code


class OwnerChannel(models.Model):
    """A channel sells the owner's goods: they count in its figures, and its orders may have them."""

    owner = models.ForeignKey(StockOwner, models.CASCADE, related_name="channels")
    channel = models.ForeignKey("kernel.Channel", models.CASCADE, related_name="+")

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["channel", "owner"], name="owner_channel_once")
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.channel_id}"


class OwnerPrice(models.Model):
    """What is owed to the owner for each unit sold of a SKU."""

    owner = models.ForeignKey(StockOwner, models.CASCADE, related_name="prices")
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="+", db_index=False)
    unit_price = models.DecimalField(
        max_digits=18, decimal_places=6, help_text="In minor units of the currency."
    )
    currency = models.CharField(max_length=3)

    history = HistoricalRecords()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "sku"], name="owner_price_once"),
            models.CheckConstraint(condition=Q(unit_price__gte=0), name="owner_price_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.sku_id}"


class ConsignedUse(models.Model):
    """Units of an owner that were sold (+) or came back (−): a line of what we owe. Never changed.

    Written with the movement that it follows from. `amount_minor` is None while no price was agreed.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account_id = models.UUIDField()
    owner = models.ForeignKey(StockOwner, models.PROTECT, related_name="uses", db_index=False)
    sku_id = models.BigIntegerField()
    node_id = models.BigIntegerField()
    movement_id = models.UUIDField()
    kind = models.CharField(max_length=12, choices=ConsignedKind)
    quantity = models.BigIntegerField()
    amount_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, default="", blank=True)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=RawSQL("clock_timestamp()", ()))

    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["movement_id"], name="consigned_use_once"),
            models.CheckConstraint(
                condition=Q(kind="sold", quantity__gt=0)
                | Q(kind__in=["put_back", "returned"], quantity__lt=0),
                name="consigned_use_signed",
            ),
        ]
        indexes = [models.Index(fields=["owner", "at"], name="consigned_use_period")]

    def __str__(self) -> str:
        return f"{self.owner_id} {self.quantity}"
