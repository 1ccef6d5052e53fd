"""Shapes of the feed API: what a feed declares, its changes, its snapshots in parts."""

from typing import Any

from rest_framework import serializers

from inventory.api.serializers import KINDS, MOST_ITEMS, ItemProblemShape, StockItemShape
from inventory.models import Feed
from inventory.services.changes import EXTERNAL_ID_LENGTH, SOURCE_LENGTH
from inventory.states import (
    Condition,
    Degrade,
    FeedOrdering,
    FeedSemantics,
    SnapshotState,
)

_MOST_UNITS = 1_000_000_000
_SECONDS = 60 * 60 * 24 * 90


class FeedShape(serializers.Serializer[Feed]):
    id = serializers.IntegerField()
    node = serializers.CharField(source="node.code")
    source = serializers.CharField()  # type: ignore[assignment]  # declared fields leave the class
    semantics = serializers.CharField()
    ordering = serializers.CharField()
    state = serializers.CharField()
    state_since = serializers.DateTimeField(allow_null=True)
    seen_at = serializers.DateTimeField(allow_null=True, help_text="When it last spoke.")
    as_of = serializers.DateTimeField(allow_null=True, help_text="Its last snapshot's time.")
    sequence = serializers.IntegerField(allow_null=True)
    missing = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()),
        help_text="Numbers that have not come, as pairs of first and last.",
    )
    degrade = serializers.CharField()
    degraded = serializers.BooleanField(help_text="Whether its silence is in the figures.")


class FeedTermsInput(serializers.Serializer[object]):
    account = serializers.SlugField(default="", allow_blank=True)
    node = serializers.CharField(max_length=32)
    source = serializers.CharField(max_length=SOURCE_LENGTH)  # type: ignore[assignment]  # declared fields leave the class
    semantics = serializers.ChoiceField(
        choices=FeedSemantics.values, default=FeedSemantics.BOTH.value
    )
    ordering = serializers.ChoiceField(choices=FeedOrdering.values, default=FeedOrdering.NONE.value)
    nets_committed = serializers.BooleanField(default=False)
    nets_picked = serializers.BooleanField(default=False)
    nets_held = serializers.BooleanField(default=True)
    expected_every_seconds = serializers.IntegerField(
        min_value=1, max_value=_SECONDS, allow_null=True, default=None
    )
    silent_after_seconds = serializers.IntegerField(
        min_value=1, max_value=_SECONDS, allow_null=True, default=None
    )
    reconcile_every_seconds = serializers.IntegerField(
        min_value=60, max_value=_SECONDS, allow_null=True, default=None
    )
    degrade = serializers.ChoiceField(choices=Degrade.values, default=Degrade.NONE.value)
    haircut_percent = serializers.IntegerField(min_value=0, max_value=100, default=0)
    heal_units = serializers.IntegerField(
        min_value=0, max_value=_MOST_UNITS, allow_null=True, default=None
    )
    heal_percent = serializers.IntegerField(
        min_value=0, max_value=1_000, allow_null=True, default=None
    )
    heal_value_minor = serializers.IntegerField(
        min_value=0,
        allow_null=True,
        default=None,
        help_text="At the selling price; what is worth more waits for a person.",
    )
    heal_sensitive = serializers.BooleanField(
        default=True,
        help_text="Also what is kept by lot or serial, is dangerous, or falls under a law.",
    )


class DeltaInput(serializers.Serializer[object]):
    sequence = serializers.IntegerField(
        min_value=0, allow_null=True, default=None, help_text="The feed's own number."
    )
    sku = serializers.CharField(max_length=64)
    quantity = serializers.IntegerField(min_value=-_MOST_UNITS, max_value=_MOST_UNITS)
    kind = serializers.ChoiceField(choices=KINDS)
    condition = serializers.ChoiceField(choices=Condition.values, default=Condition.AVAILABLE.value)
    lot = serializers.CharField(max_length=64, allow_blank=True, default="")
    external_id = serializers.CharField(max_length=EXTERNAL_ID_LENGTH, allow_blank=True, default="")
    happened_at = serializers.DateTimeField(allow_null=True, default=None)
    expected_on_hand = serializers.IntegerField(
        min_value=0,
        allow_null=True,
        default=None,
        help_text="Refused as stale when another number lies there.",
    )


