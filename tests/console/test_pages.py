"""Every other page: what it says, what it costs, and what it does when there is nothing."""

import pytest
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from config.reports import sql
from tests.console.conftest import House, text_of

# Statements per page, whatever lies in the tables; signing in and the frame cost five of them.
COSTS = {
    "tower": 11,
    "cases": 9,
    "stock": 9,
    "nodes": 9,
    "feeds": 7,
    "decisions": 10,
    "jobs": 7,
    "inbox": 8,
    "outbox": 8,
    "deliveries": 7,
    "webhooks": 7,
    "channels": 10,
    "carriers": 9,
    "promises": 12,
    "returns": 8,
    "health": 14,
    "palette": 7,
}


def read(house: House, name: str, role: str = "ops_manager", **query: str) -> str:
    response = house.client(role).get(reverse(f"console:{name}"), query)
    assert response.status_code == 200, response.status_code
    return text_of(response)


class TestAPage:
    @pytest.mark.parametrize("name", sorted(COSTS))
    def test_costs_a_constant_number_of_statements(
        self, name: str, house: House, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        client = house.client("ops_manager")
        for _ in range(2):
            house.case(house.held())
            with django_assert_max_num_queries(COSTS[name]):
                client.get(reverse(f"console:{name}"))

    @pytest.mark.parametrize("name", sorted(set(COSTS) - {"palette"}))
    def test_says_what_to_do_next_when_it_is_empty(self, name: str, house: House) -> None:
        page = house.client("ops_manager").get(reverse(f"console:{name}")).content.decode()
        assert 'class="empty"' in page or name in {"stock", "nodes", "health"}

    def test_lets_only_its_own_scripts_and_styles_in(self, house: House) -> None:
        response = house.client("ops_manager").get(reverse("console:orders"))
        policy = response.headers["Content-Security-Policy"]
        assert "script-src 'self';" in f"{policy};"
        assert "style-src 'self';" in f"{policy};"
        assert "unsafe" not in policy

    def test_is_never_kept_by_a_cache(self, house: House) -> None:
        response = house.client("ops_manager").get(reverse("console:orders"))
        assert response.headers["Cache-Control"] == "no-store, private"

    def test_that_is_refused_names_the_permission_and_who_has_it(self, house: House) -> None:
        response = house.client("node_operator").get(reverse("console:health"))
        assert "Operations manager" in text_of(response)

    def test_keeps_the_colours_that_were_chosen(self, house: House) -> None:
        client = house.client("ops_manager")
        client.post(reverse("console:settings"), {"theme": "dark", "next": "/console/orders/"})
        assert 'data-theme="dark"' in client.get(reverse("console:orders")).content.decode()


class TestTheTower:
    def test_counts_agree_with_their_lists(self, house: House) -> None:
        house.held()
        house.held()
        house.order()
        client = house.client("ops_manager")
        tiles = client.get(reverse("console:tower")).context["tiles"]
        for need in ("held", "miss", "stuck"):
            listed = client.get(reverse("console:orders"), {"need": need}).context["matching"]
            assert listed == tiles[need]

    def test_flow_agrees_with_its_lists(self, house: House) -> None:
        house.released()
        house.order()
        client = house.client("ops_manager")
        for step in client.get(reverse("console:tower")).context["flow"]:
            listed = client.get(reverse("console:orders"), {"step": step["step"]})
            assert listed.context["matching"] == step["n"], step["step"]

    def test_of_an_operator_is_the_list_of_nodes(self, house: House) -> None:
        response = house.client("node_operator").get(reverse("console:home"))
        assert response.headers["Location"] in {
            reverse("console:cases"), reverse("console:stock"), reverse("console:nodes"),
        }  # fmt: skip


class TestACase:
    def test_is_worked_on_to_its_end(self, house: House) -> None:
        number = house.case(house.order())
        client = house.client("cs_agent")
        for code, data in (
            ("acknowledge", {}),
            ("mine", {}),
            ("take_up", {}),
            ("wait", {"until": "2026-03-04T09:00", "reason": "Buyer will call"}),
            ("resolve", {"resolution": "Carrier sent it back"}),
        ):
            response = client.post(reverse("console:case_action", args=[number, code]), data)
            assert response.status_code == 302, text_of(response)
        page = text_of(client.get(reverse("console:case", args=[number])))
        assert "Carrier sent it back" in page

    def test_is_resolved_with_all_of_its_cause(self, house: House) -> None:
        numbers = [house.case(house.order()) for _ in range(3)]
        other = house.case(house.order(), cause="another cause")
        address = reverse("console:case_action", args=[numbers[0], "resolve"])
        house.client("cs_agent").post(address, {"every": "1", "resolution": "Carrier is back"})
        states = sql.rows(
            "SELECT number, state FROM kernel_case WHERE number = ANY(%(numbers)s)",
            {"numbers": [*numbers, other]},
        )
        assert {each["number"] for each in states if each["state"] == "resolved"} == set(numbers)

    def test_clusters_orders_by_cause_and_fixes_them_together(self, house: House) -> None:
        orders = [house.order() for _ in range(2)]
        numbers = [house.case(order) for order in orders]
        assert "2 × " in read(house, "cases")
        response = house.client("ops_manager").post(
            reverse("console:cluster_fix", args=[numbers[0], "hold"]),
            {"type": "manual", "reason": "Until the carrier answers"},
            follow=True,
        )
        assert "2 done" in text_of(response)
        assert all(house.fact(order["id"])["holds"] for order in orders)

    def test_of_refused_money_offers_to_ask_again(self, house: House) -> None:
        order = house.refused()
        client = house.client("ops_manager")
        address = reverse("console:case", args=[house.folded(order)])
        assert "Try the payment again…" in text_of(client.get(address))
        client.post(reverse("console:order_action", args=[order["number"], "retry_capture"]))
        page = text_of(client.get(address))
        assert (
            "Try the payment again: No payment was refused that could be asked for again." in page
        )

    def test_of_another_kind_says_nothing_of_the_payment(self, house: House) -> None:
        number = house.case(house.refused())
        page = text_of(house.client("ops_manager").get(reverse("console:case", args=[number])))
        assert "Try the payment again" not in page

    def test_of_refused_money_asks_again_for_all_of_its_cause(self, house: House) -> None:
        refused = [house.refused(), house.refused()]
        number = house.folded(refused[0])
        response = house.client("ops_manager").post(
            reverse("console:cluster_fix", args=[number, "retry_capture"]), follow=True
        )
        assert "2 done" in text_of(response)
        assert [house.captures(each) for each in refused] == [["failed", "requested"]] * 2

    def test_that_has_ended_offers_only_to_open_it_again(self, house: House) -> None:
        number = house.case(house.order())
        client = house.client("cs_agent")
        address = reverse("console:case_action", args=[number, "resolve"])
        client.post(address, {"resolution": "Solved"})
        page = text_of(client.get(reverse("console:case", args=[number])))
        assert "Open again…" in page
        assert "Take up…" not in page


class TestStock:
    def test_says_in_words_what_can_be_promised(self, house: House) -> None:
        house.order(quantity=5)
        address = reverse("console:sku", args=[house.network.skus["MUG"]])
        page = text_of(house.client("ops_manager").get(address))
        assert "85 can be promised now." in page

    def test_shows_who_holds_it(self, house: House) -> None:
        order = house.order()
        address = reverse("console:sku", args=[house.network.skus["MUG"]])
        page = house.client("ops_manager").get(address, {"tab": "holders"}).content.decode()
        assert order["number"] in page

    def test_is_adjusted_once_by_a_form_sent_twice(self, house: House) -> None:
        sku = house.network.skus["LAMP"]
        client = house.client("ops_manager")
        form = {
            "node": house.node("RENO").code, "quantity": "-1", "condition": "available",
            "reason": "damage", "note": "Broken", "once": "adjust-1",
        }  # fmt: skip
        for _ in range(2):
            client.post(reverse("console:sku_adjust", args=[sku]), form)
        page = text_of(client.get(reverse("console:sku", args=[sku])))
        assert "1 can be promised now." in page
        ledger = client.get(reverse("console:sku", args=[sku]), {"tab": "ledger"})
        assert "Broken" in ledger.content.decode()


class TestThePalette:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("lamp", "LAMP"),
            ("reno", "Reno"),
            ("> on hold", "Orders on hold"),
            ("decis", "Decisions"),
        ],
    )
    def test_finds(self, text: str, found: str, house: House) -> None:
        assert found in read(house, "palette", q=text)

    def test_finds_an_order_by_its_number(self, house: House) -> None:
        order = house.order()
        assert order["number"] in read(house, "palette", q=f"#{order['number']}")

    def test_offers_no_place_that_the_role_may_not_enter(self, house: House) -> None:
        assert "Health" not in read(house, "palette", role="node_operator", q="health").replace(
            "Nothing found", ""
        )
