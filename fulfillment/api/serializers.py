"""Shapes of the fulfillment API: what is read, and what a node reports."""

from typing import Any

from rest_framework import serializers

from fulfillment import selectors
from fulfillment.models import (
    FulfillmentLine,
    FulfillmentOrder,
    Manifest,
    NodeRequest,
    Parcel,
    ParcelLine,
    TrackingEvent,
)
from fulfillment.states import TRACKED, ParcelState, RejectReason, ShortReason

_BATCH = 1_000
_TRACKED = [(str(state), ParcelState(state).label) for state in TRACKED]


class FulfillmentLineSerializer(serializers.ModelSerializer[FulfillmentLine]):
    sku = serializers.CharField(source="sku.code")
    name = serializers.CharField(source="sku.name")

    class Meta:
        model = FulfillmentLine
        fields = (
            "id",
            "position",
            "order_line",
            "sku",
            "name",
            "requested",
            "waiting",
            "accepted",
            "picked",
            "packed",
            "shipped",
            "collected",
            "rejected",
            "short",
            "cancelled",
        )


class ParcelLineSerializer(serializers.ModelSerializer[ParcelLine]):
    sku = serializers.CharField(source="line.sku.code")

    class Meta:
        model = ParcelLine
        fields = ("line", "sku", "quantity", "excess")


class ParcelSerializer(serializers.ModelSerializer[Parcel]):
    lines = ParcelLineSerializer(many=True)
    tracking_url = serializers.SerializerMethodField()

    class Meta:
        model = Parcel
        fields = (
            "id",
            "number",
            "external_id",
            "fulfillment_order",
            "state",
            "weight_grams",
            "carrier_code",
            "tracking_number",
            "tracking_url",
            "packed_at",
            "handed_over_at",
            "delivered_at",
            "lines",
        )

    def get_tracking_url(self, parcel: Parcel) -> str:
        return selectors.tracking_url(parcel)


class TrackingEventSerializer(serializers.ModelSerializer[TrackingEvent]):
    class Meta:
        model = TrackingEvent
        fields = ("id", "status", "happened_at", "correction", "source", "place", "at")


class TrackedParcelSerializer(ParcelSerializer):
    tracking = TrackingEventSerializer(many=True)

    class Meta:
        model = Parcel
        fields = (*ParcelSerializer.Meta.fields, "tracking")


class FulfillmentOrderSerializer(serializers.ModelSerializer[FulfillmentOrder]):
    order_number = serializers.CharField(source="order.number")
    node = serializers.CharField(source="node.code")
    service_level = serializers.CharField(source="service_level.code", default=None)
    lines = FulfillmentLineSerializer(many=True)
    parcels = ParcelSerializer(many=True)

    class Meta:
        model = FulfillmentOrder
        fields = (
            "id",
            "number",
            "external_id",
            "order",
            "order_number",
            "group",
            "node",
            "method",
            "service_level",
            "state",
            "priority",
            "released_at",
            "acknowledge_by",
            "ship_by",
            "collect_by",
            "shipped_at",
            "lines",
            "parcels",
        )


class NodeRequestSerializer(serializers.ModelSerializer[NodeRequest]):
    """A change is of the work as a whole: no line, and `wants` says what of it."""

    service_level = serializers.CharField(source="service_level.code", default=None)
    wants = serializers.SerializerMethodField()

    class Meta:
        model = NodeRequest
        fields = (
            "id",
            "line",
            "kind",
            "wants",
            "service_level",
            "state",
            "asked",
            "granted",
            "sent_at",
            "until",
            "answered_at",
            "note",
        )

    def get_wants(self, request: NodeRequest) -> list[str]:
        wanted = (("address", request.contact_id), ("service", request.service_level_id))
        return [name for name, found in wanted if found is not None]


class WishSerializer(serializers.Serializer[Any]):
    """What may be asked of the node; `reason` says why not, when it may not."""

    code = serializers.CharField()
    title = serializers.CharField(source="label")
    possible = serializers.BooleanField()
    reason = serializers.CharField()


class PullBackSerializer(serializers.Serializer[Any]):
    """Without a line, all that is not packed."""

    line = serializers.UUIDField(required=False)


class ServiceChangeSerializer(serializers.Serializer[Any]):
    service = serializers.CharField(max_length=31, help_text="Code of the service level.")


class AcknowledgeSerializer(serializers.Serializer[Any]):
    external_id = serializers.CharField(max_length=64, default="", allow_blank=True)


class LotUnitsSerializer(serializers.Serializer[Any]):
    """Units of one lot, or one thing by its serial number."""

    lot = serializers.CharField(max_length=64, default="", allow_blank=True)
    serial = serializers.CharField(max_length=64, default="", allow_blank=True)
    expires_on = serializers.DateField(required=False, allow_null=True)
    quantity = serializers.IntegerField(min_value=1, default=1)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """It names something, and a serial number is of one thing."""
        if not attrs["lot"] and not attrs["serial"]:
            raise serializers.ValidationError("Name a lot or a serial number.")
        if attrs["serial"] and attrs["quantity"] != 1:
            raise serializers.ValidationError("A serial number is of one thing.")
        return attrs


