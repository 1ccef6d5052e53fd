"""How long stages take at each node and with each carrier, learnt from what was recorded."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final
from uuid import UUID

from django.db import transaction

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, Parcel, StageTime
from fulfillment.slack import AT_NODE, DAY_SECONDS, UNKNOWN, Pace, Paces
from fulfillment.states import ParcelState, Stage

LOOKED_BACK: Final = timedelta(days=28)
MOST_SAMPLES: Final = 20_000
LEAST_SAMPLES: Final = 12
"""Of fewer nothing is learnt: the account's own pace, or a usual one, stands in."""
_MOMENTS: Final = (
    "order__placed_at",
    "order__accepted_at",
    "released_at",
    "acknowledged_at",
    "picked_at",
    "packed_at",
    "shipped_at",
)

Place = tuple[UUID, int | None, str]
"""(account, node, carrier); without node and carrier it is all of the account's."""


@transaction.atomic
def learn_stages(*, at: datetime) -> int:
    """Learn the pace of every stage from the last four weeks. Three statements.

    Answers how many paces were written. What was recorded too seldom keeps what was learnt before.
    """
    seen = _node_samples(at) | _road_samples(at)
    rows = [
        _learnt(place, stage, sorted(seconds), at)
        for (place, stage), seconds in sorted(seen.items(), key=lambda each: str(each[0]))
        if len(seconds) >= LEAST_SAMPLES
    ]
    StageTime.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["account", "node", "carrier_code", "stage"],
        update_fields=["fast", "usual", "slow", "samples", "learnt_at"],
    )
    return len(rows)


def _node_samples(at: datetime) -> dict[tuple[Place, Stage], list[int]]:
    """Seconds of each stage of recent work, by node and for the account."""
    found: dict[tuple[Place, Stage], list[int]] = defaultdict(list)
    rows = (
        FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS)
        .filter(released_at__gt=at - LOOKED_BACK, method__in=["ship", "ship_to_store"])
        .order_by("-released_at")
        .values_list("account_id", "node_id", *_MOMENTS)[:MOST_SAMPLES]
    )
    for account_id, node_id, *moments in rows:
        for stage, (begun, ended) in zip(AT_NODE, pairwise(moments), strict=True):
            if begun is not None and ended is not None and ended >= begun:
                seconds = int((ended - begun).total_seconds())
                found[(account_id, node_id, ""), stage].append(seconds)
                found[(account_id, None, ""), stage].append(seconds)
    return found


def _road_samples(at: datetime) -> dict[tuple[Place, Stage], list[int]]:
    """What roads took of what was promised, as of a road of one day, by carrier."""
    found: dict[tuple[Place, Stage], list[int]] = defaultdict(list)
    rows = (
        Parcel.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            state=ParcelState.DELIVERED,
            handed_over_at__gt=at - LOOKED_BACK,
            delivered_at__isnull=False,
            fulfillment_order__group__ship_by__isnull=False,
            fulfillment_order__group__deliver_by__isnull=False,
        )
        .order_by("-handed_over_at")
        .values_list(
            "account_id",
            "carrier_code",
            "handed_over_at",
            "delivered_at",
            "fulfillment_order__group__ship_by",
            "fulfillment_order__group__deliver_by",
        )[:MOST_SAMPLES]
    )
    for account_id, carrier, begun, ended, ship_by, deliver_by in rows:
        days = road_days(ship_by, deliver_by)
        if ended >= begun:
            seconds = int((ended - begun).total_seconds() / days)
            found[(account_id, None, carrier), Stage.DELIVER].append(seconds)
            if carrier:
                found[(account_id, None, ""), Stage.DELIVER].append(seconds)
    return found


def _learnt(place: Place, stage: Stage, seconds: Sequence[int], at: datetime) -> StageTime:
    account_id, node_id, carrier = place
    return StageTime(
        account_id=account_id,
        node_id=node_id,
        carrier_code=carrier,
        stage=stage,
        fast=_quantile(seconds, 10),
        usual=_quantile(seconds, 50),
        slow=_quantile(seconds, 90),
        samples=len(seconds),
        learnt_at=at,
    )


def _quantile(ascending: Sequence[int], percent: int) -> int:
    return ascending[(len(ascending) - 1) * percent // 100]


def road_days(ship_by: datetime, deliver_by: datetime) -> float:
    """How many days a carrier was given; half a day at least."""
    return max(0.5, (deliver_by - ship_by).total_seconds() / DAY_SECONDS)


@dataclass(frozen=True, slots=True)
class KnownPaces:
    """What was learnt of some accounts, and what stands in for the rest."""

    learnt: Mapping[tuple[Place, str], Pace] = field(default_factory=dict)

    def of(self, account_id: UUID, node_id: int | None, carrier: str = "") -> Paces:
        """The pace of every stage at this node and with this carrier."""
        return {stage: self._one(account_id, node_id, carrier, stage) for stage in Stage}

    def _one(self, account_id: UUID, node_id: int | None, carrier: str, stage: Stage) -> Pace:
        if stage is Stage.DELIVER:
            own: Place = (account_id, None, carrier)
        else:
            own = (account_id, node_id, "")
        for place in (own, (account_id, None, "")):
            if (pace := self.learnt.get((place, stage.value))) is not None:
                return pace
        return UNKNOWN[stage]


def known_paces() -> KnownPaces:
    """Everything that was learnt. One statement."""
    rows = StageTime.objects.for_scope(ALL_ACCOUNTS).values_list(
        "account_id", "node_id", "carrier_code", "stage", "fast", "usual", "slow"
    )
    return KnownPaces(
        {
            ((account_id, node_id, carrier), stage): Pace(*seconds)
            for account_id, node_id, carrier, stage, *seconds in rows
        }
    )
