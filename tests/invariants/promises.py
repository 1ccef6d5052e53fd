"""Honest promises, and what goes wrong with them."""

from datetime import timedelta
from typing import Final

from config.kernel.types import ALL_ACCOUNTS
from orders.models import DeliveryGroup, Promise, PromiseTold
from orders.services import ask_consent, record_told
from orders.types import Telling
from tests.factories.fulfillment import BEN, place
from tests.factories.inventory import NodeFactory, SkuFactory
from tests.factories.kernel import NOON
from tests.factories.promises import promise_for, slack_of

DAY: Final = timedelta(days=1)


def asked() -> None:
    """A promise that moved, with its slack, told to the buyer, who was asked."""
    sku = SkuFactory()
    placed = place({sku: 2}, NodeFactory(account=sku.account))
    place({sku: 1}, NodeFactory(account=sku.account))
    promise_for(placed, NOON + DAY, NOON + 3 * DAY)
    version = promise_for(placed, NOON + 2 * DAY, NOON + 5 * DAY, version=2)
    record_told([Telling(version.pk, "buyer", "e-mail")], at=NOON)
    ask_consent([placed.order.pk], at=NOON, actor=BEN)
    slack_of(placed, at=NOON)


def bound() -> None:
    """A promise that keeps within what its channel promises and what its buyer was quoted."""
    asked()
    late = {"ship_by": (NOON + 3 * DAY).isoformat(), "deliver_by": (NOON + 6 * DAY).isoformat()}
    DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).update(bounds={"channel": late, "quote": late})


def told_of_nothing() -> None:
    known = PromiseTold.objects.for_scope(ALL_ACCOUNTS).get()
    first = Promise.objects.for_scope(ALL_ACCOUNTS).order_by("version")[0]
    PromiseTold.objects.create(
        account_id=known.account_id,
        order_id=known.order_id,
        group_id=known.group_id,
        promise=first,
        audience="agent",
        by="phone",
        deliver_earliest=known.deliver_earliest,
        deliver_latest=known.deliver_latest,
        at=NOON,
    )


_BOUND: Final = (
    "UPDATE orders_deliverygroup SET bounds = jsonb_set(bounds, '{{{},{}}}', to_jsonb('{}'::text))"
)
"""Has a bound be earlier than what was promised."""

PROMISES: Final = {
    "promises.stands": (asked, "UPDATE orders_deliverygroup SET ship_by = ship_by + '1 day'"),
    "promises.channel": (bound, _BOUND.format("channel", "ship_by", NOON + DAY)),
    "promises.quoted": (bound, _BOUND.format("quote", "deliver_by", NOON + 4 * DAY)),
    "promises.told": (asked, told_of_nothing),
    "promises.consent": (asked, "UPDATE orders_consentquestion SET answered_at = asked_at"),
    "promises.asked": (asked, "UPDATE orders_consentquestion SET promise_id = id"),
    "promises.slack": (
        asked,
        "UPDATE fulfillment_promiseslack SET order_id = (SELECT max(id::text)::uuid FROM orders_order)",
    ),
}
