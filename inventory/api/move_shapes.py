"""Shapes of what moves stock by request."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from inventory.api.serializers import MOST_ITEMS, ItemProblemShape
from inventory.models import CountRequest
from inventory.services.changes import EXTERNAL_ID_LENGTH, SOURCE_LENGTH
from inventory.states import AdjustmentReason, Condition, TransferPurpose
from inventory.types import SubjectTag, subject_id

_MOST_UNITS = 1_000_000_000
_OUTCOMES = ["done", "repeated", "refused"]


def _items(shape: type[serializers.Serializer[Any]]) -> Any:
    return shape(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]


class _Batch(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    source = serializers.CharField(max_length=SOURCE_LENGTH, allow_blank=True, default="")  # type: ignore[assignment]  # declared fields leave the class


class _Place(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    node = serializers.CharField(max_length=32)
    lot = serializers.CharField(max_length=64, allow_blank=True, default="")
    external_id = serializers.CharField(
        max_length=EXTERNAL_ID_LENGTH,
        allow_blank=True,
        default="",
        help_text="The source's own id: the same item sent again happens once.",
    )
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class ConditionInput(_Place):
    condition = serializers.ChoiceField(choices=Condition.values, help_text="As they lay.")
    into = serializers.ChoiceField(choices=Condition.values, help_text="As they lie now.")
    quantity = serializers.IntegerField(
        min_value=1, max_value=_MOST_UNITS, allow_null=True, default=None, help_text="Null is all."
    )


class ConditionsInput(_Batch):
    items = _items(ConditionInput)


class ConversionInput(_Place):
    packs = serializers.IntegerField(min_value=1, max_value=_MOST_UNITS)
    pack = serializers.CharField(max_length=16, default="case")
    units = serializers.IntegerField(
        min_value=2,
        max_value=_MOST_UNITS,
        allow_null=True,
        default=None,
        help_text="Units in each pack.",
    )


class ConversionsInput(_Batch):
    items = _items(ConversionInput)


class MovementShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=_OUTCOMES)
    movement_id = serializers.UUIDField(required=False)
    on_hand = serializers.IntegerField(required=False, help_text="What is left where they lay.")
    problem = ItemProblemShape(required=False)


class MovementsShape(serializers.Serializer[object]):
    results = MovementShape(many=True, help_text="One per item sent, in the same order.")


class AdjustmentInput(_Place):
    quantity = serializers.IntegerField(
        min_value=-_MOST_UNITS, max_value=_MOST_UNITS, help_text="Came (+) or went (−)."
    )
    reason = serializers.ChoiceField(choices=AdjustmentReason.values)
    condition = serializers.ChoiceField(choices=Condition.values, default=Condition.AVAILABLE.value)
    expires_on = serializers.DateField(allow_null=True, default=None)
    expected_on_hand = serializers.IntegerField(
        min_value=0,
        allow_null=True,
        default=None,
        help_text="Refused as stale when another number lies there.",
    )


class AdjustmentsInput(_Batch):
    items = _items(AdjustmentInput)


class DocumentShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=_OUTCOMES)
    id = serializers.UUIDField(required=False)
    number = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    problem = ItemProblemShape(required=False)


class DocumentsShape(serializers.Serializer[object]):
    results = DocumentShape(many=True, help_text="One per item sent, in the same order.")


class IdsInput(serializers.Serializer[object]):
    ids = serializers.ListField(
        child=serializers.UUIDField(), max_length=MOST_ITEMS, allow_empty=False
    )


class WordInput(IdsInput):
    """Documents to decide on, with a word about it."""

    reason = serializers.CharField(max_length=200, allow_blank=True, default="")


class AdjustmentShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    state = serializers.CharField()
    node = serializers.CharField(source="node.code")
    sku = serializers.CharField(source="sku.code")
    condition = serializers.CharField()
    lot = serializers.CharField()
    quantity = serializers.IntegerField()
    reason = serializers.CharField()
    note = serializers.CharField()
    value_minor = serializers.IntegerField()
    currency = serializers.CharField()
    proposed_at = serializers.DateTimeField()
    proposed_by = serializers.CharField(source="proposed_by_name")
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.CharField(source="decided_by_name")
    decision_note = serializers.CharField()
    movement_id = serializers.UUIDField(allow_null=True)


class TransferLineInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, max_value=_MOST_UNITS)


class TransferInput(serializers.Serializer[object]):
    from_node = serializers.CharField(max_length=32)
    to_node = serializers.CharField(max_length=32)
    lines = _items(TransferLineInput)
    purpose = serializers.ChoiceField(
        choices=TransferPurpose.values, default=TransferPurpose.REBALANCE.value
    )
    priority = serializers.IntegerField(min_value=-100, max_value=100, default=0)
    note = serializers.CharField(max_length=500, allow_blank=True, default="")
    eta_at = serializers.DateTimeField(allow_null=True, default=None)
    external_id = serializers.CharField(max_length=EXTERNAL_ID_LENGTH, allow_blank=True, default="")


class TransfersInput(_Batch):
    items = _items(TransferInput)


class LeftInput(serializers.Serializer[object]):
    id = serializers.UUIDField(help_text="The line's.")
    quantity = serializers.IntegerField(min_value=1, max_value=_MOST_UNITS)
    lot = serializers.CharField(max_length=64, allow_blank=True, default="")


class ShipmentInput(serializers.Serializer[object]):
    id = serializers.UUIDField(help_text="The transfer's.")
    lines = _items(LeftInput)
    eta_at = serializers.DateTimeField(allow_null=True, default=None)
    reference = serializers.CharField(max_length=64, allow_blank=True, default="")
    last = serializers.BooleanField(default=False, help_text="What has not left does not.")


class ShipmentsInput(serializers.Serializer[object]):
    items = _items(ShipmentInput)


class CameInput(serializers.Serializer[object]):
    id = serializers.UUIDField(help_text="The line's.")
    quantity = serializers.IntegerField(min_value=0, max_value=_MOST_UNITS, help_text="Whole.")
    damaged = serializers.IntegerField(min_value=0, max_value=_MOST_UNITS, default=0)
    lot = serializers.CharField(max_length=64, allow_blank=True, default="")
    expires_on = serializers.DateField(allow_null=True, default=None)
    external_id = serializers.CharField(max_length=EXTERNAL_ID_LENGTH, allow_blank=True, default="")


class ReceiptInput(serializers.Serializer[object]):
    id = serializers.UUIDField(help_text="The transfer's.")
    lines = CameInput(many=True, max_length=MOST_ITEMS)  # type: ignore[call-arg]  # the list's
    last = serializers.BooleanField(default=False, help_text="What has not come does not.")


class ReceiptsInput(serializers.Serializer[object]):
    items = _items(ReceiptInput)


class ClaimShape(serializers.Serializer[object]):
    number = serializers.CharField()
    kind = serializers.CharField()
    state = serializers.CharField()
    quantity = serializers.IntegerField()
    value_minor = serializers.IntegerField()
    settled_minor = serializers.IntegerField()
    currency = serializers.CharField()


class TransferLineShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    sku = serializers.CharField(source="sku.code")
    requested = serializers.IntegerField()
    reserved = serializers.IntegerField()
    shipped = serializers.IntegerField()
    received = serializers.IntegerField()
    damaged = serializers.IntegerField()
    missing = serializers.IntegerField()
    claims = ClaimShape(source="claims.all", many=True)


class TransferShape(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    number = serializers.CharField()
    state = serializers.CharField()
    purpose = serializers.CharField()
    from_node = serializers.CharField(source="source.code")
    to_node = serializers.CharField(source="destination.code")
    priority = serializers.IntegerField()
    note = serializers.CharField()
    reference = serializers.CharField()
    eta_at = serializers.DateTimeField(allow_null=True)
    drafted_at = serializers.DateTimeField()
    shipped_at = serializers.DateTimeField(allow_null=True)
    received_at = serializers.DateTimeField(allow_null=True)
    lines = TransferLineShape(source="shown_lines", many=True)


class CountInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    node = serializers.CharField(max_length=32)
    reason = serializers.CharField(max_length=120)
    due_at = serializers.DateTimeField(allow_null=True, default=None)


class CountsInput(_Batch):
    items = _items(CountInput)


class CountAnswerInput(serializers.Serializer[object]):
    id = serializers.UUIDField()
    counted = serializers.IntegerField(min_value=0, max_value=_MOST_UNITS)


class CountAnswersInput(serializers.Serializer[object]):
    items = _items(CountAnswerInput)


class CountOutcomeShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=_OUTCOMES)
    id = serializers.UUIDField(required=False)
    state = serializers.CharField(required=False)
    problem = ItemProblemShape(required=False)


class CountsShape(serializers.Serializer[object]):
    results = CountOutcomeShape(many=True, help_text="One per item sent, in the same order.")


class CountShape(serializers.Serializer[Any]):
    id = serializers.SerializerMethodField()
    state = serializers.CharField()
    kind = serializers.CharField()
    reason = serializers.CharField()
    node = serializers.CharField(source="node.code")
    sku = serializers.CharField(source="sku.code")
    opened_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    counted = serializers.IntegerField(allow_null=True)
    answered_at = serializers.DateTimeField(allow_null=True)

    def get_id(self, row: CountRequest) -> UUID:
        return subject_id(SubjectTag.COUNT_REQUEST, row.pk)
