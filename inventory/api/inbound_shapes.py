"""What the inbound API takes and shows."""

from typing import Any, Final

from rest_framework import serializers

from inventory.models import AheadCap, Inbound, InboundLine, InboundSlip, SupplyLane
from inventory.selectors import lane_counts
from inventory.states import InboundKind

MOST_ITEMS: Final = 1_000
_MOST_UNITS: Final = 10**9
_MOST_HOURS: Final = 24 * 365
_KINDS: Final = [InboundKind.PURCHASE_ORDER.value, InboundKind.ADVANCE_NOTICE.value]


class ExpectedLineInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=120)
    quantity = serializers.IntegerField(min_value=1, max_value=_MOST_UNITS)
    eta_at = serializers.DateTimeField()
    reliability_percent = serializers.IntegerField(min_value=0, max_value=100, default=90)
    of_order = serializers.CharField(
        max_length=64,
        default="",
        allow_blank=True,
        help_text="Of a shipping notice: the number of the order whose units these are.",
    )
    ahead_percent = serializers.IntegerField(
        min_value=0,
        max_value=100,
        default=None,
        allow_null=True,
        help_text="How much of it may be sold ahead. Empty: no limit.",
    )


class ExpectedInput(serializers.Serializer[object]):
    node = serializers.CharField(max_length=64)
    number = serializers.CharField(max_length=64)
    order_kind = serializers.ChoiceField(choices=_KINDS, default=_KINDS[0])
    supplier = serializers.CharField(max_length=64, default="", allow_blank=True)
    complete = serializers.BooleanField(
        default=False,
        help_text="Of a shipping notice: nothing more of the orders that it names comes after it.",
    )
    lines = ExpectedLineInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class AnnouncementInput(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    source = serializers.CharField(max_length=64, default="api")  # type: ignore[assignment]  # declared fields leave the class
    items = ExpectedInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class SlipInput(serializers.Serializer[object]):
    line = serializers.IntegerField()
    eta_at = serializers.DateTimeField()


class SlipsInput(serializers.Serializer[object]):
    source = serializers.CharField(max_length=64, default="api")  # type: ignore[assignment]  # declared fields leave the class
    reason = serializers.CharField(max_length=200, default="", allow_blank=True)
    items = SlipInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class ReceivedInput(serializers.Serializer[object]):
    line = serializers.IntegerField()
    quantity = serializers.IntegerField(min_value=1, max_value=_MOST_UNITS)
    lot = serializers.CharField(max_length=64, default="", allow_blank=True)
    expires_on = serializers.DateField(allow_null=True, default=None)
    external_id = serializers.CharField(max_length=120)


class ArrivalInput(serializers.Serializer[object]):
    items = ReceivedInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class InboundCancelInput(serializers.Serializer[object]):
    ids = serializers.ListField(
        child=serializers.IntegerField(), max_length=MOST_ITEMS, allow_empty=False
    )
    reason = serializers.CharField(max_length=100, default="", allow_blank=True)


class InboundOutcome(serializers.Serializer[object]):
    outcome = serializers.CharField()
    id = serializers.IntegerField(required=False)
    number = serializers.CharField(required=False)
    state = serializers.CharField(required=False)
    differs = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="What a notice says that its orders do not: over, unknown, short.",
    )
    waiting = serializers.IntegerField(required=False, help_text="Units waiting for the line.")
    broken = serializers.IntegerField(
        required=False, help_text="Of them those for which it now comes too late."
    )
    problem = serializers.DictField(required=False)


class InboundOutcomes(serializers.Serializer[object]):
    results = InboundOutcome(many=True, help_text="One per item sent, in the same order.")


class InboundSlipSerializer(serializers.ModelSerializer[InboundSlip]):
    class Meta:
        model = InboundSlip
        fields = ("was_eta_at", "eta_at", "source", "reason", "at")


