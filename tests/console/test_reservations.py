"""Who holds what: seen with its holder and end, moved, given back, and given to who goes first."""

from typing import Any
from uuid import UUID

import pytest
from django.http import HttpResponse
from django.urls import reverse

import inventory.services
from config.kernel.types import ALL_ACCOUNTS
from config.reports import sql
from inventory.models import Reservation
from inventory.types import CartDraft
from orders.models import OrderLine
from tests.console.conftest import ACTOR, AT, House, text_of

pytestmark = pytest.mark.django_db


def hold(house: House, sku: str, units: int) -> Reservation:
    draft = CartDraft(house.network.channel.pk, "basket-9", ((house.network.skus[sku], units),))
    inventory.services.hold_cart(draft, at=AT, actor=ACTOR)
    found: Reservation = Reservation.objects.for_scope(ALL_ACCOUNTS).get(state="held")
    return found


def claim(order: sql.Row) -> Reservation:
    found: Reservation = Reservation.objects.for_scope(ALL_ACCOUNTS).get(
        thread_id=order["id"], state="reserved"
    )
    return found


def line(order: sql.Row) -> OrderLine:
    found: OrderLine = OrderLine.objects.for_scope(ALL_ACCOUNTS).get(order_id=order["id"])
    return found


def send(house: House, name: str, args: list[Any], form: dict[str, Any]) -> HttpResponse:
    address = reverse(f"console:{name}", args=args)
    return house.client("ops_manager").post(address, form, follow=True)


class TestThePage:
    def test_lists_every_kind_with_its_holder_and_its_filters(self, house: House) -> None:
        order, released = house.order(), house.released()
        hold(house, "MUG", 2)
        client = house.client("ops_manager")

        def shown(**query: str) -> str:
            return text_of(client.get(reverse("console:reservations"), query))

        everything = shown()
        assert all(text in everything for text in (order["number"], "cart basket-9"))
        assert "works on it" in shown(kind="released")
        assert order["number"] not in shown(kind="released")
        assert released["number"] not in shown(kind="order")
        assert "basket-9" in shown(kind="cart", sku="MUG")
        assert "basket-9" not in shown(sku="LAMP")
        assert "Nothing is set aside" in shown(kind="landed")

    def test_a_cart_is_held_longer_and_given_back(self, house: House) -> None:
        held = hold(house, "MUG", 2)

        longer = send(house, "cart", [held.pk, "extend"], {"once": "1"})
        back = send(house, "cart", [held.pk, "release"], {"once": "2"})

        assert "is held longer" in text_of(longer)
        assert "is given back" in text_of(back)
        held.refresh_from_db()
        assert str(held.state) == "released"

    def test_chosen_units_move_to_another_node_and_the_order_says_why(self, house: House) -> None:
        order = house.order(quantity=2)
        mine = claim(order)
        to = next(
            house.node(code)
            for code in house.network.nodes
            if house.network.nodes[code] != mine.node_id and has_mugs(house, code)
        )
        form = {"claim": str(mine.pk), "node": to.code, "reason": "water in the hall", "once": "1"}

        page = send(house, "reservations_move", [], form)

        assert "2 units moved" in text_of(page)
        assert claim(order).node_id == to.pk
        why = reverse("console:order_why", args=[order["number"], line(order).group_id])
        assert "(water in the hall)" in text_of(house.client("ops_manager").get(why))


def has_mugs(house: House, code: str) -> bool:
    found = inventory.selectors.supply([house.network.skus["MUG"]], [house.network.nodes[code]])
    return any(view.free >= 2 for view in found.values())


class TestGoingFirst:
    def test_is_looked_at_then_done(self, house: House) -> None:
        house.network.stock("LAMP", RENO=40)
        low = house.order(sku="LAMP", quantity=units_of(house, "LAMP"))
        vip = house.order(sku="LAMP", priority=3)
        mine = claim(low)
        assert line(vip).backordered == 1

        chosen = send(house, "reservation_give", [mine.pk], {"order": vip["number"], "once": "1"})
        form = {f"units-{mine.pk}": "1", "reason": "a VIP"}
        seen = send(house, "free", [line(vip).pk], {**form, "act": "look", "once": "2"})
        assert low["number"] in text_of(chosen)
        assert "What it would do now" in text_of(seen)
        assert line(vip).reserved == 0
        done = send(house, "free", [line(vip).pk], {**form, "act": "free", "once": "3"})

        assert "gave way" in text_of(done)
        assert (line(vip).reserved, line(low).backordered) == (1, 1)

    def test_is_refused_in_words_without_units(self, house: House) -> None:
        order = house.order()
        page = send(house, "free", [line(order).pk], {"act": "look", "once": "1"})

        assert page.status_code == 409
        assert "Say how many units" in text_of(page)
        assert send(house, "reservation_give", [UUID(int=1)], {}).status_code == 404


def units_of(house: House, sku: str) -> int:
    rows = sql.rows(
        "SELECT sellable - reserved AS free FROM inventory_stockposition WHERE sku_id = %(sku)s",
        {"sku": house.network.skus[sku]},
    )
    return sum(row["free"] for row in rows)
