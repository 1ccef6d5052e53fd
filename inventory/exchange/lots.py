"""Lots as a file, by SKU and code, with their dates."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from config.kernel.access import Permission
from config.kernel.types import Actor, Scope
from inventory import selectors, services
from inventory.exchange.cells import Choice, Day, Text
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.states import LotState
from inventory.types import LotDraft

_AT_ONCE: Final = 500


def _current(account_id: UUID, keys: Collection[Key] | None) -> Iterator[Mapping[str, Any]]:
    found = selectors.lots(Scope(frozenset({account_id})))
    wanted = None if keys is None else set(keys)
    if wanted is not None:
        found = found.filter(
            sku__code__in={sku for sku, _ in wanted}, code__in={code for _, code in wanted}
        )
    for row in found.order_by("sku__code", "code").iterator(chunk_size=_AT_ONCE):
        if wanted is None or (row.sku.code, row.code) in wanted:
            yield {
                "sku": row.sku.code,
                "lot": row.code,
                "expires_on": row.expires_on,
                "made_on": row.made_on,
                "state": str(row.state),
            }


def _write(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
    states = {
        (one["sku"], one["lot"]): one["state"]
        for one in _current(account_id, {(row["sku"], row["lot"]) for row in rows})
    }
    refused: list[Refusal | None] = []
    drafts = []
    for row in rows:
        if row["sku"] not in skus:
            refused.append(Refusal("sku", "unknown-sku", "There is no such SKU; use its code."))
        elif row["state"] != states.get((row["sku"], row["lot"]), LotState.ACTIVE.value):
            detail = "A file does not hold or release lots; do that on the lot's page."
            refused.append(Refusal("state", "not-here", detail))
        else:
            refused.append(None)
            drafts.append(
                LotDraft(
                    account_id, skus[row["sku"]].id, row["lot"], row["expires_on"], row["made_on"]
                )
            )
    services.define_lots(drafts, at=at, actor=actor)
    return refused


LOTS: Final = Kind(
    code="lots",
    label="Lots",
    about="When lots were made and expire. A date that is left empty stays as it is.",
    columns=(
        Column("sku", Text(64), needed=True),
        Column("lot", Text(64), needed=True),
        Column("expires_on", Day()),
        Column("made_on", Day()),
        Column(
            "state",
            Choice(LotState.values),
            empty=LotState.ACTIVE.value,
            help="Shown, and not changed by a file.",
        ),
    ),
    key=("sku", "lot"),
    current=_current,
    write=_write,
    permission=Permission.INVENTORY_ADJUST,
)
