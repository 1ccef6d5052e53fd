"""Shapes of the stock API: what comes in is checked here, what goes out is documented here."""

from typing import Any

from rest_framework import serializers

from inventory.services.changes import EXTERNAL_ID_LENGTH, SOURCE_LENGTH
from inventory.states import CHANGE_KINDS, Condition

MOST_ITEMS = 1_000
KINDS = sorted(CHANGE_KINDS)
_CONDITIONS = Condition.values
_MOST_UNITS = 1_000_000_000


class FunctionShape(serializers.Serializer[object]):
    function = serializers.CharField()
    paused = serializers.BooleanField()
    paused_until = serializers.DateTimeField(allow_null=True)
    reason = serializers.CharField()


class NodeShape(serializers.Serializer[object]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    city = serializers.CharField()
    region = serializers.CharField()
    postal_code = serializers.CharField()
    country = serializers.CharField()
    timezone = serializers.CharField()
    has_wms = serializers.BooleanField()
    functions = FunctionShape(many=True)


class NodeListShape(serializers.Serializer[object]):
    results = NodeShape(many=True)


class TermShape(serializers.Serializer[object]):
    code = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # declared fields leave the class
    units = serializers.IntegerField(help_text="Signed: the terms add up to `free`.")


class StockShape(serializers.Serializer[Any]):
    position_id = serializers.IntegerField()
    node = serializers.CharField(source="node_code")
    sku = serializers.CharField(source="sku_code")
    free = serializers.IntegerField(help_text="Units that can be promised now.")
    terms = TermShape(many=True)
    as_of = serializers.DateTimeField(
        allow_null=True, help_text="When the units were last counted."
    )


class ChangeInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    node = serializers.CharField(max_length=32)
    quantity = serializers.IntegerField(
        min_value=-_MOST_UNITS, max_value=_MOST_UNITS, help_text="Came (+) or went (−)."
    )
    kind = serializers.ChoiceField(choices=KINDS)
    condition = serializers.ChoiceField(
        choices=_CONDITIONS,
        required=False,
        help_text="Left out: available; of a receipt, as the node receives.",
    )
    lot = serializers.CharField(max_length=64, allow_blank=True, default="")
    expires_on = serializers.DateField(allow_null=True, default=None)
    external_id = serializers.CharField(
        max_length=EXTERNAL_ID_LENGTH,
        allow_blank=True,
        default="",
        help_text="The source's own id: the same change sent again happens once.",
    )
    note = serializers.CharField(max_length=500, allow_blank=True, default="")
    owner = serializers.SlugField(
        max_length=32,
        allow_blank=True,
        default="",
        help_text="Whose goods: an owner's code; empty, ours.",
    )


class ChangesInput(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    source = serializers.CharField(max_length=SOURCE_LENGTH, allow_blank=True, default="")  # type: ignore[assignment]  # declared fields leave the class
    changes = ChangeInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class SnapshotRowInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=0, max_value=_MOST_UNITS)
    condition = serializers.ChoiceField(choices=_CONDITIONS, default=Condition.AVAILABLE.value)
    lot = serializers.CharField(max_length=64, allow_blank=True, default="")
    owner = serializers.SlugField(
        max_length=32,
        allow_blank=True,
        default="",
        help_text="Whose goods: an owner's code; empty, ours.",
    )


class SnapshotInput(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    node = serializers.CharField(max_length=32)
    source = serializers.CharField(max_length=SOURCE_LENGTH)  # type: ignore[assignment]  # declared fields leave the class
    as_of = serializers.DateTimeField(help_text="When the source saw these units.")
    counted = serializers.BooleanField(
        default=False,
        help_text="People have counted them: open count requests of these SKUs are answered.",
    )
    rows = SnapshotRowInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class ItemProblemShape(serializers.Serializer[object]):
    code = serializers.CharField()
    detail = serializers.CharField()


class StockItemShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=["done", "repeated", "refused"])
    movement_id = serializers.UUIDField(required=False)
    on_hand = serializers.IntegerField(required=False)
    problem = ItemProblemShape(required=False)


class StockItemsShape(serializers.Serializer[object]):
    results = StockItemShape(many=True, help_text="One per item sent, in the same order.")
