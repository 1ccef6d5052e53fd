"""Goods on their way: one late, one told short, a SKU sold before it exists, and a slip that broke promises."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import inventory.selectors
import inventory.services
import orders.services
from config.demo import retailer
from config.demo.made import Retailer
from config.demo.shoppers import NOW
from config.kernel.types import Actor, OutcomeKind
from inventory.types import (
    CapDraft,
    ExpectedDraft,
    ExpectedLine,
    ItemDraft,
    LaneDraft,
    LineCap,
    ReceivedLine,
    SlipDraft,
)
from orders.types import (
    Address,
    GroupDraft,
    LineDraft,
    OrderDraft,
    Party,
    TenderDraft,
)

SOURCE: Final = "merchandising"
_PLANNER, _ARRIVALS = Actor.system("merchandising"), Actor.system("receiving")
STUCK: Final = "BALTIC-LINEN"
"""Its container has been lost sight of: nobody receives what it sends."""
_MILL: Final = "NORDIC-MILL"
_LATE_DAYS: Final = (0, 1, 1, 2, 2, 4)
_PREORDER: Final = "HP-ADV-27"
_CHANNEL: Final = "trade"
_CAP, _EACH, _PRICE_MINOR = 6, 2, 3_900
BUYERS: Final = ("Ada Lind", "Ben Ortiz", "Cleo Marsh", "Dan Whitfield")
"""Who orders ahead; the last one finds the cap reached."""
_DAY: Final = timedelta(days=1)


def set_up(made: Retailer, at: datetime) -> None:
    """Show each case once, at the first warehouse. Twice changes nothing."""
    warehouse = next(plan.code for plan in retailer.NODES if plan.kind == "dc")
    node_id = made.node_ids[warehouse]
    goods = list(made.sku_ids.values())[:4]
    _learn(made, node_id, goods, at)
    _announce(made, node_id, goods, at)
    _preorder(made, node_id, at)


def _learn(made: Retailer, node_id: int, goods: list[int], at: datetime) -> None:
    """What a mill has sent before tells how late it is; of another only what it says is known."""
    for number, late in enumerate(_LATE_DAYS):
        due = at - (40 - 5 * number) * _DAY
        draft = _draft(made, node_id, f"PO-38{number:02}", [(goods[number % 4], 4)], due, _MILL)
        (told,) = inventory.services.expect_inbound([draft], at=due - 20 * _DAY, actor=_PLANNER)
        if told.value is None or told.value.state != "expected":
            continue
        (line,) = inventory.selectors.inbound_lines([told.value.id])[told.value.id]
        came = ReceivedLine(line.pk, 4, external_id=f"PO-38{number:02}")
        inventory.services.receive_inbound(
            told.value.id, [came], at=due + late * _DAY, actor=_ARRIVALS
        )
    inventory.services.declare_lanes(
        [LaneDraft(made.account_id, STUCK, None, 72)], at=at, actor=_PLANNER
    )
    inventory.services.learn_lanes(at=at, actor=_PLANNER)


def _announce(made: Retailer, node_id: int, goods: list[int], at: datetime) -> None:
    """One that is late by the end of the fortnight; one of which a notice brings less than ordered."""
    late = _draft(made, node_id, "PO-5001", [(goods[0], 60), (goods[1], 36)], NOW - 2 * _DAY, STUCK)
    order = _draft(made, node_id, "PO-5002", [(goods[2], 80)], NOW + 3 * _DAY, _MILL)
    notice = ExpectedDraft(
        made.account_id,
        node_id,
        "ASN-5002-1",
        "asn",
        SOURCE,
        (ExpectedLine(goods[2], 64, NOW + 2 * _DAY, of_number="PO-5002"),),
        _MILL,
        complete=True,
    )
    inventory.services.expect_inbound([late, order], at=at, actor=_PLANNER)
    inventory.services.expect_inbound([notice], at=at, actor=_PLANNER)


def _preorder(made: Retailer, node_id: int, at: datetime) -> None:
    """A SKU that nobody has yet: sold up to its cap, then its goods come a week later."""
    item = ItemDraft(
        _PREORDER,
        name="Advent candle set",
        price_minor=_PRICE_MINOR,
        weight_grams=900,
    )
    inventory.services.put_items([item], account_id=made.account_id, at=at, actor=_PLANNER)
    sku = inventory.selectors.skus_by_code(made.account_id, None, [_PREORDER])[_PREORDER]
    channel_id = made.channel_ids[_CHANNEL]
    draft = _draft(made, node_id, "PO-5003", [(sku.id, 40)], NOW + 5 * _DAY, "WAX-WORKS")
    (told,) = inventory.services.expect_inbound([draft], at=at, actor=_PLANNER)
    if told.value is None or told.kind is not OutcomeKind.DONE:
        return
    (line,) = inventory.selectors.inbound_lines([told.value.id])[told.value.id]
    inventory.services.limit_lines([LineCap(line.pk, 50)], at=at, actor=_PLANNER)
    cap = CapDraft(
        made.account_id, channel_id, sku.id, _CAP, at, NOW + 30 * _DAY, "Preorder, first batch"
    )
    inventory.services.set_caps([cap], at=at, actor=_PLANNER)
    for number, name in enumerate(BUYERS):
        (taken,) = orders.services.capture_orders(
            [_order(made, number, name, at)], at=at, actor=_PLANNER
        )
        if taken.value is not None:
            orders.services.accept_orders([taken.value.id], at=at, actor=_PLANNER)
    inventory.services.slip_inbound(
        [SlipDraft(line.pk, NOW + 12 * _DAY)],
        source="supplier",
        reason="the wax came late",
        at=at,
        actor=_PLANNER,
    )


def _draft(
    made: Retailer,
    node_id: int,
    number: str,
    lines: list[tuple[int, int]],
    due: datetime,
    supplier: str,
) -> ExpectedDraft:
    return ExpectedDraft(
        made.account_id,
        node_id,
        number,
        "po",
        SOURCE,
        tuple(ExpectedLine(sku_id, units, due) for sku_id, units in lines),
        supplier,
    )


def _order(made: Retailer, number: int, name: str, at: datetime) -> OrderDraft:
    address = Address(
        name=name,
        line1=f"{12 + number} Orchard Street",
        city="Albany",
        region="NY",
        postal_code="12207",
        country="US",
    )
    line = LineDraft(
        external_id=f"PRE-{number}-1",
        sku_code=_PREORDER,
        quantity=_EACH,
        unit_price=Decimal(_PRICE_MINOR) / 100,
    )
    return OrderDraft(
        channel_id=made.channel_ids[_CHANNEL],
        account_id=made.account_id,
        brand_id=made.brand_ids["northlight"],
        external_id=f"PRE-{number}",
        external_number=f"#PRE{number}",
        currency="USD",
        placed_at=at,
        customer=Party(name=name, email=f"{name.split(maxsplit=1)[0].lower()}@example.com"),
        groups=(GroupDraft(lines=(line,), address=address),),
        tenders=(TenderDraft("card", _PRICE_MINOR * _EACH, collected_by="channel"),),
    )
