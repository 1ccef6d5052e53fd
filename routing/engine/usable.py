"""What nodes may give a demand at all: its goods, what they ask of who sends them, what is excluded."""

from collections.abc import Mapping, Sequence

from routing.engine.supply import Stock
from routing.engine.types import NO_MORE, Demand, Line, Node, RateCard

Unable = Mapping[int, Sequence[str]]
"""By SKU, what stands in the way of each node's sending it: codes, or nothing."""

NOTHING: Unable = {}

BY_SERVICE = "service:"
"""Before the codes of goods that the service does not carry."""

AT_LEAST = "at_least:"
"""Before the units that a supplier asks to be ordered at once."""

OFFERED_NO_MORE = "offered_no_more"


def unable(demand: Demand, nodes: Sequence[Node], rates: RateCard) -> Unable:
    """The SKUs that not every node may send, with what each node or the service lacks."""
    asked = {line.sku: line.needs for line in demand.lines if line.needs}
    choosy = [
        (place, node.partner.least)
        for place, node in enumerate(nodes)
        if node.partner is not None and node.partner.least
    ]
    if not asked and not choosy:
        return {}
    refused = rates.refused.get(demand.service, frozenset())
    found: dict[int, list[str]] = {}
    for sku, needs in asked.items():
        if at_all := needs & refused:
            found[sku] = [BY_SERVICE + ",".join(sorted(at_all))] * len(nodes)
        else:
            found[sku] = [",".join(sorted(node.lacks(needs))) for node in nodes]
    for place, least in choosy:
        for sku, units in least.items():
            wanted = sum(line.quantity for line in demand.lines if line.sku == sku)
            if 0 < wanted < units:
                lacks = found.setdefault(sku, [""] * len(nodes))
                lacks[place] = OFFERED_NO_MORE if units == NO_MORE else f"{AT_LEAST}{units}"
    return found


def usable_units(
    demand: Demand, nodes: Sequence[Node], stock: Stock, unable: Unable = NOTHING
) -> dict[int, list[int]]:
    """By SKU, the units at each node that may send them and that the demand is not excluded from."""
    usable = {sku: stock.column(sku) for sku in {line.sku: None for line in demand.lines}}
    for sku, lacking in unable.items():
        usable[sku] = [
            0 if lacks else units for units, lacks in zip(usable[sku], lacking, strict=True)
        ]
    if not demand.excluded:
        return usable
    return {
        sku: [
            0 if units and (node.id, sku) in demand.excluded else units
            for node, units in zip(nodes, column, strict=True)
        ]
        for sku, column in usable.items()
    }


def stock_rows(
    lines: Sequence[Line], nodes: Sequence[Node], usable: Mapping[int, list[int]]
) -> list[tuple[int, ...]]:
    """Per node, the units that it could give each line; lines of one SKU are served in order."""
    claimed: dict[int, int] = {}
    columns: list[list[int]] = []
    for line in lines:
        wanted, before = line.quantity, claimed.get(line.sku, 0)
        claimed[line.sku] = before + wanted
        units = usable[line.sku]
        if before:
            units = [u - before if u > before else 0 for u in units]
        columns.append([u if u < wanted else wanted for u in units])  # noqa: FURB136  # min() is slow
    return list(zip(*columns, strict=True)) if columns else [() for _ in nodes]
