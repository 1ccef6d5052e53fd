"""Shapes of nodes in the API: the same rows are read and sent."""

from rest_framework import serializers

from inventory.api.serializers import NodeShape
from inventory.states import Capability, CapacityResource, Function, PlanKind, SignalCode

_WEEKDAY = "0 is Monday."
MOST_PLANS = 1_000


class HoursShape(serializers.Serializer[object]):
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text=_WEEKDAY)
    opens = serializers.TimeField()
    closes = serializers.TimeField(help_text="At or before `opens`: on the next day.")


class CutoffShape(serializers.Serializer[object]):
    service = serializers.CharField(allow_null=True, default=None, help_text="Null is any.")
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text=_WEEKDAY)
    at_local = serializers.TimeField()


class PickupShape(serializers.Serializer[object]):
    carrier = serializers.CharField()
    service = serializers.CharField(allow_null=True, default=None, help_text="Null is any.")
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text=_WEEKDAY)
    at_local = serializers.TimeField()
    most_parcels = serializers.IntegerField(
        min_value=1, max_value=1_000_000, allow_null=True, default=None
    )
    dock = serializers.CharField(max_length=32, allow_blank=True, default="")


class ClosureShape(serializers.Serializer[object]):
    on = serializers.DateField()
    name = serializers.CharField(max_length=120)


class SpecialDayShape(serializers.Serializer[object]):
    on = serializers.DateField()
    opens = serializers.TimeField()
    closes = serializers.TimeField()
    name = serializers.CharField(max_length=120, allow_blank=True, default="")


class CapacityShape(serializers.Serializer[object]):
    function = serializers.CharField(max_length=16)
    resource = serializers.ChoiceField(CapacityResource.choices)
    weekday = serializers.IntegerField(min_value=0, max_value=6, help_text=_WEEKDAY)
    opens = serializers.TimeField()
    closes = serializers.TimeField(help_text="Midnight is the end of the day.")
    most = serializers.IntegerField(min_value=0, max_value=2_000_000_000)
    hard = serializers.BooleanField(default=False, help_text="Never passed; else a signal.")


class PlanShape(serializers.Serializer[object]):
    id = serializers.IntegerField()
    function = serializers.CharField(help_text="Empty is all that the node does.")
    kind = serializers.CharField()
    state = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    percent = serializers.IntegerField(allow_null=True)
    units = serializers.IntegerField(allow_null=True)
    reason = serializers.CharField()


class NodeInFullShape(NodeShape):
    latitude = serializers.FloatField(allow_null=True)
    longitude = serializers.FloatField(allow_null=True)
    processing_minutes = serializers.IntegerField()
    handling_cost_minor = serializers.IntegerField()
    pick_cost_minor = serializers.IntegerField()
    currency = serializers.CharField()
    priority = serializers.IntegerField()
    capabilities = serializers.ListField(child=serializers.CharField())
    hours = HoursShape(many=True)
    cutoffs = CutoffShape(many=True)
    pickups = PickupShape(many=True)
    special_days = SpecialDayShape(many=True)
    capacities = CapacityShape(many=True)
    plans = PlanShape(many=True)
    closures = serializers.SerializerMethodField()

    def get_closures(self, view: object) -> list[dict[str, str]]:
        """Days off, with their names: filled by the view, which reads them apart."""
        del view
        return []


class NodeInput(serializers.Serializer[object]):
    """What of a node shall change."""

    name = serializers.CharField(max_length=120, required=False)
    line1 = serializers.CharField(max_length=120, allow_blank=True, required=False)
    city = serializers.CharField(max_length=80, allow_blank=True, required=False)
    region = serializers.CharField(max_length=16, allow_blank=True, required=False)
    postal_code = serializers.CharField(max_length=16, required=False)
    country = serializers.CharField(max_length=2, required=False)
    latitude = serializers.FloatField(min_value=-90, max_value=90, allow_null=True, required=False)
    longitude = serializers.FloatField(
        min_value=-180, max_value=180, allow_null=True, required=False
    )
    timezone = serializers.CharField(max_length=64, required=False)
    processing_minutes = serializers.IntegerField(min_value=0, max_value=100_000, required=False)
    priority = serializers.IntegerField(min_value=-1_000_000, max_value=1_000_000, required=False)
    functions = serializers.ListField(
        child=serializers.ChoiceField(Function.choices), required=False
    )
    capabilities = serializers.ListField(
        child=serializers.ChoiceField(Capability.choices), required=False
    )
    hours = HoursShape(many=True, required=False)
    cutoffs = CutoffShape(many=True, required=False)
    closures = ClosureShape(many=True, required=False)
    special_days = SpecialDayShape(many=True, required=False)
    pickups = PickupShape(many=True, required=False)
    capacities = CapacityShape(many=True, required=False)
    thresholds = serializers.DictField(
        child=serializers.FloatField(allow_null=True, min_value=0),
        required=False,
        help_text=f"By signal ({', '.join(SignalCode.values)}); null is the usual threshold.",
    )


class PlanInput(serializers.Serializer[object]):
    node = serializers.CharField()
    kind = serializers.CharField(max_length=16, help_text=f"One of {', '.join(PlanKind.values)}.")
    function = serializers.CharField(
        max_length=16, allow_blank=True, default="", help_text="Empty is all that the node does."
    )
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    percent = serializers.IntegerField(min_value=0, max_value=1_000, allow_null=True, default=None)
    units = serializers.IntegerField(
        min_value=0, max_value=2_000_000_000, allow_null=True, default=None
    )
    reason = serializers.CharField(max_length=200)


class PlansInput(serializers.Serializer[object]):
    plans = PlanInput(many=True, max_length=MOST_PLANS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class NodePlanShape(PlanShape):
    node = serializers.CharField()


class PlanListShape(serializers.Serializer[object]):
    results = NodePlanShape(many=True)


class PlanProblemShape(serializers.Serializer[object]):
    code = serializers.CharField()
    detail = serializers.CharField()


class PlanOutcomeShape(serializers.Serializer[object]):
    outcome = serializers.CharField(help_text="done or refused.")
    id = serializers.IntegerField(required=False)
    problem = PlanProblemShape(required=False)


class PlanOutcomesShape(serializers.Serializer[object]):
    results = PlanOutcomeShape(many=True)


class WindowShape(serializers.Serializer[object]):
    function = serializers.CharField()
    resource = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    most = serializers.IntegerField()
    hard = serializers.BooleanField()
    used = serializers.IntegerField(help_text="What came to it.")
    done = serializers.IntegerField()
    backlog = serializers.IntegerField(help_text="What earlier windows left; it comes first.")
    left = serializers.IntegerField()


class WindowListShape(serializers.Serializer[object]):
    as_of = serializers.DateTimeField()
    results = WindowShape(many=True)


class SignalShape(serializers.Serializer[object]):
    code = serializers.CharField()
    value = serializers.FloatField(allow_null=True, help_text="Null: not measured.")
    most = serializers.FloatField(allow_null=True, help_text="Above it a case opens.")
    as_of = serializers.DateTimeField(allow_null=True)


class SignalListShape(serializers.Serializer[object]):
    results = SignalShape(many=True)
