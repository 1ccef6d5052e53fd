"""Shapes of the returns API: what is read, and what is asked for."""

from typing import Any

from rest_framework import serializers

from returns.models import Claim, ClaimLine, Return, ReturnLine
from returns.states import (
    Disposition,
    Grade,
    Resolution,
    ReturnKind,
    ReturnState,
    Wants,
)

_MOST = 200
_KEY = 120


class ReturnLineSerializer(serializers.ModelSerializer[ReturnLine]):
    sku = serializers.CharField(source="sku.code", default=None)

    class Meta:
        model = ReturnLine
        fields = (
            "id",
            "position",
            "order_line",
            "sku",
            "title",
            "reason",
            "reason_class",
            "requested",
            "received",
            "accepted",
            "rejected",
            "refunded",
        )


class ReturnSerializer(serializers.ModelSerializer[Return]):
    """A return with its lines. Received, accepted and refunded are three numbers per line."""

    order_number = serializers.CharField(source="order.number", default=None)
    node = serializers.CharField(source="node.code", default=None)
    lines = ReturnLineSerializer(many=True)

    class Meta:
        model = Return
        fields = (
            "id",
            "number",
            "order",
            "order_number",
            "kind",
            "state",
            "external_id",
            "words",
            "verdict",
            "wants",
            "keep",
            "refund_trigger",
            "label_paid_by",
            "fee_minor",
            "credited_minor",
            "currency",
            "node",
            "carrier_code",
            "tracking_number",
            "why_declined",
            "exchange_order_id",
            "requested_at",
            "authorized_at",
            "expires_at",
            "first_scan_at",
            "received_at",
            "inspected_at",
            "settled_at",
            "closed_at",
            "updated_at",
            "lines",
        )


class AskedUnitsSerializer(serializers.Serializer[Any]):
    order_line = serializers.UUIDField()
    quantity = serializers.IntegerField(min_value=1)
    reason = serializers.CharField(max_length=48)


class ReturnRequestSerializer(serializers.Serializer[Any]):
    """Goods of one order that are to come back."""

    order = serializers.UUIDField()
    lines = serializers.ListField(child=AskedUnitsSerializer(), allow_empty=False, max_length=_MOST)
    kind = serializers.ChoiceField(
        choices=[ReturnKind.BUYER.value, ReturnKind.CHANNEL.value], default=ReturnKind.BUYER.value
    )
    wants = serializers.ChoiceField(choices=Wants.choices, default=Wants.REFUND.value)
    external_id = serializers.CharField(max_length=128, default="", allow_blank=True)
    override = serializers.CharField(max_length=200, default="", allow_blank=True)


class AuthorizeSerializer(serializers.Serializer[Any]):
    node = serializers.CharField(max_length=64, default="", allow_blank=True)


class DeclineSerializer(serializers.Serializer[Any]):
    why = serializers.CharField(max_length=200)


class ArrivedSerializer(serializers.Serializer[Any]):
    """Units of a line of the return, or of a SKU that nobody announced."""

    quantity = serializers.IntegerField(min_value=1)
    line = serializers.UUIDField(default=None, allow_null=True)
    sku = serializers.CharField(max_length=64, default="", allow_blank=True)


class ReceiveSerializer(serializers.Serializer[Any]):
    """Without units everything that is awaited has come."""

    node = serializers.CharField(max_length=64)
    units = serializers.ListField(child=ArrivedSerializer(), default=list, max_length=_MOST)
    key = serializers.CharField(max_length=_KEY, default="", allow_blank=True)


class UnannouncedSerializer(serializers.Serializer[Any]):
    node = serializers.CharField(max_length=64)
    units = serializers.ListField(child=ArrivedSerializer(), allow_empty=False, max_length=_MOST)
    order = serializers.UUIDField(default=None, allow_null=True)
    kind = serializers.ChoiceField(
        choices=[ReturnKind.BLIND.value, ReturnKind.IN_STORE.value], default=ReturnKind.BLIND.value
    )
    tracking_number = serializers.CharField(max_length=64, default="", allow_blank=True)


class IdentifySerializer(serializers.Serializer[Any]):
    order = serializers.UUIDField()


