"""What one person may change of the book, and what takes two."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from config.kernel.models import Account
from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Sku

SETTING: Final = "adjustment_limit"


@dataclass(frozen=True, slots=True)
class Limit:
    """Units, and what they sell for in minor units; beyond either a second person approves."""

    units: int = 100
    value_minor: int = 100_000


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of a SKU sells for."""

    minor: int
    currency: str


def limits_of(account_ids: Collection[UUID]) -> dict[UUID, Limit]:
    """The limit of each account: its setting `adjustment_limit` {units, value_minor}, or ours."""
    kept = Account.objects.filter(pk__in=account_ids).values_list("pk", "settings")
    return {pk: _limit(settings.get(SETTING) or {}) for pk, settings in kept}


def prices_of(sku_ids: Collection[int]) -> dict[int, Price]:
    rows = Sku.objects.for_scope(ALL_ACCOUNTS).filter(pk__in=sku_ids)
    return {
        pk: Price(minor, currency)
        for pk, minor, currency in rows.values_list("pk", "price_minor", "currency")
    }


def too_large(wanted: Sequence[tuple[UUID, int, int]]) -> list[bool]:
    """Which of (account, SKU, units) one person may not do alone. Two statements."""
    known = limits_of({account_id for account_id, _, _ in wanted})
    prices = prices_of({sku_id for _, sku_id, _ in wanted})
    return [
        exceeds(
            known.get(account_id, Limit()),
            abs(units),
            abs(units) * prices[sku_id].minor if sku_id in prices else 0,
        )
        for account_id, sku_id, units in wanted
    ]


def _limit(told: Mapping[str, int]) -> Limit:
    ours = Limit()
    return Limit(told.get("units", ours.units), told.get("value_minor", ours.value_minor))


def exceeds(limit: Limit, units: int, value_minor: int) -> bool:
    return units > limit.units or value_minor > limit.value_minor


def too_large_together(
    wanted: Mapping[UUID, Sequence[tuple[int, int]]], accounts: Mapping[UUID, UUID]
) -> set[UUID]:
    """Which documents, each of (SKU, units), are in sum beyond their account's limit."""
    known = limits_of(set(accounts.values()))
    prices = prices_of({sku_id for lines in wanted.values() for sku_id, _ in lines})
    return {
        key
        for key, lines in wanted.items()
        if exceeds(
            known[accounts[key]],
            sum(units for _, units in lines),
            sum(units * prices[sku_id].minor for sku_id, units in lines),
        )
    }
