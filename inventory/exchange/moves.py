"""Adjustments and transfers as files: each row is one document, by a reference of the sender's."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final
from uuid import UUID

from config.kernel import external_keys
from config.kernel.access import Permission
from config.kernel.types import Actor, Outcome, Scope
from inventory import selectors, services
from inventory.exchange.cells import Choice, Moment, Text, Whole
from inventory.exchange.kinds import Column, Key, Kind, Refusal, Row
from inventory.states import AdjustmentReason, Condition, TransferPurpose
from inventory.types import AdjustmentDraft, TransferDraft, TransferLineDraft

SOURCE: Final = "import"
_MOST: Final = 1_000_000_000
_AT_ONCE: Final = 500
_LINE: Final = re.compile(r"(\S+)\s+([1-9][0-9]{0,8})")
_COLUMNS: Final = {
    "unknown-node": "node",
    "unknown-sku": "sku",
    "no-units": "units",
    "stale": "expected",
    "same-node": "to_node",
}


def _owned(scope: str, account_id: UUID, keys: Collection[Key]) -> dict[UUID, str]:
    """The documents that were imported under these references."""
    prefix = f"{account_id.hex}:"
    names = [f"{prefix}{key[0]}" for key in keys]
    owners = external_keys.owners_of(scope, SOURCE, names)
    return {owner: name.removeprefix(prefix) for name, owner in owners.items()}


def _current_adjustments(
    account_id: UUID, keys: Collection[Key] | None
) -> Iterator[Mapping[str, Any]]:
    """Those of these references or numbers, or all by number."""
    found = selectors.adjustments(Scope(frozenset({account_id})))
    named: dict[UUID, str] = {}
    if keys is not None:
        named = _owned("adjustment", account_id, keys)
        numbers = found.filter(number__in=[key[0] for key in keys])
        found = found.filter(pk__in=named) | numbers
    for row in found.order_by("number").iterator(chunk_size=_AT_ONCE):
        yield {
            "reference": named.get(row.pk, row.number),
            "node": row.node.code,
            "sku": row.sku.code,
            "units": row.quantity,
            "reason": row.reason,
            "note": row.note,
            "condition": row.condition,
            "lot": row.lot,
            "expected": row.expected_on_hand,
        }


def _current_transfers(
    account_id: UUID, keys: Collection[Key] | None
) -> Iterator[Mapping[str, Any]]:
    """Those of these references or numbers, or all by number."""
    scope = Scope(frozenset({account_id}))
    found = selectors.transfers(scope)
    named: dict[UUID, str] = {}
    if keys is not None:
        named = _owned("transfer", account_id, keys)
        numbers = found.filter(number__in=[key[0] for key in keys])
        found = found.filter(pk__in=named) | numbers
    rows = found.order_by("number").iterator(chunk_size=_AT_ONCE)
    while some := list(islice(rows, _AT_ONCE)):
        lines = selectors.transfer_lines([row.pk for row in some], scope)
        for row in some:
            yield {
                "reference": named.get(row.pk, row.number),
                "from_node": row.source.code,
                "to_node": row.destination.code,
                "lines": "; ".join(
                    f"{line.sku.code} {line.requested}" for line in lines.get(row.pk, ())
                ),
                "purpose": row.purpose,
                "priority": row.priority,
                "note": row.note,
                "eta_at": row.eta_at,
            }


def _write_adjustments(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    skus = selectors.skus_by_code(account_id, None, {row["sku"] for row in rows})
    nodes = selectors.nodes_by_code({row["node"] for row in rows}, Scope(frozenset({account_id})))
    refused = [
        _known(row) or _no_node(row, "node", nodes) or _no_sku("sku", [row["sku"]], skus)
        for row in rows
    ]
    drafts = [
        AdjustmentDraft(
            nodes[row["node"]],
            skus[row["sku"]].id,
            account_id,
            row["units"],
            row["reason"],
            note=row["note"],
            condition=row["condition"],
            lot=row["lot"],
            expected_on_hand=row["expected"],
            source=SOURCE,
            external_id=row["reference"],
        )
        for row, why in zip(rows, refused, strict=True)
        if why is None
    ]
    told = iter(services.adjust_stock(drafts, at=at, actor=actor))
    return [why or _refusal(next(told)) for why in refused]


def _write_transfers(
    account_id: UUID, rows: Sequence[Row], at: datetime, actor: Actor
) -> Sequence[Refusal | None]:
    wanted = {row.number: _lines(row["lines"]) for row in rows}
    codes = {code for lines in wanted.values() for code, _ in lines}
    skus = selectors.skus_by_code(account_id, None, codes)
    nodes = selectors.nodes_by_code(
        {row[name] for row in rows for name in ("from_node", "to_node")},
        Scope(frozenset({account_id})),
    )
    refused = [
        _known(row)
        or _no_node(row, "from_node", nodes)
        or _no_node(row, "to_node", nodes)
        or _no_lines(wanted[row.number])
        or _no_sku("lines", [code for code, _ in wanted[row.number]], skus)
        for row in rows
    ]
    drafts = [
        TransferDraft(
            account_id,
            nodes[row["from_node"]],
            nodes[row["to_node"]],
            tuple(TransferLineDraft(skus[code].id, units) for code, units in wanted[row.number]),
            purpose=row["purpose"],
            priority=row["priority"],
            note=row["note"],
            eta_at=row["eta_at"],
            source=SOURCE,
            external_id=row["reference"],
        )
        for row, why in zip(rows, refused, strict=True)
        if why is None
    ]
    told = iter(services.draft_transfers(drafts, at=at, actor=actor))
    return [why or _refusal(next(told)) for why in refused]


def _lines(text: str) -> list[tuple[str, int]]:
    """(SKU code, units) of each line; empty when one of them cannot be read."""
    found = [_LINE.fullmatch(part.strip()) for part in text.split(";") if part.strip()]
    return [(match[1], int(match[2])) for match in found if match] if all(found) else []


def _known(row: Row) -> Refusal | None:
    if not row.known:
        return None
    return Refusal("reference", "known", "It stands already and is not changed; write another.")


def _no_node(row: Row, column: str, nodes: Mapping[str, int]) -> Refusal | None:
    if row[column] in nodes:
        return None
    return Refusal(column, "unknown-node", f"There is no node {row[column]}; use its code.")


def _no_sku(column: str, codes: Sequence[str], skus: Mapping[str, Any]) -> Refusal | None:
    unknown = next((code for code in codes if code not in skus), None)
    if unknown is None:
        return None
    return Refusal(column, "unknown-sku", f"There is no SKU {unknown}; use its code.")


def _no_lines(lines: Sequence[tuple[str, int]]) -> Refusal | None:
    if lines:
        return None
    return Refusal("lines", "invalid", "Write SKUs and units as in: MUG 12; LAMP 3.")


def _refusal(outcome: Outcome[Any]) -> Refusal | None:
    if outcome.problem is None:
        return None
    code = outcome.problem.code
    return Refusal(_COLUMNS.get(code, "reference"), code, outcome.problem.detail)


ADJUSTMENTS: Final = Kind(
    code="adjustments",
    label="Adjustments",
    about="What people have found or lost: applied at once below the account's limit, proposed "
    "beyond it. A reference counts once.",
    columns=(
        Column("reference", Text(64), needed=True, help="Yours, or the number of one that stands."),
        Column("node", Text(32), needed=True),
        Column("sku", Text(64), needed=True),
        Column("units", Whole(-_MOST, _MOST), needed=True, help="Came (+) or went (-)."),
        Column("reason", Choice(AdjustmentReason.values), needed=True),
        Column("note", Text(500), empty=""),
        Column("condition", Choice(Condition.values), empty=Condition.AVAILABLE.value),
        Column("lot", Text(64), empty=""),
        Column("expected", Whole(), help="Refused when another number lies there."),
    ),
    key=("reference",),
    current=_current_adjustments,
    write=_write_adjustments,
    permission=Permission.INVENTORY_ADJUST,
)

TRANSFERS: Final = Kind(
    code="transfers",
    label="Transfers",
    about="What one node shall send to another, as drafts to approve. A reference counts once.",
    columns=(
        Column("reference", Text(64), needed=True, help="Yours, or the number of one that stands."),
        Column("from_node", Text(32), needed=True),
        Column("to_node", Text(32), needed=True),
        Column("lines", Text(20_000), needed=True, help="As in: MUG 12; LAMP 3."),
        Column("purpose", Choice(TransferPurpose.values), empty=TransferPurpose.REBALANCE.value),
        Column("priority", Whole(-100, 100), empty=0),
        Column("note", Text(500), empty=""),
        Column("eta_at", Moment()),
    ),
    key=("reference",),
    current=_current_transfers,
    write=_write_transfers,
    permission=Permission.INVENTORY_ADJUST,
)
