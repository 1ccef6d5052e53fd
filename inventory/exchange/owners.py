"""What is owed to other owners per unit sold, as a file, by owner and SKU."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.exchange.cells import Text
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.types import PriceDraft


def _current(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    for row in selectors.owner_prices(account_id):
        if keys is None or (row.owner.code, row.sku.code) in keys:
            yield {
                "owner": row.owner.code,
                "sku": row.sku.code,
                "unit_price": f"{row.unit_price.normalize():f}",
                "currency": row.currency,
            }


def _write(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    found = selectors.owners(Scope(frozenset({account_id})), {row["owner"] for row in rows})
    owners = {one.code: one.id for one in found}
    skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
    refused = [_refusal(row, owners, skus) for row in rows]
    outcomes = iter(
        services.set_owner_prices(
            [
                PriceDraft(
                    owners[row["owner"]],
                    skus[row["sku"]].id,
                    Decimal(row["unit_price"]),
                    row["currency"],
                )
                for row, why in zip(rows, refused, strict=True)
                if why is None
            ],
            at=at,
            actor=actor,
        )
    )
    told: list[Refusal | None] = []
    for why in refused:
        problem = None if why else next(outcomes).problem
        told.append(why or (Refusal("currency", problem.code, problem.detail) if problem else None))
    return told


def _refusal(row: Row, owners: Mapping[str, Any], skus: Mapping[str, Any]) -> Refusal | None:
    if row["owner"] not in owners:
        return Refusal("owner", "unknown-owner", "There is no such owner; use its code.")
    if row["sku"] not in skus:
        return Refusal("sku", "unknown-sku", "There is no such SKU; use its code.")
    return None


OWNER_PRICES: Final = Kind(
    code="owner_prices",
    label="What other owners are owed",
    about="For each unit sold of goods that lie here and are somebody else's.",
    columns=(
        Column("owner", Text(32), needed=True),
        Column("sku", Text(64), needed=True),
        Column(
            "unit_price",
            Text(19, pattern=r"\d{1,12}([.]\d{1,6})?", like="1250.5"),
            needed=True,
            help="In minor units of the currency: 1250 is 12.50 dollars.",
        ),
        Column("currency", Text(3, pattern="[A-Z]{3}", like="USD"), needed=True),
    ),
    key=("owner", "sku"),
    current=_current,
    write=_write,
    permission=Permission.INVENTORY_PLAN,
)
