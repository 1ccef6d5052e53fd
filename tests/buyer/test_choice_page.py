"""The buyer of a pickup that its store gave up is written to, and chooses on the tracking page."""

from urllib.parse import urlsplit

import pytest
from django.test import Client

from config.kernel.types import ALL_ACCOUNTS
from integrations.buyer import links
from integrations.buyer.services import write_messages
from integrations.models import BuyerMessage
from orders.models import DeliveryGroup, Order
from tests.factories.buyers import told, with_buyer
from tests.factories.fulfillment import BEN
from tests.factories.kernel import NOON
from tests.factories.pickups import given_up, other_store

pytestmark = pytest.mark.django_db
REJECTED = {"kind": "PICKUP_REJECTED"}


def path_of(order: Order, page: str = "") -> str:
    return urlsplit(links.url_of(order.pk)).path + page


def test_stores_that_have_it_all_are_offered_and_one_is_chosen_once() -> None:
    placed, _ = given_up(2)
    near, short = other_store(placed, units=2), other_store(placed, units=1)
    order = with_buyer(placed.order)
    client = Client(enforce_csrf_checks=True)
    given = {"group": str(placed.group.pk), "choice": f"collect:{near.code}"}

    page = client.get(path_of(order)).content.decode()
    offers = client.get(path_of(order, "/choice")).content.decode()
    empty = client.post(path_of(order, "/choice"), {"group": str(placed.group.pk)})
    first = client.post(path_of(order, "/choice"), given).content.decode()
    second = client.post(path_of(order, "/choice"), given | {"choice": "cancel"}).content.decode()

    assert "We need your answer" in page
    assert "How do you want your order?" in page
    assert f"collect:{near.code}" in offers
    assert short.code not in offers
    assert "Send it to the address of the order" in offers
    assert empty.status_code == 422
    assert "We prepare it at the other store" in first
    assert "This question was answered" in second
    assert placed.line().reserved == 2


def test_an_address_is_asked_for_where_the_order_names_none() -> None:
    placed, _ = given_up(1)
    other_store(placed, units=1)
    order = with_buyer(placed.order)
    groups = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(pk=placed.group.pk)
    groups.update(contact=None, postal_code="")
    given = {"group": str(placed.group.pk), "choice": "ship", "line1": "5 Main Street"}
    whole = given | {
        "name": "Ada Lovelace", "city": "Albany", "region": "NY", "postal_code": "12207",
        "country": "us",
    }  # fmt: skip
    client = Client()

    form = client.get(path_of(order, "/choice")).content.decode()
    refused = client.post(path_of(order, "/choice"), given)
    done = client.post(path_of(order, "/choice"), whole).content.decode()

    assert 'name="postal_code"' in form
    assert refused.status_code == 422
    assert 'value="ship" required checked' in refused.content.decode()
    assert "5 Main Street" in refused.content.decode()
    assert "We send it to you." in done
    assert groups.get().postal_code == "12207"


def test_the_buyer_is_written_to_once_and_told_what_silence_means(settings) -> None:
    settings.BUYER_MESSAGES = True
    placed, _ = given_up(2)
    order = with_buyer(placed.order)
    case = told("case.opened", order, REJECTED)

    write_messages([case, case], at=NOON, actor=BEN)

    message = BuyerMessage.objects.for_scope(ALL_ACCOUNTS).get(kind="choice")
    assert (message.fact, message.template) == (str(order.pk), "buyer/mail/en/choice.txt")