class PickSerializer(serializers.Serializer[Any]):
    line = serializers.UUIDField()
    picked = serializers.IntegerField(min_value=0, help_text="The line's total so far.")
    lots: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=LotUnitsSerializer(), default=list, max_length=_BATCH
    )


class PicksSerializer(serializers.Serializer[Any]):
    picks: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=PickSerializer(), allow_empty=False, max_length=_BATCH
    )


class ContentSerializer(serializers.Serializer[Any]):
    line = serializers.UUIDField()
    quantity = serializers.IntegerField(min_value=1)
    lots: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=LotUnitsSerializer(), default=list, max_length=_BATCH
    )


class PackSerializer(serializers.Serializer[Any]):
    contents: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ContentSerializer(), default=list, max_length=_BATCH
    )
    weight_grams = serializers.IntegerField(min_value=1, required=False)
    external_id = serializers.CharField(max_length=64, default="", allow_blank=True)


class PacksSerializer(serializers.Serializer[Any]):
    """Without parcels, everything that is picked is packed."""

    parcels: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=PackSerializer(), default=list, max_length=_BATCH
    )


class ShortSerializer(serializers.Serializer[Any]):
    line = serializers.UUIDField()
    short = serializers.IntegerField(min_value=0, help_text="The line's total so far.")
    reason = serializers.ChoiceField(ShortReason.choices)


class ShortsSerializer(serializers.Serializer[Any]):
    shorts: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ShortSerializer(), allow_empty=False, max_length=_BATCH
    )


class RejectSerializer(serializers.Serializer[Any]):
    line = serializers.UUIDField(required=False)
    reason = serializers.ChoiceField(RejectReason.choices)


class ShipParcelSerializer(serializers.Serializer[Any]):
    parcel = serializers.UUIDField()
    tracking_number = serializers.CharField(max_length=64, default="", allow_blank=True)
    carrier = serializers.CharField(max_length=32, default="", allow_blank=True)


class ShipSerializer(serializers.Serializer[Any]):
    """Without parcels, all that are packed have left."""

    parcels: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ShipParcelSerializer(), default=list, max_length=_BATCH
    )


class CollectSerializer(serializers.Serializer[Any]):
    contents: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=ContentSerializer(), default=list, max_length=_BATCH
    )
    collected_by = serializers.ChoiceField(
        [("buyer", "Buyer"), ("proxy", "Someone for the buyer")], default="buyer"
    )


class AnswerSerializer(serializers.Serializer[Any]):
    request = serializers.UUIDField()
    granted = serializers.IntegerField(min_value=0)
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class AnswersSerializer(serializers.Serializer[Any]):
    answers: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=AnswerSerializer(), allow_empty=False, max_length=_BATCH
    )


class NewsSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(_TRACKED)
    happened_at = serializers.DateTimeField()
    external_id = serializers.CharField(max_length=64, default="", allow_blank=True)
    place = serializers.CharField(max_length=120, default="", allow_blank=True)
    correction = serializers.BooleanField(default=False)


class TrackingSerializer(serializers.Serializer[Any]):
    events: serializers.ListSerializer[Any] = serializers.ListSerializer(
        child=NewsSerializer(), allow_empty=False, max_length=_BATCH
    )


class ParcelsSerializer(serializers.Serializer[Any]):
    parcels = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=_BATCH
    )


class BundleSerializer(serializers.Serializer[Any]):
    """Fewer than elsewhere: every document is held in memory."""

    parcels = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=200
    )


class ReleaseSerializer(serializers.Serializer[Any]):
    groups = serializers.ListField(
        child=serializers.UUIDField(), allow_empty=False, max_length=_BATCH
    )


class ManifestSerializer(serializers.ModelSerializer[Manifest]):
    node = serializers.CharField(source="node.code")
    carrier = serializers.CharField(source="carrier_code")
    parcels = serializers.SerializerMethodField()

    class Meta:
        model = Manifest
        fields = ("id", "number", "node", "carrier", "day", "closed_at", "parcels")

    def get_parcels(self, manifest: Manifest) -> list[str]:
        """Numbers of the parcels that left with it."""
        return [line.parcel.number for line in manifest.lines.all() if line.taken_back_at is None]


class CloseManifestSerializer(serializers.Serializer[Any]):
    node = serializers.CharField(max_length=32, help_text="Code of the node.")
    carrier = serializers.CharField(max_length=32, help_text="Code of the carrier.")


class ClosedManifestSerializer(serializers.Serializer[Any]):
    manifest_id = serializers.UUIDField()
    number = serializers.CharField()
    carrier_code = serializers.CharField()
    parcels = serializers.IntegerField(help_text="How many left with it.")


class ClosedManifestsSerializer(serializers.Serializer[Any]):
    manifests = ClosedManifestSerializer(many=True)


class ProblemSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class ResultSerializer(serializers.Serializer[Any]):
    """How one item of the request ended."""

    outcome = serializers.ChoiceField(["done", "repeated", "refused"])
    value = serializers.DictField(required=False)
    problem = ProblemSerializer(required=False)


class ResultsSerializer(serializers.Serializer[Any]):
    results = ResultSerializer(many=True)
