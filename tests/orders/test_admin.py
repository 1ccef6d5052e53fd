"""The records of orders in the console's admin: looked up, never written, never counted."""

from copy import deepcopy

import pytest
from django.contrib import admin
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from orders import sourcing
from orders.models import Chargeback, Dispute, Order
from orders.services import cancel_units, place_holds, record_shipments
from orders.types import CancelRequest, HoldRequest, ShippedUnits
from tests.factories.kernel import NOON, AccountFactory, GrantFactory, UserFactory
from tests.factories.orders import (
    ANNA,
    NearestStock,
    Shop,
    card,
    line,
    only_line,
    send_to_node,
    shop,
)

MODELS = [model for model in admin.site._registry if model._meta.app_label == "orders"]
NAMES = [model._meta.model_name for model in MODELS]


@pytest.fixture
def root(db: None) -> Client:
    client = Client()
    client.force_login(UserFactory(superuser=True))
    return client


@pytest.fixture(scope="module")
def shop_that_sold(kept_rows: None) -> Shop:
    """A shop with records of every kind."""
    with sourcing.using(NearestStock()):
        web = shop()
        order = web.accepted(line(web.sku(5)), tenders=(card(1000),))
        place_holds([HoldRequest(order.id, "fraud", "velocity")], at=NOON, actor=ANNA)
        gone = web.accepted(line(web.sku(5)), tenders=(card(1000),))
        send_to_node(only_line(gone))
        with transaction.atomic():
            parcel = ShippedUnits(gone.id, only_line(gone).id, 1, ids.uuid7())
            record_shipments([parcel], at=NOON, actor=ANNA)
        paid = web.accepted(line(web.sku(5)), tenders=(card(1000, captured_minor=1000),))
        cancel_units([CancelRequest(paid.id)], at=NOON, actor=ANNA)
        dispute(gone)
    return web


def dispute(order: Order) -> None:
    """A dispute that the bank has decided against us."""
    whose = {"order": order, "account_id": order.account_id, "tender": order.tenders.get()}
    lost = Dispute.objects.create(
        **whose, provider="fakepay", reference="dp-1", amount_minor=400, opened_at=NOON, at=NOON
    )
    Chargeback.objects.create(**whose, dispute=lost, amount_minor=400, currency="USD", at=NOON)


@pytest.fixture
def sold(db: None, nearest: NearestStock, shop_that_sold: Shop) -> Shop:
    return deepcopy(shop_that_sold)


@pytest.mark.parametrize("name", NAMES)
def test_every_list_opens_without_a_count(sold: Shop, root: Client, name: str) -> None:
    with CaptureQueriesContext(connection) as context:
        answer = root.get(reverse(f"admin:orders_{name}_changelist"))

    assert answer.status_code == 200
    counted = [q["sql"] for q in context if "COUNT(" in q["sql"] and "orders_" in q["sql"]]
    assert counted == []


@pytest.mark.parametrize("model", MODELS, ids=NAMES)
def test_a_record_opens_and_changes_nothing(sold: Shop, root: Client, model: type) -> None:
    row = model._default_manager.for_scope(ALL_ACCOUNTS).first()
    page = reverse(f"admin:orders_{model._meta.model_name}_change", args=[row.pk])

    assert root.get(page).status_code == 200
    assert root.get(page.replace("change", "history")).status_code == 200
    assert root.post(page, {}).status_code == 403
    assert root.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    assert root.get(reverse(f"admin:orders_{model._meta.model_name}_add")).status_code == 403


def test_shows_nothing_that_is_sealed(sold: Shop, root: Client) -> None:
    group = only_line(sold.captured(line(sold.sku(1)))).group_id

    page = root.get(reverse("admin:orders_deliverygroup_change", args=[group])).content.decode()

    assert "gift_message" not in page
    assert "contact" not in page.lower().split("<main", 1)[-1].split("</main", 1)[0]


def test_shows_a_manager_the_orders_of_their_account(sold: Shop) -> None:
    order = only_line(sold.captured(line(sold.sku(1)))).order
    own, other = Client(), Client()
    for client, account in ((own, sold.account), (other, AccountFactory())):
        user = UserFactory()
        GrantFactory(user=user, account=account)
        client.force_login(user)

    pages = [c.get(reverse("admin:orders_order_changelist")) for c in (own, other)]

    assert [order.number in page.content.decode() for page in pages] == [True, False]
