"""What is on its way in, and what of it should be here by now."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F

from inventory.models import InboundLine
from inventory.states import InboundState


@dataclass(frozen=True, slots=True)
class ArrivingLine:
    """Units of one line of an inbound document that have not come yet."""

    line_id: int
    node_id: int
    sku_id: int
    expected: int


def arriving(at: datetime, account_id: UUID) -> dict[int, list[ArrivingLine]]:
    """What is expected by `at` and has not come, by inbound document."""
    found = (
        InboundLine.objects.filter(
            inbound__account_id=account_id,
            inbound__state__in=[InboundState.EXPECTED, InboundState.ARRIVING],
            eta_at__lte=at,
            received__lt=F("expected"),
        )
        .order_by("pk")
        .values_list(
            "inbound_id", "pk", "inbound__node_id", "sku_id", F("expected") - F("received")
        )
    )
    due: defaultdict[int, list[ArrivingLine]] = defaultdict(list)
    for inbound_id, *line in found:
        due[inbound_id].append(ArrivingLine(*line))
    return dict(due)
