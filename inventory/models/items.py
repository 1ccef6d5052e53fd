"""What is sold: SKUs, their packs, barcodes and components, what stands in, and channels' names."""

from datetime import datetime

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q

from config.kernel import ids
from config.kernel.fsm import StateField, StateModel, transition
from config.kernel.history import HistoricalRecords
from config.kernel.querysets import ScopedQuerySet
from inventory.states import (
    BarcodeKind,
    Lifecycle,
    PackLevel,
    PriceRule,
    Regulation,
    SkuKind,
    Storage,
    SubstituteState,
)


class Sku(StateModel):
    """One sellable thing of an account. Weights are grams, lengths millimeters of the packed unit.

    The lifecycle runs planned → active ⇄ phasing_out → discontinued, and back to active when it is
    revived. `active` (may be sold) and `hazmat` follow from the other columns; of a kit also from its
    components, and are written by the commands that change either.
    """

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
    hazmat = models.BooleanField(default=False, editable=False)
    active = models.BooleanField(default=True, editable=False)
    attributes = models.JSONField(default=dict, blank=True)
    lifecycle = StateField(max_length=16, choices=Lifecycle, default=Lifecycle.ACTIVE)
    sell_through = models.BooleanField(
        default=True, db_default=True, help_text="Once discontinued, what is left is still sold."
    )
    un_number = models.CharField(max_length=4, blank=True, default="", db_default="")
    hazard_class = models.CharField(max_length=4, blank=True, default="", db_default="")
    packing_group = models.CharField(max_length=3, blank=True, default="", db_default="")
    limited_quantity = models.BooleanField(default=False, db_default=False)
    regulation = models.CharField(
        max_length=16, choices=Regulation, blank=True, default="", db_default=""
    )
    origin_country = models.CharField(max_length=2, blank=True, default="", db_default="")
    hs_code = models.CharField(max_length=10, blank=True, default="", db_default="")
    lot_tracked = models.BooleanField(default=False, db_default=False)
    serial_tracked = models.BooleanField(default=False, db_default=False)
    expires = models.BooleanField(
        default=False, db_default=False, help_text="Every lot of it has a date of expiry."
    )
    shelf_life_days = models.PositiveIntegerField(null=True, blank=True)
    min_remaining_life_days = models.PositiveIntegerField(
        default=0,
        db_default=0,
        help_text="So many days before a lot expires it is sold no more.",
    )
    returnable = models.BooleanField(default=True, db_default=True)
    event_seq = models.BigIntegerField(default=0, db_default=0)
    storage = models.CharField(
        max_length=12, choices=Storage, default=Storage.AMBIENT, db_default="ambient"
    )

    history = HistoricalRecords(excluded_fields=["event_seq"])
    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "SKU"
        constraints = [
            models.UniqueConstraint(fields=["account", "code"], name="sku_code_once"),
            models.CheckConstraint(condition=Q(kind__in=SkuKind.values), name="sku_kind_known"),
            models.CheckConstraint(
                condition=Q(lifecycle__in=Lifecycle.values) & Q(storage__in=Storage.values),
                name="sku_words_known",
            ),
            models.CheckConstraint(
                condition=Q(un_number="") | (Q(un_number__regex=r"^\d{4}$") & ~Q(hazard_class="")),
                name="sku_hazard_whole",
            ),
            models.CheckConstraint(
                condition=Q(packing_group__in=["", "I", "II", "III"]), name="sku_packing_group"
            ),
            models.CheckConstraint(
                condition=Q(origin_country="") | Q(origin_country__regex=r"^[A-Z]{2}$"),
                name="sku_origin_country",
            ),
            models.CheckConstraint(
                condition=Q(hs_code="") | Q(hs_code__regex=r"^\d{6,10}$"), name="sku_hs_code"
            ),
        ]
        indexes = [
            GinIndex(fields=["name"], name="sku_name_trigram", opclasses=["gin_trgm_ops"]),
        ]

    def __str__(self) -> str:
        return self.code

    @transition(field=lifecycle, source=Lifecycle.PLANNED, target=Lifecycle.ACTIVE)
    def launch(self) -> None:
        """It is sold and replenished."""

    @transition(field=lifecycle, source=Lifecycle.ACTIVE, target=Lifecycle.PHASING_OUT)
    def phase_out(self) -> None:
        """It is sold, and replenished no more."""

    @transition(
        field=lifecycle,
        source=[Lifecycle.PLANNED, Lifecycle.ACTIVE, Lifecycle.PHASING_OUT],
        target=Lifecycle.DISCONTINUED,
    )
    def discontinue(self) -> None:
        """What is left is sold, unless `sell_through` is off."""

    @transition(
        field=lifecycle,
        source=[Lifecycle.PHASING_OUT, Lifecycle.DISCONTINUED],
        target=Lifecycle.ACTIVE,
    )
    def revive(self) -> None:
        """It is replenished again."""


