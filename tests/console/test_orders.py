"""The order list and the order page: found, read, acted upon."""

from urllib.parse import urlencode

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.reports import sql
from config.reports.sql import Row
from tests.console.conftest import AT, House, text_of

LIST_QUERIES = 12
ORDER_QUERIES = 31


def numbers_in(house: House, **query: str) -> str:
    address = f"{reverse('console:orders')}?{urlencode(query)}"
    return house.client("ops_manager").get(address).content.decode()


class TestTheList:
    def test_costs_the_same_for_one_order_and_for_many(
        self, house: House, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        house.order()
        client = house.client("ops_manager")
        with django_assert_max_num_queries(LIST_QUERIES):
            client.get(reverse("console:orders"))
        for _ in range(4):
            house.held()
        with django_assert_max_num_queries(LIST_QUERIES):
            client.get(reverse("console:orders"))

    @pytest.mark.parametrize(
        "what", ["number", "digits", "external_number", "email", "phone", "sku", "work"]
    )
    def test_finds_an_order_by(self, what: str, house: House) -> None:
        order = house.released(sku="LAMP", external_number="#WEB-77")
        other = house.order(sku="MUG")
        wanted = {
            "number": order["number"].lower(),
            "digits": order["number"].removeprefix("SY-"),
            "external_number": "#WEB-77",
            "email": self.email_of(order),
            "phone": "(518) 555-0100",
            "sku": "lamp",
            "work": house.work_of(order)["number"],
        }[what]
        page = numbers_in(house, q=wanted)
        assert order["number"] in page
        if what != "phone":
            assert other["number"] not in page

    def test_opens_on_the_filter_that_a_number_of_the_tower_names(self, house: House) -> None:
        held, free = house.held(), house.order()
        page = numbers_in(house, need="held")
        assert held["number"] in page
        assert free["number"] not in page

    def test_names_the_filter_that_empties_it(self, house: House) -> None:
        house.order()
        page = text_of(
            house.client("ops_manager").get(
                reverse("console:orders"), {"q": "nothing-like-it", "progress": "reserved"}
            )
        )
        assert "No order matches" in page
        assert "Without search: nothing-like-it there are some." in page

    def test_pages_by_key_in_both_directions(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from config.console.views import orders as view

        orders = [house.order() for _ in range(5)]
        kept = view.reports.page
        monkeypatch.setattr(view.reports, "page", lambda *a, **k: kept(*a, **{**k, "size": 2}))
        client = house.client("ops_manager")
        newest = client.get(reverse("console:orders")).content.decode()
        assert orders[4]["number"] in newest
        assert orders[2]["number"] not in newest
        second = client.get(reverse("console:orders"), {"before": str(orders[3]["id"])})
        assert orders[2]["number"] in second.content.decode()
        back = client.get(reverse("console:orders"), {"after": str(orders[2]["id"])})
        assert orders[4]["number"] in back.content.decode()
        assert orders[2]["number"] not in back.content.decode()

    @staticmethod
    def email_of(order: Row) -> str:
        external = sql.row(
            "SELECT external_id FROM orders_order WHERE id = %(id)s", {"id": order["id"]}
        )
        assert external is not None
        return f"ADA{external['external_id'].removeprefix('C-')}@example.com"


class TestTheExport:
    def test_holds_the_filtered_rows(self, house: House) -> None:
        held, free = house.held(), house.order()
        page = house.client("ops_manager").get(reverse("console:orders_export"), {"need": "held"})
        text = b"".join(page.streaming_content).decode()  # type: ignore[arg-type]
        assert held["number"] in text
        assert free["number"] not in text

    def test_makes_formulas_harmless(self, house: House) -> None:
        house.order(external_number="=HYPERLINK(1)")
        page = house.client("ops_manager").get(reverse("console:orders_export"))
        text = b"".join(page.streaming_content).decode()  # type: ignore[arg-type]
        assert "'=HYPERLINK(1)" in text


class TestTheOrderPage:
    def test_costs_a_constant_number_of_statements(
        self, house: House, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        small, large = house.order(), house.released(quantity=7)
        client = house.client("ops_manager")
        for order in (small, large):
            with django_assert_max_num_queries(ORDER_QUERIES):
                client.get(reverse("console:order", args=[order["number"]]))

    def test_says_first_where_the_order_is(self, house: House) -> None:
        order = house.released(quantity=2, sku="LAMP")
        page = text_of(
            house.client("cs_agent").get(reverse("console:order", args=[order["number"]]))
        )
        assert "Both items are with Reno" in page

    def test_says_what_holds_it_and_what_that_stops(self, house: House) -> None:
        order = house.held()
        page = text_of(
            house.client("cs_agent").get(reverse("console:order", args=[order["number"]]))
        )
        assert "On fraud hold since" in page
        assert "Card and address differ." in page
        assert "It stops the release to a node and taking the money." in page

    def test_masks_the_buyer_until_asked_and_remembers_who_asked(self, house: House) -> None:
        order = house.order()
        client = house.client("cs_agent")
        address = reverse("console:order", args=[order["number"]])
        assert "12 Main Street" not in client.get(address).content.decode()
        shown = client.post(reverse("console:order_contact", args=[order["number"]]))
        assert "12 Main Street" in shown.content.decode()
        assert "Contact looked at" in client.get(address).content.decode()

    def test_shows_nobody_to_a_role_that_may_not_see_people(self, house: House) -> None:
        order = house.order()
        client = house.client("integrator")
        page = client.get(reverse("console:order", args=[order["number"]])).content.decode()
        assert "Ada Buyer" not in page
        assert (
            client.post(reverse("console:order_contact", args=[order["number"]])).status_code == 403
        )

    def test_tells_why_an_action_is_not_possible(self, house: House) -> None:
        order = house.held()
        page = text_of(
            house.client("ops_manager").get(reverse("console:order", args=[order["number"]]))
        )
        assert "On hold: fraud. Release the hold first." in page

    def test_explains_the_choice_of_the_node_and_of_no_other(self, house: House) -> None:
        order = house.order(sku="LAMP")
        address = reverse("console:order_why", args=[order["number"], order["groups"][0]["id"]])
        client = house.client("cs_agent")
        assert "Reno DC ships the item" in text_of(client.get(address))
        asked = client.get(address, {"not": house.node("COLUMBUS").code})
        assert "Columbus DC" in asked.context["why_not"]


class TestAnAction:
    def act(
        self, house: House, order: Row, code: str, role: str = "ops_manager", **data: str
    ) -> object:
        address = reverse("console:order_action", args=[order["number"], code])
        return house.client(role).post(address, data)

    def test_holds_the_order(self, house: House) -> None:
        order = house.order()
        self.act(house, order, "hold", type="manual", reason="Buyer called")
        assert [hold["type"] for hold in house.fact(order["id"])["holds"]] == ["manual"]

    def test_releases_the_hold(self, house: House) -> None:
        order = house.held()
        self.act(house, order, "release_hold", reason="Checked by phone")
        assert house.fact(order["id"])["holds"] == []

    def test_cancels_some_units_of_a_line(self, house: House) -> None:
        order = house.order(quantity=3)
        line = sql.row(
            "SELECT id FROM orders_orderline WHERE order_id = %(id)s", {"id": order["id"]}
        )
        assert line is not None
        self.act(
            house, order, "cancel", line=str(line["id"]), quantity="2", initiator="buyer",
            reason="Changed her mind",
        )  # fmt: skip
        assert house.fact(order["id"])["cancelled"] == 2

    def test_sends_it_from_another_node(self, house: House) -> None:
        order = house.order()
        columbus = house.network.nodes["COLUMBUS"]
        group = str(order["groups"][0]["id"])
        self.act(house, order, "reroute", node=str(columbus), group=group)
        found = sql.rows(
            "SELECT node_id FROM inventory_reservation WHERE thread_id = %(id)s "
            "AND state = 'reserved'",
            {"id": order["id"]},
        )
        assert [each["node_id"] for each in found] == [columbus]

    def test_shows_cost_and_promise_beside_each_node(self, house: House) -> None:
        order = house.order()
        address = reverse("console:order_action", args=[order["number"], "reroute"])
        page = text_of(house.client("ops_manager").get(address))
        assert "Best now" in page
        assert house.node("COLUMBUS").name in page

    def test_releases_it_to_its_node(self, house: House) -> None:
        order = house.order()
        self.act(house, order, "release")
        assert house.work_of(order)["state"] == "released"

    def test_asks_again_for_money_that_was_refused(self, house: House) -> None:
        order = house.refused()
        self.act(house, order, "retry_capture")
        assert house.captures(order) == ["failed", "requested"]

    def test_asks_for_no_money_that_nobody_refused(self, house: House) -> None:
        page = self.act(house, house.order(), "retry_capture")
        assert page.status_code == 409  # type: ignore[attr-defined]
        assert "No payment was refused that could be asked for again." in text_of(page)  # type: ignore[arg-type]

    def test_keeps_a_note_sealed_and_shows_it(self, house: House) -> None:
        order = house.order()
        self.act(house, order, "note", role="cs_agent", text="Ring the bell twice")
        page = house.client("cs_agent").get(reverse("console:order", args=[order["number"]]))
        assert "Ring the bell twice" in page.content.decode()

    def test_corrects_the_address_and_ends_its_hold(self, house: House) -> None:
        order = house.order()
        group = order["groups"][0]["id"]
        form = {
            "group": str(group), "name": "Ada Buyer", "line1": "99 New Street", "city": "Albany",
            "region": "NY", "postal_code": "12207", "country": "us",
        }  # fmt: skip
        address = reverse("console:order_address", args=[order["number"], group])
        response = house.client("cs_agent").post(address, form)
        assert response.status_code == 302, text_of(response)
        shown = house.client("cs_agent").post(
            reverse("console:order_contact", args=[order["number"]])
        )
        assert "99 New Street" in shown.content.decode()

    def test_that_is_refused_says_that_nothing_was_changed(self, house: House) -> None:
        order = house.held()
        page = self.act(house, order, "release")
        assert page.status_code == 409  # type: ignore[attr-defined]
        assert "Nothing was changed." in text_of(page)  # type: ignore[arg-type]

    def test_with_a_wrong_field_keeps_what_was_typed(self, house: House) -> None:
        order = house.order()
        page = self.act(house, order, "hold", type="manual", reason="", until="2026-03-09T10:00")
        assert page.status_code == 422  # type: ignore[attr-defined]
        assert "2026-03-09T10:00" in page.content.decode()  # type: ignore[attr-defined]

    def test_sent_twice_acts_once(self, house: House) -> None:
        order = house.order()
        token = "0198-one-token"  # a form's token
        address = reverse("console:order_action", args=[order["number"], "note"])
        client = house.client("cs_agent")
        for _ in range(2):
            response = client.post(address, {"text": "Called twice?", "once": token})
            assert response.status_code == 302
        found = sql.rows(
            "SELECT id FROM orders_ordernote WHERE order_id = %(id)s", {"id": order["id"]}
        )
        assert len(found) == 1

    def test_refused_once_may_be_sent_again_with_the_same_token(self, house: House) -> None:
        order = house.order()
        address = reverse("console:order_action", args=[order["number"], "note"])
        client = house.client("cs_agent")
        assert client.post(address, {"text": "", "once": "again"}).status_code == 422
        assert client.post(address, {"text": "Now with words", "once": "again"}).status_code == 302


class TestManyOrders:
    def bulk(self, house: House, verb: str, orders: list[Row], **data: str) -> dict[str, object]:
        return {"verb": verb, "id": [str(each["id"]) for each in orders], **data}

    def test_are_previewed_with_those_left_out_and_why(self, house: House) -> None:
        held, free = house.held(), house.order()
        page = house.client("ops_manager").get(
            reverse("console:bulk"), self.bulk(house, "release_hold", [held, free])
        )
        words = text_of(page)
        assert "1 order will change, 1 cannot." in words
        assert "Nothing holds it." in words

    def test_are_changed_at_once_when_few_with_a_result_each(self, house: House) -> None:
        orders = [house.held(), house.held(), house.order()]
        page = house.client("ops_manager").post(
            reverse("console:bulk"),
            self.bulk(house, "release_hold", orders, reason="All checked", once="bulk-1"),
            follow=True,
        )
        assert "2 done" in text_of(page)
        assert [house.fact(each["id"])["holds"] for each in orders] == [[], [], []]

    def test_are_asked_again_for_their_money(self, house: House) -> None:
        refused, paid = [house.refused(), house.refused()], house.order()
        page = house.client("ops_manager").post(
            reverse("console:bulk"),
            self.bulk(house, "retry_capture", [*refused, paid], once="bulk-pay"),
            follow=True,
        )
        assert "2 done" in text_of(page)
        assert [house.captures(each) for each in refused] == [["failed", "requested"]] * 2
        assert house.captures(paid) == []

    def test_become_a_job_when_more_than_fifty(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from config.console import verbs
        from config.console.views import bulk as view

        rung: list[object] = []
        monkeypatch.setattr(verbs, "INLINE_LIMIT", 1)
        monkeypatch.setattr(view, "ring_job", rung.append)
        orders = [house.order(), house.order()]
        house.client("ops_manager").post(
            reverse("console:bulk"),
            self.bulk(house, "hold", orders, type="review", reason="Recount"),
        )
        found = sql.row("SELECT id, state, total FROM kernel_job ORDER BY id DESC LIMIT 1", {})
        assert found is not None
        assert (found["state"], found["total"], rung) == ("queued", 2, [found["id"]])

    def test_are_all_that_match_when_so_asked(self, house: House) -> None:
        held, free = [house.held(), house.held()], house.order()
        house.client("ops_manager").post(
            reverse("console:bulk"),
            {"verb": "release_hold", "all": "1", "need": "held", "reason": "All checked"},
        )
        assert all(not house.fact(each["id"])["holds"] for each in held)
        assert house.fact(free["id"])["progress"] == "reserved"

    def test_beyond_a_thousand_are_refused(
        self, house: House, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from config.console import verbs

        monkeypatch.setattr(verbs, "JOB_LIMIT", 1)
        house.held()
        house.held()
        page = house.client("ops_manager").get(
            reverse("console:bulk"), {"verb": "release_hold", "all": "1", "need": "held"}
        )
        assert page.status_code == 422
        assert "Narrow the filters" in text_of(page)

    def test_selected_twice_by_a_double_click_are_changed_once(self, house: House) -> None:
        orders = [house.order()]
        client = house.client("ops_manager")
        sent = self.bulk(house, "note", orders, text="Once", once="double")
        first = client.post(reverse("console:bulk"), sent)
        second = client.post(reverse("console:bulk"), sent)
        assert first.headers["Location"] == second.headers["Location"]
        found = sql.rows(
            "SELECT id FROM orders_ordernote WHERE order_id = %(id)s", {"id": orders[0]["id"]}
        )
        assert len(found) == 1


def test_business_time_stands_on_the_page(house: House) -> None:
    page = house.client("ops_manager").get(reverse("console:orders")).content.decode()
    assert f"{AT:%Y-%m-%d}T17:05" in page
