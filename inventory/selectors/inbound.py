"""What is on its way in, and what of it should be here by now."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from django.db.models import F

from inventory.models import InboundLine
from inventory.states import InboundState


def arriving(at: datetime, account_id: UUID) -> dict[int, list[tuple[int, int]]]:
    """Inbound documents with lines expected by `at`: (line id, units outstanding) by document."""
    found = (
        InboundLine.objects.filter(
            inbound__account_id=account_id,
            inbound__state__in=[InboundState.EXPECTED, InboundState.ARRIVING],
            eta_at__lte=at,
            received__lt=F("expected"),
        )
        .order_by("pk")
        .values_list("inbound_id", "pk", F("expected") - F("received"))
    )
    due: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
    for inbound_id, line_id, outstanding in found:
        due[inbound_id].append((line_id, outstanding))
    return dict(due)
