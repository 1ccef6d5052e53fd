"""Mapping: once a channel's code means a SKU, every order that waits for it goes on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS, Actor
from inventory import selectors as inventory
from orders.models import Hold, OrderLine
from orders.selectors.holds import unmapped_codes
from orders.services.accept import accept_orders
from orders.services.capture_known import known_sku
from orders.services.capture_lines import shares_of, unit_share
from orders.services.holding import active_holds
from orders.services.holds import end_holds_on_sheet
from orders.services.in_hand import LineInHand
from orders.services.sheet import Sheet, is_live, open_sheet
from orders.states import LineKind, Relation
from orders.validators.finding import KnownSku

BATCH = 200
MOST_CODES = 5_000


def map_skus(
    account_id: UUID, channel_id: UUID, codes: Sequence[str], *, at: datetime, actor: Actor
) -> int:
    """Look at the lines again that the channel sold under these codes; answers the orders freed.

    Lines that are mapped now lose their hold; their orders are accepted, or go on, afterwards.
    """
    freed_in_all = 0
    while True:
        freed = _map_batch(account_id, channel_id, codes, at=at, actor=actor)
        if not freed:
            return freed_in_all
        accept_orders(freed, at=at, actor=actor)
        freed_in_all += len(freed)


def map_known(limit: int = MOST_CODES, *, at: datetime, actor: Actor) -> int:
    """Look again at every code that orders wait for: who mapped one need not tell us.

    A listing, a SKU of that code or a barcode may have come since, by whatever way. Answers the
    orders freed.
    """
    freed = 0
    for (account_id, channel_id), codes in unmapped_codes(limit).items():
        if known := inventory.skus_by_code(account_id, channel_id, codes):
            freed += map_skus(account_id, channel_id, sorted(known), at=at, actor=actor)
    return freed


@transaction.atomic
def _map_batch(
    account_id: UUID, channel_id: UUID, codes: Sequence[str], *, at: datetime, actor: Actor
) -> list[UUID]:
    skus = {
        code: known_sku(view)
        for code, view in inventory.skus_by_code(account_id, channel_id, list(codes)).items()
    }
    waiting = (
        OrderLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(
            account_id=account_id,
            order__channel_id=channel_id,
            external_sku__in=list(skus),
            sku__isnull=True,
            order__state__in=["captured", "accepted"],
            pending__gt=0,
        )
        .order_by("order_id")
        .values_list("order_id", flat=True)
        .distinct()[:BATCH]
    )
    sheet = open_sheet(list(waiting))
    mapped = {
        line.id: skus[line.external_sku]
        for line in sheet.lines.values()
        if line.sku_id is None and line.pending and line.external_sku in skus
    }
    if not mapped:
        return []
    _write_mapped(sheet, mapped)
    standing = active_holds(sheet.orders)
    ended = [
        hold
        for held in standing.values()
        for hold in held
        if hold.type == "unmapped" and hold.line_id in mapped
    ]
    for hold in ended:
        hold.release(at=at, by=actor.name, reason="the SKU is mapped")
    _end(sheet, standing, ended)
    orders = sorted({sheet.lines[line_id].order_id for line_id in mapped})
    for order_id in orders:
        sheet.raise_plan(order_id)
        sheet.tell(order_id, "order.lines_mapped", {})
    sheet.write(at=at, actor=actor, reason="SKU mapped")
    return [order_id for order_id in orders if is_live(sheet.orders[order_id])]


def _end(sheet: Sheet, standing: dict[UUID, list[Hold]], ended: Sequence[Hold]) -> None:
    if ended:
        end_holds_on_sheet(sheet, standing, ended)


def _write_mapped(sheet: Sheet, mapped: dict[UUID, KnownSku]) -> None:
    """Give each line its SKU; one that turns out to be a kit gets its components."""
    kits = {line_id: sku for line_id, sku in mapped.items() if sku.kind == LineKind.KIT}
    parts = {part for sku in kits.values() for part, _ in sku.components}
    components = {view.id: known_sku(view) for view in inventory.skus(sorted(parts)).values()}
    rows = []
    for line_id, sku in mapped.items():
        line = sheet.lines[line_id]
        line.sku_id, line.kind, line.unit_weight_grams = sku.id, sku.kind, sku.weight_grams
        rows.append(
            {
                "id": line_id,
                "sku_id": sku.id,
                "kind": sku.kind,
                "unit_weight_grams": sku.weight_grams,
            }
        )
    if kits:
        _insert_components(sheet, kits, components)
        for line_id in kits:
            sheet.lines[line_id].pending = 0
    sheet.map_lines(rows)


def _insert_components(
    sheet: Sheet, kits: dict[UUID, KnownSku], components: dict[int, KnownSku]
) -> None:
    amounts = {
        row["id"]: row
        for row in OrderLine.objects.for_scope(ALL_ACCOUNTS)
        .filter(pk__in=list(kits))
        .values("id", "gross_minor", "discount_minor", "tax_minor", "total_minor")
    }
    for line_id, sku in kits.items():
        line, order = sheet.lines[line_id], sheet.order_of_line(line_id)
        parts = [(components[part_id], each) for part_id, each in sku.components]
        weights = [part.price_minor * each for part, each in parts]
        shares = shares_of(amounts[line_id], weights if any(weights) else [1] * len(parts))
        position = max(other.position for other in sheet.lines_of(order.id))
        for offset, ((part, each), share) in enumerate(zip(parts, shares, strict=True), start=1):
            units = line.ordered * each
            sheet.insert(
                OrderLine,
                _component_row(line, part, units, position + offset)
                | {"unit_price": unit_share(share["gross_minor"], units, order.currency), **share},
            )


def _component_row(line: LineInHand, part: KnownSku, units: int, position: int) -> dict[str, Any]:
    return {
        "id": ids.uuid7(),
        "order_id": line.order_id,
        "group_id": line.group_id,
        "account_id": line.account_id,
        "position": position,
        "kind": part.kind,
        "parent_id": line.id,
        "relation": Relation.KIT_COMPONENT.value,
        "sku_id": part.id,
        "external_sku": part.code,
        "external_id": f"{line.external_id}/{part.code}"[:128],
        "title": part.name[:300],
        "unit_weight_grams": part.weight_grams,
        "ordered": units,
        "pending": units,
    }