class SkuPack(models.Model):
    """How many units of a SKU a pack holds, and what it measures. Weights and lengths as of a SKU.

    A pack that is sold by itself is a kit of so many units: `sold_as`.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="packs")
    level = models.CharField(max_length=8, choices=PackLevel)
    units = models.PositiveIntegerField()
    weight_grams = models.PositiveIntegerField(default=0)
    length_mm = models.PositiveIntegerField(default=0)
    width_mm = models.PositiveIntegerField(default=0)
    height_mm = models.PositiveIntegerField(default=0)
    breakable = models.BooleanField(
        default=True, help_text="It may be opened, at nodes that open such packs."
    )
    sold_as = models.ForeignKey(
        Sku, models.PROTECT, null=True, blank=True, related_name="sells_packs"
    )

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sku", "level"], name="sku_pack_once"),
            models.CheckConstraint(
                condition=Q(level__in=PackLevel.values), name="sku_pack_level_known"
            ),
            models.CheckConstraint(
                condition=Q(level=PackLevel.EACH, units=1)
                | (~Q(level=PackLevel.EACH) & Q(units__gt=0)),
                name="sku_pack_units",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.level} of {self.units}"


class Barcode(models.Model):
    """What a scanner reads off the thing, or off a pack of it.

    `gtin` is a GTIN in fourteen digits, whichever of its lengths is printed.
    """

    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, models.CASCADE, related_name="barcodes")
    pack = models.ForeignKey(
        SkuPack, models.CASCADE, null=True, blank=True, related_name="barcodes"
    )
    value = models.CharField(max_length=64)
    kind = models.CharField(
        max_length=8, choices=BarcodeKind, default=BarcodeKind.INTERNAL, db_default="internal"
    )
    gtin = models.CharField(max_length=14, blank=True, default="", db_default="", editable=False)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["account", "value"], name="barcode_once"),
            models.UniqueConstraint(
                fields=["account", "gtin"], name="barcode_gtin_once", condition=~Q(gtin="")
            ),
            models.CheckConstraint(
                condition=Q(kind=BarcodeKind.INTERNAL, gtin="")
                | Q(kind=BarcodeKind.GTIN, gtin__regex=r"^\d{14}$"),
                name="barcode_kind",
            ),
        ]

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


class Substitute(StateModel):
    """A SKU that may go out instead of another: proposed → approved → retired; changed, proposed anew.

    `ratio` units of it stand for one. It holds for one channel, or for all. Substitutes of substitutes
    are not followed.
    """

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)
    account = models.ForeignKey("kernel.Account", models.PROTECT, related_name="+")
    sku = models.ForeignKey(Sku, models.PROTECT, related_name="substitutes")
    substitute = models.ForeignKey(Sku, models.PROTECT, related_name="stands_in_for")
    channel = models.ForeignKey(
        "kernel.Channel", models.PROTECT, null=True, blank=True, related_name="+"
    )
    rank = models.PositiveSmallIntegerField(default=1)
    ratio = models.PositiveIntegerField(default=1)
    both_ways = models.BooleanField(default=False)
    needs_consent = models.BooleanField(default=True)
    price_rule = models.CharField(max_length=8, choices=PriceRule, default=PriceRule.LOWER)
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    state = StateField(max_length=12, choices=SubstituteState, default=SubstituteState.PROPOSED)
    approved_by = models.CharField(max_length=120, blank=True, default="", editable=False)
    approved_at = models.DateTimeField(null=True, editable=False)

    history = HistoricalRecords()
    objects = ScopedQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["sku", "substitute", "channel"],
                name="substitute_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(state__in=SubstituteState.values), name="substitute_state_known"
            ),
            models.CheckConstraint(
                condition=Q(price_rule__in=PriceRule.values), name="substitute_price_rule_known"
            ),
            models.CheckConstraint(
                condition=~Q(sku=F("substitute")), name="substitute_not_of_itself"
            ),
            models.CheckConstraint(
                condition=Q(ratio=1) | Q(ratio__gt=1, both_ways=False), name="substitute_ratio"
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(starts_at=None) | Q(ends_at__gt=F("starts_at")),
                name="substitute_ends_after_start",
            ),
            models.CheckConstraint(
                condition=~Q(state=SubstituteState.APPROVED) | Q(approved_at__isnull=False),
                name="substitute_approved_by",
            ),
        ]
        indexes = [models.Index(fields=["account", "state"], name="substitute_by_state")]

    def __str__(self) -> str:
        return f"{self.substitute_id} for {self.sku_id}"

    @transition(
        field=state,
        source=[SubstituteState.PROPOSED, SubstituteState.RETIRED],
        target=SubstituteState.APPROVED,
    )
    def approve(self, *, at: datetime, by: str) -> None:
        """It may go out instead, in its time."""
        self.approved_at, self.approved_by = at, by

    @transition(
        field=state,
        source=[SubstituteState.PROPOSED, SubstituteState.APPROVED],
        target=SubstituteState.RETIRED,
    )
    def retire(self) -> None:
        """It goes out no more."""

    @transition(
        field=state,
        source=[SubstituteState.APPROVED, SubstituteState.RETIRED],
        target=SubstituteState.PROPOSED,
    )
    def propose_again(self) -> None:
        """It was changed: somebody approves it anew."""
