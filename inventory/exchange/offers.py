"""Drop-ship suppliers' offers as a file, by supplier, SKU and first day."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.types import Actor, Outcome, Scope
from inventory import selectors, services
from inventory.exchange.cells import Day, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.services.offers import MOST_LEAD_DAYS
from inventory.types import OfferDraft

_AT_ONCE: Final = 500
_TERMS: Final = (
    "valid_from", "unit_cost_minor", "own_cost_minor", "currency", "lead_days", "least_units",
    "valid_until", "source",
)  # fmt: skip
_COLUMNS: Final = {
    "unknown-supplier": "supplier",
    "unknown-sku": "sku",
    "period": "valid_until",
}
_MONEY: Final = Whole(0, 10**12)


def _current(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = selectors.offers(Scope(frozenset({account_id})))
    wanted = None if keys is None else set(keys)
    if wanted is not None:
        found = found.filter(sku__code__in={sku for _, sku, _ in wanted})
    for row in found.iterator(chunk_size=_AT_ONCE):
        if wanted is None or (row.node.code, row.sku.code, row.valid_from) in wanted:
            yield {
                "supplier": row.node.code,
                "sku": row.sku.code,
                **{name: getattr(row, name) for name in _TERMS},
            }


def _write(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    nodes = selectors.nodes_by_code(
        {row["supplier"] for row in rows}, Scope(frozenset({account_id}))
    )
    skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
    outcomes = services.define_offers(
        [
            OfferDraft(
                nodes.get(row["supplier"], 0),
                skus[row["sku"]].id if row["sku"] in skus else 0,
                **{name: row[name] for name in _TERMS},
            )
            for row in rows
        ],
        account_id=account_id,
        at=at,
        actor=actor,
    )
    return [_refusal(outcome) for outcome in outcomes]


def _refusal(outcome: Outcome[int]) -> Refusal | None:
    problem = outcome.problem
    if problem is None:
        return None
    return Refusal(_COLUMNS.get(problem.code, "currency"), problem.code, problem.detail)


SUPPLIER_OFFERS: Final = Kind(
    code="supplier_offers",
    label="What suppliers offer",
    about="What drop-ship suppliers ask for the goods that they send for us, and how soon they do.",
    columns=(
        Column("supplier", Text(32), needed=True, help="Code of a node of the kind supplier."),
        Column("sku", Text(64), needed=True),
        Column("valid_from", Day(), needed=True),
        Column("unit_cost_minor", _MONEY, needed=True, help="In minor units: 1250 is $12.50."),
        Column(
            "own_cost_minor",
            _MONEY,
            help="What a unit of our own costs. Empty: compared with the least that any asks.",
        ),
        Column("currency", Text(3, pattern="[A-Z]{3}", like="USD"), needed=True),
        Column("lead_days", Whole(0, MOST_LEAD_DAYS), empty=0, help="The supplier's working days."),
        Column("least_units", Whole(1), empty=1, help="An order for fewer is not taken."),
        Column("valid_until", Day(), help="The first day on which it holds no more."),
        Column("source", Text(64), empty=""),
    ),
    key=("supplier", "sku", "valid_from"),
    current=_current,
    write=_write,
    permission=Permission.INVENTORY_PLAN,
)
