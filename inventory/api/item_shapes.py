"""Shapes of SKUs, packs, barcodes, kits and substitutes, as they come in and go out."""

from typing import Any

from rest_framework import serializers

from inventory.api.serializers import MOST_ITEMS, ItemProblemShape
from inventory.states import (
    BarcodeKind,
    Lifecycle,
    PackLevel,
    PriceRule,
    Regulation,
    SkuKind,
    Storage,
)

_MOST: int = 1_000_000_000
_DAYS: int = 36_500


class PackShape(serializers.Serializer[object]):
    level = serializers.CharField()
    units = serializers.IntegerField(help_text="Units of the SKU that it holds.")
    breakable = serializers.BooleanField()
    sold_as_id = serializers.IntegerField(allow_null=True)
    weight_grams = serializers.IntegerField()
    barcodes = serializers.ListField(child=serializers.CharField())


class PartShape(serializers.Serializer[object]):
    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class SubstituteShape(serializers.Serializer[object]):
    id = serializers.UUIDField()
    sku = serializers.CharField(source="code")
    name = serializers.CharField()
    rank = serializers.IntegerField()
    ratio = serializers.IntegerField(help_text="Units of it that stand for one.")
    needs_consent = serializers.BooleanField()
    price_rule = serializers.CharField()
    price_minor = serializers.IntegerField(help_text="What the buyer pays for one of the original.")
    currency = serializers.CharField()
    free = serializers.IntegerField(help_text="Units of it that the channel may sell now.")


class SkuShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    brand = serializers.CharField(source="brand_code", allow_null=True)
    lifecycle = serializers.CharField()
    sell_through = serializers.BooleanField()
    active = serializers.BooleanField(help_text="Whether it may be sold now.")
    weight_grams = serializers.IntegerField()
    length_mm = serializers.IntegerField()
    width_mm = serializers.IntegerField()
    height_mm = serializers.IntegerField()
    price_minor = serializers.IntegerField()
    currency = serializers.CharField()
    hazmat = serializers.BooleanField(help_text="Of a kit: whether any component is.")
    un_number = serializers.CharField()
    hazard_class = serializers.CharField()
    packing_group = serializers.CharField()
    limited_quantity = serializers.BooleanField()
    regulation = serializers.CharField()
    storage = serializers.CharField()
    origin_country = serializers.CharField()
    hs_code = serializers.CharField()
    lot_tracked = serializers.BooleanField()
    serial_tracked = serializers.BooleanField()
    expires = serializers.BooleanField()
    shelf_life_days = serializers.IntegerField(allow_null=True)
    min_remaining_life_days = serializers.IntegerField()
    returnable = serializers.BooleanField()
    attributes = serializers.DictField()
    components = PartShape(many=True)
    packs = PackShape(many=True)
    substitutes = SubstituteShape(
        many=True, help_text="Where `channel` is asked about: what may go out instead there."
    )


def _text(length: int, **details: Any) -> serializers.CharField:
    return serializers.CharField(max_length=length, required=False, allow_blank=True, **details)


def _units(most: int = _MOST, least: int = 0) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=least, max_value=most, required=False)


class SkuInput(serializers.Serializer[object]):
    """What is not given stays as it is; of a new SKU it is as nothing was said."""

    code = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=200, required=False, help_text="A new SKU needs one.")
    kind = serializers.ChoiceField(choices=SkuKind.values, required=False)
    brand = _text(64, help_text="Code of a brand; empty for none.")
    lifecycle = serializers.ChoiceField(choices=Lifecycle.values, required=False)
    sell_through = serializers.BooleanField(required=False)
    price_minor = _units()
    currency = serializers.RegexField("^[A-Z]{3}$", required=False)
    weight_grams = _units()
    length_mm = _units(1_000_000)
    width_mm = _units(1_000_000)
    height_mm = _units(1_000_000)
    un_number = _text(4)
    hazard_class = _text(4)
    packing_group = _text(3)
    limited_quantity = serializers.BooleanField(required=False)
    regulation = serializers.ChoiceField(
        choices=Regulation.values, required=False, allow_blank=True
    )
    storage = serializers.ChoiceField(choices=Storage.values, required=False)
    origin_country = serializers.RegexField("^([A-Z]{2})?$", required=False, allow_blank=True)
    hs_code = serializers.RegexField("^([0-9]{6,10})?$", required=False, allow_blank=True)
    lot_tracked = serializers.BooleanField(required=False)
    serial_tracked = serializers.BooleanField(required=False)
    expires = serializers.BooleanField(required=False)
    shelf_life_days = serializers.IntegerField(
        min_value=1, max_value=_DAYS, required=False, allow_null=True
    )
    min_remaining_life_days = _units(_DAYS)
    returnable = serializers.BooleanField(required=False)
    attributes = serializers.DictField(required=False)


class PackInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    level = serializers.ChoiceField(choices=PackLevel.values)
    units = serializers.IntegerField(min_value=1, max_value=_MOST)
    weight_grams = serializers.IntegerField(min_value=0, max_value=_MOST, default=0)
    length_mm = serializers.IntegerField(min_value=0, max_value=1_000_000, default=0)
    width_mm = serializers.IntegerField(min_value=0, max_value=1_000_000, default=0)
    height_mm = serializers.IntegerField(min_value=0, max_value=1_000_000, default=0)
    breakable = serializers.BooleanField(default=True)
    sold_as = serializers.CharField(
        max_length=64, allow_blank=True, default="", help_text="The kit that it is sold as."
    )


class BarcodeInput(serializers.Serializer[object]):
    value = serializers.CharField(max_length=64)
    sku = serializers.CharField(max_length=64)
    level = serializers.ChoiceField(
        choices=PackLevel.values, allow_blank=True, default="", help_text="Empty: the unit itself."
    )
    kind = serializers.ChoiceField(
        choices=BarcodeKind.values,
        allow_blank=True,
        default="",
        help_text="Empty: a GTIN if it is.",
    )


class PartInput(serializers.Serializer[object]):
    kit = serializers.CharField(max_length=64)
    component = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, max_value=10_000)


class SubstituteInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    substitute = serializers.CharField(max_length=64)
    channel = serializers.SlugField(allow_blank=True, default="", help_text="Empty: all channels.")
    rank = serializers.IntegerField(min_value=1, max_value=1_000, default=1)
    ratio = serializers.IntegerField(min_value=1, max_value=1_000, default=1)
    both_ways = serializers.BooleanField(default=False)
    needs_consent = serializers.BooleanField(default=True)
    price_rule = serializers.ChoiceField(choices=PriceRule.values, default=PriceRule.LOWER.value)
    starts_at = serializers.DateTimeField(allow_null=True, default=None)
    ends_at = serializers.DateTimeField(allow_null=True, default=None)


class _Sent(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )


class SkusInput(_Sent):
    items = SkuInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class PacksInput(_Sent):
    items = PackInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class BarcodesInput(_Sent):
    items = BarcodeInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class PartsInput(_Sent):
    items = PartInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class SubstitutesInput(_Sent):
    items = SubstituteInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class PutShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=["done", "repeated", "refused"])
    id = serializers.CharField(required=False)
    problem = ItemProblemShape(required=False)


class PutsShape(serializers.Serializer[object]):
    results = PutShape(many=True, help_text="One per item sent, in the same order.")