class InboundLineSerializer(serializers.ModelSerializer[InboundLine]):
    """A line, and every time at which it was expected before."""

    sku = serializers.CharField(source="sku.code")
    of_order = serializers.SerializerMethodField(
        help_text="The order that a notice's line brings units of."
    )
    sure_at = serializers.SerializerMethodField(
        help_text="When it is there for certain enough to be promised: nine of ten are."
    )
    late_hours = serializers.SerializerMethodField(
        help_text="How late nine of ten of the supplier's goods are at most; from what, in `late_by`."
    )
    late_by = serializers.SerializerMethodField(help_text="learnt, declared or empty.")
    slips = InboundSlipSerializer(many=True)

    class Meta:
        model = InboundLine
        fields = (
            "id",
            "sku",
            "ordered",
            "expected",
            "advised",
            "received",
            "of_order",
            "eta_at",
            "sure_at",
            "late_hours",
            "late_by",
            "reliability_percent",
            "ahead_percent",
            "sold_ahead",
            "slips",
        )

    def get_of_order(self, line: InboundLine) -> str:
        return line.of_line.inbound.number if line.of_line is not None else ""

    def get_sure_at(self, line: InboundLine) -> str:
        known = self._sure(line)
        return known.sure_at.isoformat() if known else line.eta_at.isoformat()

    def get_late_hours(self, line: InboundLine) -> int:
        known = self._sure(line)
        return known.late_hours if known else 0

    def get_late_by(self, line: InboundLine) -> str:
        known = self._sure(line)
        return known.known if known else ""

    def _sure(self, line: InboundLine) -> Any:
        return self.context.get("sure", {}).get(line.pk)


class InboundSerializer(serializers.ModelSerializer[Inbound]):
    node = serializers.CharField(source="node.code")
    order_kind = serializers.CharField(source="kind")
    state = serializers.CharField()
    lines = InboundLineSerializer(many=True)

    class Meta:
        model = Inbound
        fields = (
            "id",
            "number",
            "node",
            "order_kind",
            "supplier",
            "source",
            "state",
            "closed_at",
            "close_reason",
            "lines",
        )


class CapInput(serializers.Serializer[object]):
    channel = serializers.CharField(max_length=64)
    sku = serializers.CharField(max_length=120)
    units = serializers.IntegerField(min_value=0, max_value=_MOST_UNITS)
    starts_at = serializers.DateTimeField(default=None, allow_null=True)
    ends_at = serializers.DateTimeField(default=None, allow_null=True)
    note = serializers.CharField(max_length=200, default="", allow_blank=True)


class CapsInput(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    items = CapInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class LineCapInput(serializers.Serializer[object]):
    line = serializers.IntegerField()
    ahead_percent = serializers.IntegerField(min_value=0, max_value=100, allow_null=True)


class LineCapsInput(serializers.Serializer[object]):
    items = LineCapInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class EndCapsInput(serializers.Serializer[object]):
    ids = serializers.ListField(
        child=serializers.IntegerField(), max_length=MOST_ITEMS, allow_empty=False
    )


class LaneInput(serializers.Serializer[object]):
    supplier = serializers.CharField(max_length=64)
    node = serializers.CharField(
        max_length=64, default="", allow_blank=True, help_text="Empty: at any node."
    )
    declared_hours = serializers.IntegerField(min_value=0, max_value=_MOST_HOURS, allow_null=True)


class LanesInput(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )
    items = LaneInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class CapSerializer(serializers.ModelSerializer[AheadCap]):
    """`used` may stand above what is sold ahead for a minute, never below."""

    channel = serializers.CharField(source="channel.code")
    sku = serializers.CharField(source="sku.code")

    class Meta:
        model = AheadCap
        fields = ("id", "channel", "sku", "units", "used", "starts_at", "ends_at", "note")


class LaneSerializer(serializers.ModelSerializer[SupplyLane]):
    """`late_hours` is what counts: learnt from five receipts or more, else declared."""

    node = serializers.SerializerMethodField()
    late_hours = serializers.SerializerMethodField()

    class Meta:
        model = SupplyLane
        fields = (
            "id",
            "supplier",
            "node",
            "declared_hours",
            "seen",
            "median_hours",
            "p90_hours",
            "late_hours",
            "learnt_at",
        )

    def get_node(self, lane: SupplyLane) -> str:
        return lane.node.code if lane.node is not None else ""

    def get_late_hours(self, lane: SupplyLane) -> int | None:
        return lane_counts(lane)
