"""Shapes of buffer rules and quotas: what comes in is checked here, what goes out documented."""

from rest_framework import serializers

from inventory.states import QuotaKind

MOST_ITEMS = 1_000
MOST_UNITS = 1_000_000_000


class SelectionInput(serializers.Serializer[object]):
    """Which SKUs are meant: those that meet everything that is said."""

    id = serializers.UUIDField(
        allow_null=True, default=None, help_text="Empty for a new one; otherwise it is changed."
    )
    name = serializers.CharField(max_length=120)
    skus = serializers.ListField(
        child=serializers.CharField(max_length=64), default=list, max_length=20_000
    )
    brand = serializers.SlugField(allow_blank=True, default="")
    sku_kind = serializers.CharField(
        max_length=16,
        allow_blank=True,
        default="",
        help_text="Rules are for SKUs that are kept in stock: `stock` or empty.",
    )
    lifecycle = serializers.CharField(max_length=16, allow_blank=True, default="")
    attribute = serializers.CharField(max_length=64, allow_blank=True, default="")
    value = serializers.CharField(max_length=200, allow_blank=True, default="")
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField(allow_null=True, default=None)


class RuleInput(SelectionInput):
    sequence = serializers.IntegerField(help_text="Of the rules that match, the last one counts.")
    channel = serializers.SlugField(
        allow_blank=True, default="", help_text="With a channel the rule is a threshold."
    )
    group = serializers.SlugField(allow_blank=True, default="")
    nodes = serializers.ListField(child=serializers.SlugField(), default=list, max_length=1_000)
    safety_units = serializers.IntegerField(
        allow_null=True, default=None, min_value=0, max_value=MOST_UNITS
    )
    safety_percent = serializers.IntegerField(allow_null=True, default=None)
    cover_days = serializers.IntegerField(allow_null=True, default=None)
    cover_over_days = serializers.IntegerField(default=28)
    threshold = serializers.IntegerField(
        allow_null=True, default=None, min_value=0, max_value=MOST_UNITS
    )


class QuotaInput(SelectionInput):
    channel = serializers.SlugField()
    kind = serializers.CharField(max_length=12, help_text=f"One of {', '.join(QuotaKind.values)}.")
    sequence = serializers.IntegerField(default=0)
    overlay = serializers.BooleanField(
        default=False, help_text="An event's: above every quota that is none."
    )
    units = serializers.IntegerField(
        allow_null=True, default=None, min_value=0, max_value=MOST_UNITS
    )
    percent = serializers.IntegerField(allow_null=True, default=None)
    cap = serializers.IntegerField(allow_null=True, default=None, min_value=0, max_value=MOST_UNITS)
    spill = serializers.BooleanField(default=False)
    spill_at = serializers.DateTimeField(allow_null=True, default=None)


class _Batch(serializers.Serializer[object]):
    account = serializers.SlugField(
        default="", allow_blank=True, help_text="Needed only by callers of several accounts."
    )


class RulesInput(_Batch):
    publish = serializers.BooleanField(default=False, help_text="Put new rules into force at once.")
    rules = RuleInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class QuotasInput(_Batch):
    quotas = QuotaInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class ProblemOfItem(serializers.Serializer[object]):
    code = serializers.CharField()
    detail = serializers.CharField()


class SafetyInput(serializers.Serializer[object]):
    sku = serializers.CharField(max_length=64)
    node = serializers.SlugField()
    units = serializers.IntegerField(
        allow_null=True,
        min_value=0,
        max_value=MOST_UNITS,
        help_text="Null lets the rules decide again.",
    )


class ByHandInput(_Batch):
    positions = SafetyInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class SafetyItemShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=["done", "repeated", "refused"])
    position_id = serializers.IntegerField(required=False)
    problem = ProblemOfItem(required=False)


class SafetyItemsShape(serializers.Serializer[object]):
    results = SafetyItemShape(many=True, help_text="One per item sent, in the same order.")


class _PreviewInput(_Batch):
    removed = serializers.ListField(
        child=serializers.UUIDField(), default=list, max_length=MOST_ITEMS
    )


class RulesPreviewInput(_PreviewInput):
    rules = RuleInput(many=True, max_length=MOST_ITEMS, default=list)  # type: ignore[call-arg]  # the list's


class QuotasPreviewInput(_PreviewInput):
    quotas = QuotaInput(many=True, max_length=MOST_ITEMS, default=list)  # type: ignore[call-arg]  # the list's


class RuleShape(RuleInput):
    state = serializers.CharField()
    positions = serializers.IntegerField(help_text="Positions for which it counts now.")
    units = serializers.IntegerField(help_text="Units that it keeps back there.")
    terms = serializers.IntegerField(help_text="SKUs whose figure it lowers in its channel.")


class RuleListShape(serializers.Serializer[object]):
    results = RuleShape(many=True)


class QuotaShape(QuotaInput):
    state = serializers.CharField()
    quota_skus = serializers.IntegerField(help_text="SKUs that have a quota by this plan.")
    protected = serializers.IntegerField(help_text="Units kept, in all.")
    used = serializers.IntegerField()


class QuotaListShape(serializers.Serializer[object]):
    results = QuotaShape(many=True)


class PlannedItemShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=["done", "repeated", "refused"])
    id = serializers.UUIDField(required=False)
    problem = ProblemOfItem(required=False)


class PlannedItemsShape(serializers.Serializer[object]):
    results = PlannedItemShape(many=True, help_text="One per item sent, in the same order.")


class DropShape(serializers.Serializer[object]):
    sku = serializers.CharField(source="code")
    before = serializers.IntegerField()
    after = serializers.IntegerField()


class ChannelPreviewShape(serializers.Serializer[object]):
    channel = serializers.CharField()
    changed = serializers.IntegerField(help_text="SKUs whose figure changes.")
    raised = serializers.IntegerField()
    lowered = serializers.IntegerField()
    to_zero = serializers.IntegerField()
    units_before = serializers.IntegerField()
    units_after = serializers.IntegerField()
    biggest_drops = DropShape(many=True)


class PreviewShape(serializers.Serializer[object]):
    skus = serializers.IntegerField(help_text="SKUs that are meant, now or before.")
    kits = serializers.IntegerField(help_text="Kits that hold some of them; their figures count.")
    positions = serializers.IntegerField(help_text="Positions whose buffer would change.")
    channels = ChannelPreviewShape(many=True)
