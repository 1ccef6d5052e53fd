"""Carts, moves and who goes first, as the API of orders tells them."""

import pytest

from config.kernel import clock
from inventory import selectors as inventory
from inventory import services as supply
from inventory.types import CartDraft, ReservationView
from orders.models import Order
from tests.factories.inventory import stock
from tests.factories.orders import ANNA, Shop, line, only_line
from tests.orders.test_api import as_role, body, client_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]
URL = "/api/v1/orders"


def claim_of(order: Order) -> ReservationView:
    (claim,) = inventory.claims_of([only_line(order).pk])[only_line(order).pk]
    return claim


def test_a_cart_is_named_and_what_is_wrong_with_it_pointed_at(web: Shop) -> None:
    sku = web.sku(1)
    draft = CartDraft(web.channel.pk, "c1", ((sku.pk, 1),))
    supply.hold_cart(draft, at=clock.now(), actor=ANNA)
    client = client_of(web)

    wrong = client.post(URL, body(sku, cart="c2"), format="json")
    taken = client.post(URL, body(sku, cart="c1"), format="json")
    again = client.post(URL, body(sku, cart="c1"), format="json")
    used = client.post(URL, body(sku, cart="c1", external_id="W-2"), format="json")

    assert [error["pointer"] for error in wrong.json()["errors"]] == ["/cart"]
    assert (taken.status_code, taken.json()["reserved"]) == (201, 1)
    assert (again.status_code, again.json()["id"]) == (200, taken.json()["id"])
    assert (used.status_code, used.json()["errors"][0]["code"]) == (422, "cart-used")


def test_units_are_moved_by_whoever_may(web: Shop) -> None:
    sku, other = web.sku(2), web.another_node()
    stock(2, sku=sku, node=other)
    mine = web.accepted(line(sku, 2))
    wanted = {
        "moves": [{"reservation_id": str(claim_of(mine).id), "node": other.code, "quantity": 1}],
        "reason": "nearer",
    }
    address = f"{URL}/{mine.pk}/move-units"
    planner = as_role(web, "ops_manager")

    assert client_of(web).post(address, wanted, format="json").status_code == 403
    assert planner.post(address, wanted, format="json").json() == {"moved": 1}
    foreign = {**wanted, "moves": [{**wanted["moves"][0], "reservation_id": str(mine.pk)}]}
    assert planner.post(address, foreign, format="json").status_code == 404


def test_who_goes_first_is_looked_at_and_then_done(web: Shop) -> None:
    sku = web.sku(1)
    low, vip = web.accepted(line(sku)), web.accepted(line(sku))
    wanted = {
        "line_id": str(only_line(vip).pk),
        "given": [{"reservation_id": str(claim_of(low).id)}],
        "reason": "a VIP",
    }
    address = f"{URL}/{vip.pk}/free-units"
    planner = as_role(web, "ops_manager")

    seen = planner.post(address, {**wanted, "preview": True}, format="json").json()
    assert only_line(vip).reserved == 0
    done = planner.post(address, wanted, format="json").json()

    assert [one.pop("promised_now") is None for one in (seen, done)] == [False, False]
    assert seen == done
    assert [(one["number"], one["waits"], one["later"]) for one in done["losers"]] == [
        (low.number, 1, True)
    ]
    assert (only_line(vip).reserved, only_line(low).backordered) == (1, 1)
    refused = planner.post(address, wanted, format="json")
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
