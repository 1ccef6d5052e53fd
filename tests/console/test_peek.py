"""The panel beside a list: the row in short, and only what the reader may see of it."""

from typing import Any

from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.reports import sql
from tests.console.conftest import House, text_of

PEEK_QUERIES = 18
HTMX = {"HX-Request": "true", "HX-Target": "peek-content"}


def peek(house: House, order: sql.Row, role: str = "ops_manager") -> Any:
    address = reverse("console:order_peek", args=[order["number"]])
    return house.client(role).get(address, {"next": "/console/orders/?need=held"}, headers=HTMX)


class TestAnOrder:
    def test_says_where_it_is_why_there_and_what_to_do(self, house: House) -> None:
        page = text_of(peek(house, house.held()))
        assert "On fraud hold since" in page
        assert "Why here:" in page
        assert "Release hold…" in page
        assert "1 × Red mug" in page

    def test_leads_back_to_the_list_after_an_action(self, house: House) -> None:
        order = house.held()
        assert "next=/console/orders/%3Fneed%3Dheld" in peek(house, order).content.decode()
        response = house.client("cs_agent").post(
            reverse("console:order_action", args=[order["number"], "release_hold"]),
            {"reason": "Looked fine", "next": "/console/orders/?need=held"},
        )
        assert response.headers["Location"] == "/console/orders/?need=held"

    def test_shows_actions_to_none_who_may_not_act(self, house: House) -> None:
        page = text_of(peek(house, house.held(), "auditor"))
        assert "On fraud hold since" in page
        assert "Release hold" not in page

    def test_shows_no_reason_of_routing_to_who_may_not_see_it(self, house: House) -> None:
        assert "Why here:" not in text_of(peek(house, house.order(), "integrator"))

    def test_names_nobody(self, house: House) -> None:
        assert "Ada" not in text_of(peek(house, house.order()))

    def test_costs_the_same_for_a_small_order_and_a_large_one(
        self, house: House, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = house.client("ops_manager")
        for order in (house.order(), house.released(quantity=7)):
            address = reverse("console:order_peek", args=[order["number"]])
            with django_assert_max_num_queries(PEEK_QUERIES):
                client.get(address, headers=HTMX)

    def test_is_the_page_itself_without_scripts(self, house: House) -> None:
        order = house.order()
        response = house.client("auditor").get(
            reverse("console:order_peek", args=[order["number"]])
        )
        assert response.headers["Location"] == reverse("console:order", args=[order["number"]])


class TestACase:
    def test_says_what_was_seen_and_where_its_order_is(self, house: House) -> None:
        number = house.case(house.held())
        page = text_of(
            house.client("cs_agent").get(reverse("console:case_peek", args=[number]), headers=HTMX)
        )
        assert "carrier closed" in page
        assert "On fraud hold since" in page
        assert "Acknowledge" in page

    def test_keeps_the_order_from_who_may_not_see_orders(self, house: House) -> None:
        number = house.case(house.released(sku="LAMP"))
        page = text_of(
            house.client("node_operator").get(
                reverse("console:case_peek", args=[number]), headers=HTMX
            )
        )
        assert "carrier closed" in page
        assert "with Reno" not in page
