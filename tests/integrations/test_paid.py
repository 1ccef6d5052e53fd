"""What a channel's later document says of the payment of an order that we have."""

import json

import pytest
from django.db import transaction

from config.kernel.ids import uuid7
from config.kernel.types import ALL_ACCOUNTS
from integrations import connections
from integrations.appliers import Applied, Envelope, Ignored, Letter, Received, Verdict
from integrations.channels.applier import ChannelApplier, accept_created
from integrations.channels.paid import payment_told
from integrations.channels.shopify import inbound as shopify_inbound
from integrations.channels.shopify import translate as shopify
from integrations.channels.woocommerce import inbound as woo_inbound
from integrations.channels.woocommerce import translate as woocommerce
from orders.models import Hold, Tender
from tests.factories.integrations import a_connection
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM, a_network
from tests.integrations.documents import CHANNEL, RECEIVED, shop_order, woo_order

ORDER = uuid7()


@pytest.mark.parametrize("status", ["pending", "partially_paid", "voided", "expired"])
def test_shopify_says_nothing_while_it_waits(status):
    document = shop_order(financial_status=status)

    assert payment_told(ORDER, shopify.order_draft(document, CHANNEL, received_at=RECEIVED)) is None


@pytest.mark.parametrize(("status", "whole"), [("paid", True), ("authorized", False)])
def test_shopify_says_that_it_is_secured(status, whole):
    document = shop_order(financial_status=status)
    draft = shopify.order_draft(document, CHANNEL, received_at=RECEIVED)

    told = payment_told(ORDER, draft)

    assert told is not None
    assert told.order_id == ORDER
    assert told.collected_minor == (draft.tenders[0].amount_minor if whole else 0)


def test_woocommerce_says_so_when_it_waits_no_more():
    waits = woo_order(status="on-hold", date_paid_gmt=None)
    paid = woo_order(status="processing")

    def told(document):
        draft = woocommerce.order_draft(document, CHANNEL, received_at=RECEIVED)
        return payment_told(ORDER, draft)

    assert told(waits) is None
    assert told(paid).collected_minor == 3_970


@pytest.mark.django_db
class TestNewsOfAnOrderThatWeHave:
    @pytest.mark.parametrize(
        ("understand", "topics", "waits", "paid"),
        [
            (
                shopify_inbound.understand,
                ("orders/create", "orders/paid"),
                shop_order(financial_status="pending"),
                shop_order(),
            ),
            (
                woo_inbound.understand,
                ("order.created", "order.updated"),
                woo_order(status="on-hold", date_paid_gmt=None),
                woo_order(),
            ),
        ],
    )
    def test_frees_it_from_its_hold_for_payment(self, understand, topics, waits, paid):
        network = a_network()
        network.stock("TEE-M", NEWARK=10)
        network.stock("MUG", NEWARK=10)
        created, updated = topics

        assert isinstance(told(network, understand, created, waits), Applied)
        assert held() == ["payment"]
        assert isinstance(told(network, understand, updated, waits), Ignored)
        assert held() == ["payment"]

        assert isinstance(told(network, understand, updated, paid), Applied)
        assert held() == []
        tender = Tender.objects.for_scope(ALL_ACCOUNTS).get()
        assert tender.captured_minor == tender.amount_minor
        assert isinstance(told(network, understand, updated, paid), Ignored)


def told(network, understand, topic, document) -> Verdict:
    """What comes of one message through the network's channel."""
    channel = network.channel
    message = Received(
        Envelope(uuid7(), channel.account_id, "shop:web", str(uuid7()), topic, NOON, 0),
        Letter({}, json.dumps(document).encode()),
        connections.of_channel(channel.pk) or a_connection(channel),
    )
    with transaction.atomic():
        [verdict] = ChannelApplier(understand).apply([message], at=NOON, actor=SYSTEM)
    if isinstance(verdict, Applied) and verdict.created:
        accept_created([verdict], at=NOON, actor=SYSTEM)
    return verdict


def held() -> list[str]:
    holds = Hold.objects.for_scope(ALL_ACCOUNTS).active()
    return list(holds.values_list("type", flat=True))
