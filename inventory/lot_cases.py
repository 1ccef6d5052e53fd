"""The exceptions of lots and serials: what they are, and how to tell whether they still stand."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models import Q

from config.kernel.case_reports import CaseKind
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import StockLevel
from inventory.states import Condition
from inventory.types import SubjectTag, pk_of, subject_id


def still_without_lot(subject_ids: Sequence[UUID]) -> set[UUID]:
    """Positions at which units lie on hold without a lot or a date."""
    pks = (
        StockLevel.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            position_id__in=map(pk_of, subject_ids),
            condition=Condition.QUALITY_HOLD,
            on_hand__gt=0,
        )
        .filter(
            Q(lot="", position__sku__lot_tracked=True)
            | Q(expires_on=None, position__sku__expires=True)
        )
    )
    return {subject_id(SubjectTag.POSITION, pk) for pk in pks.values_list("position_id", flat=True)}


KINDS: Final = (
    CaseKind(
        code="LOT_MISSING",
        label="Goods came without their lot or date",
        severity=2,
        due=timedelta(hours=8),
        owner_team="inventory",
        playbook="Read the lot and date off the goods and adjust the stock into it; then release it.",
        still_true=still_without_lot,
    ),
    CaseKind(
        code="LOT_NOT_FOR_SALE",
        label="Goods came of a lot that may not be sold",
        severity=2,
        due=timedelta(hours=8),
        owner_team="inventory",
        playbook="They lie in quality hold. Keep them apart, and ask where they came from.",
    ),
    CaseKind(
        code="LOT_MISMATCH",
        label="Goods left in another lot than was meant",
        severity=2,
        due=timedelta(hours=8),
        owner_team="quality",
        playbook="See whether the buyer may keep them; of a lot on hold, tell the buyer at once.",
    ),
    CaseKind(
        code="SERIAL_SEEN_TWICE",
        label="One serial number in two places",
        severity=2,
        due=timedelta(hours=24),
        owner_team="quality",
        playbook="Find both things: a number was misread, or one of them is a copy.",
    ),
    CaseKind(
        code="RECALL_PULL",
        label="Recalled goods lie at a node",
        severity=1,
        due=timedelta(hours=4),
        owner_team="quality",
        playbook="Have the node take them off the shelf, count them, and keep or destroy them apart.",
    ),
)
