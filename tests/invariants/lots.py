"""Honest books of lots, serials, substitutes and feeds, and what goes wrong with them."""

from datetime import timedelta
from typing import Final

from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import ParcelLine, TracedUnits
from inventory.models import Feed, Lot, Recall, Serial, StockPosition, Substitute
from inventory.services import declare_feeds, propose_substitutes, recall_lots, take
from inventory.types import FeedTerms, SubstituteDraft
from tests.factories.fulfillment import BEN, shipped
from tests.factories.inventory import SkuFactory, stock, want
from tests.factories.kernel import NOON

TODAY = NOON.date()


def shelf_of_a_lot() -> StockPosition:
    sku = SkuFactory(lot_tracked=True, expires=True)
    return stock(5, sku=sku, lot="A", expires_on=TODAY + timedelta(days=60))


def bound() -> None:
    least = TODAY + timedelta(days=30)
    take([want(shelf_of_a_lot(), 2, min_expiry=least)], at=NOON, actor=BEN)


def lot() -> Lot:
    shelf_of_a_lot()
    found: Lot = Lot.objects.for_scope(ALL_ACCOUNTS).get()
    return found


def serial() -> Serial:
    stock(1, sku=SkuFactory(serial_tracked=True), serials=("S-1",))
    found: Serial = Serial.objects.for_scope(ALL_ACCOUNTS).get()
    return found


def recall() -> Recall:
    recall_lots([lot().pk], "glass", at=NOON, actor=BEN)
    found: Recall = Recall.objects.for_scope(ALL_ACCOUNTS).get()
    return found


def substitute() -> Substitute:
    first = SkuFactory()
    second = SkuFactory(account=first.account)
    draft = SubstituteDraft(first.code, second.code)
    propose_substitutes([draft], account_id=first.account_id, at=NOON, actor=BEN)
    found: Substitute = Substitute.objects.for_scope(ALL_ACCOUNTS).get()
    return found


def feed() -> Feed:
    position = stock(1)
    terms = FeedTerms(position.node_id, "wms", position.account_id)
    declare_feeds([terms], at=NOON, actor=BEN)
    found: Feed = Feed.objects.for_scope(ALL_ACCOUNTS).get()
    return found


def traced_beyond_what_lies_there() -> None:
    content = ParcelLine.objects.for_scope(ALL_ACCOUNTS).select_related("line").get()
    TracedUnits.objects.create(
        account_id=content.account_id,
        line=content.line,
        parcel_id=content.parcel_id,
        sku_id=content.line.sku_id,
        lot="A",
        quantity=content.quantity + 1,
        at=NOON,
    )


LOTS: Final = {
    "stock.allocated": (bound, "UPDATE inventory_stocklevel SET allocated = 0"),
    "stock.allocation_open": (bound, "UPDATE inventory_allocation SET units = 9"),
    "stock.lot_on_sale": (lot, "UPDATE inventory_lot SET state = 'held'"),
    "stock.fresh_until": (lot, "UPDATE inventory_stockposition SET fresh_until = NULL"),
    "trace.regulated": (shipped, "UPDATE inventory_sku SET regulation = 'medicine'"),
    "trace.whole": (shipped, traced_beyond_what_lies_there),
}
"""By invariant: the honest books, and the one thing wrong with them."""

MACHINES: Final = {
    "sku": SkuFactory,
    "substitute": substitute,
    "feed": feed,
    "recall": recall,
    "lot": lot,
    "serial": serial,
}
"""A row of every machine of these that has a history."""
