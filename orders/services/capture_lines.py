"""The lines of a captured order; a kit brings its components, with their shares of the price."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from uuid import UUID

from config.kernel import ids, money
from orders.services.shaped import MOST_STORED, Judged, Row, Shaped
from orders.states import (
    LineKind,
    Mode,
    Relation,
)
from orders.types import LineDraft
from orders.validators.amounts import gross_of, total_from
from orders.validators.finding import KnownSku


def line_rows(shaped: Shaped, group_id: UUID, line: LineDraft, judged: Judged) -> list[Row]:
    """The line, and its components when it is a kit."""
    draft, currency = shaped.draft, judged.currency
    sku = judged.skus.get(line.sku_code)
    kind = sku.kind if sku else line.kind or LineKind.STOCK
    quantity = min(max(line.quantity, 0), MOST_STORED)
    gross = gross_of(line, currency)
    row = _line_row(shaped, group_id, len(shaped.lines), kind, sku, quantity)
    row |= {
        "relation": line.relation,
        "external_sku": line.sku_code[:128],
        "external_id": line.external_id[:128],
        "title": (line.title or (sku.name if sku else ""))[:300],
        "unit_price": line.unit_price,
        "gross_minor": gross,
        "discount_minor": line.discount_minor,
        "tax_minor": line.tax_minor,
        "total_minor": line.total_minor
        if line.total_minor is not None
        else total_from(gross, line, tax_inclusive=draft.tax_inclusive),
        "properties": dict(line.properties)
        | ({"stated_quantity": str(line.quantity)} if line.quantity != quantity else {}),
    }
    if kind != LineKind.KIT or sku is None:
        return [row]
    return [row, *kit_rows(shaped, row, sku, judged.components, currency)]


def kit_rows(
    shaped: Shaped, kit: Row, sku: KnownSku, components: Mapping[int, KnownSku], currency: str
) -> list[Row]:
    """The component lines of a kit, each with its share of the price by the components' prices."""
    parts = [(components[part_id], each) for part_id, each in sku.components]
    weights = [part.price_minor * each for part, each in parts]
    shares = shares_of(kit, weights if any(weights) else [1] * len(parts))
    rows = []
    for offset, ((part, each), share) in enumerate(zip(parts, shares, strict=True), start=1):
        units = kit["ordered"] * each
        row = _line_row(shaped, kit["group_id"], kit["position"] + offset, part.kind, part, units)
        row |= {
            "parent_id": kit["id"],
            "relation": Relation.KIT_COMPONENT.value,
            "external_sku": part.code,
            "external_id": f"{kit['external_id']}/{part.code}"[:128],
            "title": part.name[:300],
            "unit_price": unit_share(share["gross_minor"], units, currency),
            "properties": {},
            **share,
        }
        rows.append(row)
    return rows


def shares_of(kit: Row, weights: Sequence[int]) -> list[dict[str, int]]:
    """Every amount of the kit split by weight; each split adds up to the kit's amount."""
    names = ("gross_minor", "discount_minor", "tax_minor", "total_minor")
    split = {name: money.split(kit[name], weights) for name in names}
    return [{name: split[name][at] for name in names} for at in range(len(weights))]


def unit_share(minor: int, units: int, currency: str) -> Decimal:
    """The price of one unit of a share, in major units, to six places."""
    if not units:
        return Decimal(0)
    major = Decimal(minor).scaleb(-money.exponent(currency)) / units
    return major.quantize(Decimal("0.000001"))


def _line_row(
    shaped: Shaped, group_id: UUID, position: int, kind: str, sku: KnownSku | None, quantity: int
) -> Row:
    past = shaped.draft.mode == Mode.HISTORY and kind != LineKind.KIT
    pending = 0 if past or kind == LineKind.KIT else quantity
    delivered = quantity if past else 0
    return {
        "id": ids.uuid7(),
        "order_id": shaped.id,
        "group_id": group_id,
        "account_id": shaped.draft.account_id,
        "position": position,
        "kind": kind,
        "parent_id": None,
        "sku_id": sku.id if sku else None,
        "unit_weight_grams": sku.weight_grams if sku else 0,
        "ordered": quantity,
        "pending": pending,
        "shipped": delivered,
        "delivered": delivered,
    }
