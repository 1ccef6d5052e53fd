"""Rules and quotas as they stand: in their order, with what they come to and what is used."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, F, Q, Sum
from psycopg.types.json import Jsonb

from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.models import BufferRule, ChannelTerm, PositionSafety, Quota, QuotaPlan
from inventory.selections import HELD, MEANT, as_rows
from inventory.types import Selection


def meant_by(account_id: UUID, selections: Sequence[Selection]) -> set[int]:
    """The SKUs of the account that any of the selections names. One statement."""
    return set().union(*meant_each(account_id, selections))


def meant_each(account_id: UUID, selections: Sequence[Selection]) -> list[set[int]]:
    """The SKUs of the account that each of the selections names. One statement."""
    found: list[set[int]] = [set() for _ in selections]
    asked: dict[str, Any] = {
        "account": account_id,
        "selections": Jsonb(as_rows(selections)),
        "skus": None,
    }
    if selections:
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH {MEANT} SELECT place, sku_id FROM meant",  # noqa: S608  # own text
                asked,
            )
            for place, sku_id in cursor.fetchall():
                found[place].add(sku_id)
    return found


def held_each(account_id: UUID, selections: Sequence[Selection]) -> list[dict[int, int]]:
    """The SKUs of which each quota keeps units, and how many of each it keeps for one. One statement.

    A kit that is named by code stands for what it holds.
    """
    found: list[dict[int, int]] = [{} for _ in selections]
    asked: dict[str, Any] = {
        "account": account_id,
        "selections": Jsonb(as_rows(selections)),
        "skus": None,
    }
    if selections:
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH {HELD} SELECT place, sku_id, each FROM held",  # noqa: S608  # own text
                asked,
            )
            for place, sku_id, each in cursor.fetchall():
                found[place][sku_id] = each
    return found


def buffer_rules(scope: Scope, *, ended: bool = False) -> list[BufferRule]:
    """The rules of these accounts in the order in which they count: the last that matches wins."""
    found = BufferRule.objects.for_scope(scope).select_related("brand", "channel", "group")
    if not ended:
        found = found.exclude(state="ended")
    return list(found.order_by("account_id", "sequence", "id"))


@dataclass(frozen=True, slots=True)
class Reach:
    """What a rule counts for now: positions and units of safety, or SKUs of a channel."""

    positions: int = 0
    units: int = 0
    terms: int = 0


def reach_of(rule_ids: Collection[UUID]) -> dict[UUID, Reach]:
    """What each rule comes to now. Two statements."""
    found = {
        rule_id: Reach(positions, int(units))
        for rule_id, positions, units in PositionSafety.objects.for_scope(ALL_ACCOUNTS)
        .filter(rule_id__in=rule_ids)
        .values_list("rule_id")
        .annotate(count=Count("pk"), units=Sum("units"))
        .order_by()
    }
    terms = (
        ChannelTerm.objects.for_scope(ALL_ACCOUNTS)
        .filter(rule_id__in=rule_ids)
        .values_list("rule_id")
        .annotate(count=Count("pk"))
        .order_by()
    )
    return found | {rule_id: Reach(terms=count) for rule_id, count in terms}


def quota_plans(scope: Scope, *, ended: bool = False) -> list[QuotaPlan]:
    """The quota plans of these accounts with their channels, by start."""
    found = QuotaPlan.objects.for_scope(scope).select_related("channel", "brand")
    if not ended:
        found = found.exclude(state="ended")
    return list(found.order_by("starts_at", "id"))


@dataclass(frozen=True, slots=True)
class Used:
    """What a plan's quotas keep and have used in all, and how many SKUs that is."""

    skus: int = 0
    protected: int = 0
    used: int = 0
    exhausted: int = 0

    @property
    def left(self) -> int:
        return max(0, self.protected - self.used)

    @property
    def percent(self) -> int:
        """Of what is kept, how much is used."""
        return min(100, self.used * 100 // self.protected) if self.protected else 0


def used_of(plan_ids: Collection[UUID]) -> dict[UUID, Used]:
    """What each plan has used. One statement."""
    rows = (
        Quota.objects.for_scope(ALL_ACCOUNTS)
        .filter(plan_id__in=plan_ids)
        .values_list("plan_id")
        .annotate(
            skus=Count("pk"),
            kept=Sum("protected"),
            taken=Sum("used"),
            gone=Count("pk", filter=Q(used__gte=F("protected"), protected__gt=0)),
        )
        .order_by()
    )
    return {row[0]: Used(row[1], int(row[2]), int(row[3]), row[4]) for row in rows}


def quotas_of(scope: Scope, plan_id: UUID, *, limit: int = 200) -> list[Quota]:
    """The quotas of one plan with their SKUs, those most used first."""
    found = Quota.objects.for_scope(scope).filter(plan_id=plan_id).select_related("sku")
    return list(found.order_by("-used", "sku__code", "pk")[:limit])


def set_by_hand(scope: Scope) -> Reach:
    """Positions whose safety stock no rule decides, and the units that are kept there."""
    rows = PositionSafety.objects.for_scope(scope).filter(rule=None)
    told = rows.aggregate(count=Count("pk"), units=Sum("units"))
    return Reach(told["count"], int(told["units"] or 0))