class FindingSerializer(serializers.Serializer[Any]):
    line = serializers.UUIDField()
    quantity = serializers.IntegerField(min_value=1)
    grade = serializers.ChoiceField(choices=Grade.choices)
    disposition = serializers.ChoiceField(choices=Disposition.choices, default="", allow_blank=True)
    accepted = serializers.BooleanField(default=None, allow_null=True)
    verified = serializers.BooleanField(default=False)
    lot = serializers.CharField(max_length=64, default="", allow_blank=True)
    key = serializers.CharField(max_length=_KEY, default="", allow_blank=True)
    serials = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=_MOST
    )


class InspectSerializer(serializers.Serializer[Any]):
    findings = serializers.ListField(child=FindingSerializer(), allow_empty=False, max_length=_MOST)


class ExchangeItemSerializer(serializers.Serializer[Any]):
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=1, default=1)
    price_minor = serializers.IntegerField(min_value=0, default=None, allow_null=True)


class ExchangeSerializer(serializers.Serializer[Any]):
    items = serializers.ListField(
        child=ExchangeItemSerializer(), allow_empty=False, max_length=_MOST
    )


class StandingSerializer(serializers.Serializer[Any]):
    """Where a return stands after the command."""

    return_id = serializers.UUIDField()
    number = serializers.CharField()
    state = serializers.ChoiceField(choices=ReturnState.choices)
    order_id = serializers.UUIDField(allow_null=True)
    words = serializers.CharField()
    credited_minor = serializers.IntegerField()
    exchange_order_id = serializers.UUIDField(allow_null=True)


class LineVerdictSerializer(serializers.Serializer[Any]):
    line_id = serializers.UUIDField()
    decision = serializers.CharField()
    code = serializers.CharField()
    words = serializers.CharField()


class CreditPartSerializer(serializers.Serializer[Any]):
    part = serializers.CharField()
    amount_minor = serializers.IntegerField()
    line_id = serializers.UUIDField(allow_null=True)
    quantity = serializers.IntegerField()


class QuoteSerializer(serializers.Serializer[Any]):
    """What the policy says, and what would be paid, part by part."""

    decision = serializers.CharField(source="verdict.decision")
    words = serializers.CharField(source="verdict.words")
    keep = serializers.BooleanField(source="verdict.keep")
    lines = LineVerdictSerializer(source="verdict.lines", many=True)
    parts = CreditPartSerializer(many=True)
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()


class ScannedSerializer(serializers.Serializer[Any]):
    """What a scanned code means here."""

    returns = ReturnSerializer(many=True)
    order_ids = serializers.ListField(child=serializers.UUIDField())
    sku_ids = serializers.ListField(child=serializers.IntegerField())


class ClaimLineSerializer(serializers.ModelSerializer[ClaimLine]):
    class Meta:
        model = ClaimLine
        fields = ("order_line", "quantity")


class ClaimSerializer(serializers.ModelSerializer[Claim]):
    order_number = serializers.CharField(source="order.number")
    lines = ClaimLineSerializer(many=True)

    class Meta:
        model = Claim
        fields = (
            "id",
            "number",
            "order",
            "order_number",
            "parcel_id",
            "carrier_code",
            "tracking_number",
            "kind",
            "state",
            "resolution",
            "reship_order_id",
            "credited_minor",
            "amount_minor",
            "currency",
            "reference",
            "opened_at",
            "filed_at",
            "answered_at",
            "resolved_at",
            "lines",
        )


class ResolveSerializer(serializers.Serializer[Any]):
    resolution = serializers.ChoiceField(choices=[one for one in Resolution.values if one])


class FileSerializer(serializers.Serializer[Any]):
    reference = serializers.CharField(max_length=128)


class ClaimAnswerSerializer(serializers.Serializer[Any]):
    paid = serializers.BooleanField()
    amount_minor = serializers.IntegerField(min_value=0, default=0)
    reference = serializers.CharField(max_length=128, default="", allow_blank=True)


class ClaimStandingSerializer(serializers.Serializer[Any]):
    """Where a claim stands after the command."""

    claim_id = serializers.UUIDField()
    number = serializers.CharField()
    state = serializers.CharField()
    resolution = serializers.CharField(allow_blank=True)
    reship_order_id = serializers.UUIDField(allow_null=True)
