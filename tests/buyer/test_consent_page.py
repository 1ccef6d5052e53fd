"""The buyer answers a question about a delay on the tracking page; and whom we told is on record."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.test import Client

from config.kernel.types import ALL_ACCOUNTS
from integrations.buyer import links
from integrations.buyer.services import write_messages
from integrations.models import BuyerMessage
from orders.models import ConsentAnswer, ConsentQuestion, Order, PromiseTold
from orders.services import ask_consent
from tests.factories.buyers import told, with_buyer
from tests.factories.fulfillment import BEN, place
from tests.factories.inventory import NodeFactory, SkuFactory
from tests.factories.kernel import NOON
from tests.factories.promises import promise_for

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def delayed() -> Order:
    sku = SkuFactory()
    placed = place({sku: 2}, NodeFactory(account=sku.account))
    promise_for(placed, NOON + DAY, NOON + 3 * DAY)
    promise_for(placed, NOON + 3 * DAY, NOON + 5 * DAY, version=2)
    order = with_buyer(placed.order)
    ask_consent([order.pk], at=NOON, actor=BEN)
    return order


def path_of(order: Order, page: str = "") -> str:
    return urlsplit(links.url_of(order.pk)).path + page


def test_is_asked_says_what_silence_means_and_answers_once():
    order = delayed()
    client = Client(enforce_csrf_checks=True)
    question = ConsentQuestion.objects.for_scope(ALL_ACCOUNTS).get()
    given = {"question": str(question.pk), "choice": "cancel_all"}

    page = client.get(path_of(order)).content.decode()
    empty = client.post(path_of(order, "/consent"), {"question": str(question.pk)})
    first = client.post(path_of(order, "/consent"), given).content.decode()
    second = client.post(path_of(order, "/consent"), given | {"choice": "accept"}).content.decode()

    assert "It will now arrive on Sat 7 Mar" in page
    assert "If we hear nothing from you until Sat 7 Mar, we take it that you wait." in page
    assert empty.status_code == 422
    assert "We have cancelled it" in first
    assert "This question was answered" in second
    answer = ConsentAnswer.objects.for_scope(ALL_ACCOUNTS).get()
    assert (answer.by, answer.actor_kind, answer.cancelled_units) == ("link", "buyer", 2)
    assert "Do you want to wait for it?" in answer.text


def test_a_message_about_a_delay_names_its_version(settings):
    settings.BUYER_MESSAGES = True
    order = delayed()

    write_messages([told("order.promise_moved", order)] * 2, at=NOON, actor=BEN)

    message = BuyerMessage.objects.for_scope(ALL_ACCOUNTS).get(kind="delayed")
    telling = PromiseTold.objects.for_scope(ALL_ACCOUNTS).get()
    assert (telling.audience, telling.message_id) == ("buyer", message.pk)
    assert f"promise {telling.promise_id}" == message.fact
    assert telling.deliver_latest == NOON + 5 * DAY