class DeltasInput(serializers.Serializer[object]):
    account = serializers.SlugField(default="", allow_blank=True)
    node = serializers.CharField(max_length=32)
    source = serializers.CharField(max_length=SOURCE_LENGTH)  # type: ignore[assignment]  # declared fields leave the class
    deltas = DeltaInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class DeltasShape(serializers.Serializer[object]):
    results = StockItemShape(many=True)
    sequence = serializers.IntegerField(allow_null=True, help_text="The highest number so far.")
    missing = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class SnapshotDraftInput(serializers.Serializer[object]):
    account = serializers.SlugField(default="", allow_blank=True)
    node = serializers.CharField(max_length=32)
    source = serializers.CharField(max_length=SOURCE_LENGTH)  # type: ignore[assignment]  # declared fields leave the class
    as_of = serializers.DateTimeField(help_text="When the source saw these units.")
    complete = serializers.BooleanField(default=False, help_text="What is not listed is gone.")
    sequence = serializers.IntegerField(
        allow_null=True, default=None, help_text="The last change that is in it already."
    )


class SnapshotRowShape(serializers.Serializer[Any]):
    """Describes a row; rows are read without it, so that every mistake is told by row."""

    sku = serializers.CharField()
    quantity = serializers.IntegerField(min_value=0)
    condition = serializers.ChoiceField(choices=Condition.values, required=False)
    lot = serializers.CharField(required=False)
    owner = serializers.UUIDField(required=False)


class SnapshotPartShape(serializers.Serializer[object]):
    """Describes a part; read without it, likewise."""

    number = serializers.IntegerField(min_value=1, help_text="1, 2, …; one may be sent again.")
    rows = SnapshotRowShape(many=True)


class SnapshotCloseInput(serializers.Serializer[object]):
    rows = serializers.IntegerField(min_value=0, allow_null=True, default=None)
    units = serializers.IntegerField(min_value=0, allow_null=True, default=None)


class RowProblemShape(serializers.Serializer[object]):
    row = serializers.IntegerField(help_text="The first row is 1; 0 is the whole.")
    column = serializers.CharField()
    code = serializers.CharField()
    detail = serializers.CharField()


class SnapshotShape(serializers.Serializer[object]):
    id = serializers.UUIDField()
    source = serializers.CharField()  # type: ignore[assignment]  # declared fields leave the class
    state = serializers.ChoiceField(choices=SnapshotState.values)
    as_of = serializers.DateTimeField()
    rows = serializers.IntegerField()
    parts = serializers.IntegerField()
    applied_rows = serializers.IntegerField()
    problems_found = serializers.IntegerField()
    problems = RowProblemShape(many=True, help_text="The first hundred.")
    run_id = serializers.UUIDField(allow_null=True, help_text="Its reconciliation.")


class DifferenceShape(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    sku = serializers.CharField(source="sku.code")
    condition = serializers.CharField()
    lot = serializers.CharField()
    ours = serializers.IntegerField()
    theirs = serializers.IntegerField()
    units = serializers.IntegerField()
    cause = serializers.CharField()
    state = serializers.CharField()
    run_id = serializers.UUIDField()


class DecisionInput(serializers.Serializer[object]):
    id = serializers.IntegerField()
    movement_id = serializers.UUIDField(allow_null=True, default=None)
    note = serializers.CharField(max_length=500, allow_blank=True, default="")


class DecisionsInput(serializers.Serializer[object]):
    verdict = serializers.ChoiceField(choices=["theirs", "ours", "explained"])
    items = DecisionInput(many=True, max_length=MOST_ITEMS, allow_empty=False)  # type: ignore[call-arg]  # the list's


class DecidedShape(serializers.Serializer[object]):
    outcome = serializers.ChoiceField(choices=["done", "repeated", "refused"])
    units = serializers.IntegerField(required=False, help_text="Units that were moved.")
    problem = ItemProblemShape(required=False)


class DecisionsShape(serializers.Serializer[object]):
    results = DecidedShape(many=True)
