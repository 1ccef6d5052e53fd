"""What a request for quotes names, read once: SKUs, supply, and what its cart holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import inventory.selectors
from config.kernel import ids
from config.kernel.errors import Invalid
from inventory.types import SkuView
from orders.sourcing import Demand, DemandLine
from routing.quotes.types import PRODUCT, SHIP, Basket, QuoteRequest, Unavailable
from routing.reference import Network
from routing.snapshot import Snapshot, read_snapshot

NOBODY: Final = UUID(int=0)
KIT, STOCK, HELD = "kit", "stock", "held"


@dataclass(frozen=True, slots=True)
class Asked:
    """A request with all that its options are worked out from."""

    request: QuoteRequest
    baskets: tuple[Basket, ...]
    lines: tuple[tuple[str, int, Mapping[int, int]], ...]
    unknown: tuple[Unavailable, ...]
    snapshot: Snapshot
    network: Network
    held: tuple[tuple[int, int, int], ...]
    at: datetime

    def demand(self, basket: Basket, method: str, service: str, **details: object) -> Demand:
        """The basket as a group that nobody has ordered yet."""
        values: dict[str, object] = {
            **_values(self.request, basket.lines),
            "group_id": ids.uuid7(),
            "method": method,
            "service_level": service,
            "held": self.held_of(basket),
        }
        return Demand(**(values | details))  # type: ignore[arg-type]

    def held_of(self, basket: Basket) -> tuple[tuple[int, int, int], ...]:
        """What the cart holds of the basket's units, no more than it wants."""
        if not self.held:
            return ()
        left: Counter[int] = Counter()
        for line in basket.lines:
            left[line.sku_id] += line.quantity
        mine = []
        for node_id, sku_id, units in self.held:
            if part := min(units, left[sku_id]):
                left[sku_id] -= part
                mine.append((node_id, sku_id, part))
        return tuple(mine)


def read_asked(request: QuoteRequest, *, at: datetime) -> Asked:
    """The number of statements does not depend on the number of lines, nodes or options."""
    views = inventory.selectors.skus_by_code(
        request.account_id, request.channel_id, [line.code for line in request.lines]
    )
    parts = _components(views)
    baskets, lines, unknown = _baskets(request, views, parts)
    everything = tuple(line for basket in baskets for line in basket.lines)
    demand = Demand(**_values(request, everything), group_id=NOBODY)  # type: ignore[arg-type]
    snapshot = read_snapshot([demand], excluded=frozenset(), at=at)
    network = snapshot.reference.network(request.account_id, request.channel_id)
    _check_names(request, snapshot, network)
    held = _held(request, at) if request.cart else ()
    return Asked(request, baskets, lines, unknown, snapshot, network, held, at)


def _check_names(request: QuoteRequest, snapshot: Snapshot, network: Network) -> None:
    """Raise Invalid where a service level or a store is named that there is not."""
    services = snapshot.reference.services()
    stores = {node.code for node in network.pickup if node.groups}
    errors = [
        {"pointer": f"/{name}/{place}", "code": "unknown", "detail": f"There is no {code} here."}
        for name, codes, known in (
            ("service_levels", request.services, services),
            ("stores", request.stores, stores),
        )
        for place, code in enumerate(codes)
        if code not in known
    ]
    if errors:
        raise Invalid("The request names what there is not.", errors=errors)


def _values(request: QuoteRequest, lines: tuple[DemandLine, ...]) -> dict[str, object]:
    return {
        "order_id": NOBODY,
        "account_id": request.account_id,
        "channel_id": request.channel_id,
        "currency": request.currency,
        "method": SHIP,
        "service_level": "",
        "postal_code": request.postal_code,
        "region": request.region,
        "country": request.country,
        "lines": lines,
        "ship_complete": request.ship_complete,
        "customer_tags": request.customer_tags,
    }


def _components(views: Mapping[str, SkuView]) -> Mapping[int, SkuView]:
    wanted = {part for view in views.values() if view.kind == KIT for part, _ in view.components}
    return inventory.selectors.skus(sorted(wanted)) if wanted else {}


def _baskets(
    request: QuoteRequest, views: Mapping[str, SkuView], parts: Mapping[int, SkuView]
) -> tuple[
    tuple[Basket, ...], tuple[tuple[str, int, Mapping[int, int]], ...], tuple[Unavailable, ...]
]:
    """One basket for each line of a product page, else one of all; and what is not sold at all."""
    found: list[tuple[str, list[DemandLine]]] = []
    lines, unknown = [], []
    codes: dict[UUID, str] = {}
    for wanted in request.lines:
        view = views.get(wanted.code)
        if view is None or not view.active:
            unknown.append(_not_sold(wanted.code, view))
            continue
        made = _demand_lines(view, wanted.quantity, parts, first=len(codes))
        codes |= {line.line_id: wanted.code for line in made}
        found.append((wanted.code, made))
        units: Counter[int] = Counter()
        for line in made:
            units[line.sku_id] += line.quantity
        lines.append((wanted.code, wanted.quantity, dict(units)))
    if request.kind == PRODUCT:
        baskets = tuple(Basket(code, tuple(made), codes) for code, made in found if made)
    elif unknown:
        baskets = ()
    else:
        everything = tuple(line for _, made in found for line in made)
        baskets = (Basket("", everything, codes),) if everything else ()
    return baskets, tuple(lines), tuple(unknown)


def _demand_lines(
    view: SkuView, quantity: int, parts: Mapping[int, SkuView], *, first: int
) -> list[DemandLine]:
    """The units that must be sent: those of a kit's parts, none of what is no goods."""
    if view.kind == KIT:
        pieces = [(parts[sku_id], many) for sku_id, many in view.components if sku_id in parts]
    else:
        pieces = [(view, 1)] if view.kind == STOCK else []
    return [
        DemandLine(
            UUID(int=first + place + 1),
            piece.id,
            quantity * many,
            piece.weight_grams,
            piece.price_minor,
        )
        for place, (piece, many) in enumerate(pieces)
    ]


def _not_sold(code: str, view: SkuView | None) -> Unavailable:
    if view is None:
        return Unavailable(code, "", "", "", "unknown_sku", f"No SKU is called {code} here.")
    return Unavailable(code, "", "", "", "not_sold", f"{view.name} is not sold any more.")


def _held(request: QuoteRequest, at: datetime) -> tuple[tuple[int, int, int], ...]:
    """(node, SKU, units) that the cart holds and that its hold still keeps. Two statements."""
    hold = inventory.selectors.cart_hold(request.channel_id, request.cart)
    if hold is None or hold.expires_at <= at:
        return ()
    return tuple(
        (claim.node_id, claim.sku_id, claim.open)
        for claim in inventory.selectors.reservations_of(hold.pk)
        if claim.state == HELD and claim.open and claim.node_id is not None
    )


def codes_of(basket: Basket, units: Mapping[UUID, int]) -> dict[str, int]:
    """Units by the code that was asked for, of units by line."""
    found: Counter[str] = Counter()
    for line_id, many in units.items():
        found[basket.codes[line_id]] += many
    return dict(found)


def missing_of(unfilled: Sequence[tuple[UUID, int, str]]) -> dict[UUID, int]:
    """Units that nobody can send now, by line."""
    return {line_id: units for line_id, units, _ in unfilled if units}
