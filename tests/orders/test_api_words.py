"""How the orders API says what is wrong, what is allowed, and what belongs to an order."""

from typing import Any

import pytest
from django.test import Client

from config.kernel.types import ALL_ACCOUNTS
from orders.models import OrderNote
from orders.services import place_holds
from orders.types import HoldRequest
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, card, line, order_of
from tests.orders.test_api import URL, body, client_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]
WHOLE = {"type", "title", "status", "code", "detail"}


class TestErrors:
    def test_name_channel_shape_and_groups_in_one_round(self, web: Shop) -> None:
        answer = client_of(web).post(URL, {"channel": "nowhere"}, format="json")

        pointers = {error["pointer"] for error in answer.json()["errors"]}
        assert pointers == {"/channel", "/external_id", "/groups"}
        assert answer.json()["detail"] == "The order has 3 errors."

    def test_are_whole_problems_in_a_bulk(self, web: Shop) -> None:
        orders = ["nothing", body(web.sku(5), channel="nowhere")]

        answer = client_of(web).post(f"{URL}/bulk", {"orders": orders}, format="json")

        problems = [item["problem"] for item in answer.data["results"]]
        assert all(set(problem) >= WHOLE for problem in problems)
        assert problems[1]["errors"][0]["pointer"] == "/orders/1/channel"

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("state=bogus", "?state"),
            ("placed_from=yesterday", "?placed_from"),
            ("value_from_minor=x", "?value_from_minor"),
            ("stat=accepted", "?stat"),
            ("late=perhaps", "?late"),
        ],
    )
    def test_point_into_the_query(self, web: Shop, query: str, pointer: str) -> None:
        answer = client_of(web).get(f"{URL}?{query}")

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]

    def test_have_one_status_for_a_body_that_is_wrong(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))

        answer = client_of(web).post(f"{URL}/{order.id}/hold", {}, format="json")

        assert (answer.status_code, answer.json()["status"]) == (422, 422)

    @pytest.mark.urls("config.urls")
    @pytest.mark.parametrize("path", ["/api/v1/nope", "/api/v1/orders/xyz/decisions", "/api/nope"])
    def test_are_problems_also_where_there_is_nothing(self, path: str) -> None:
        client = Client(enforce_csrf_checks=True)

        for answer in (client.get(path), client.post(path)):
            assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


class TestConflicts:
    def test_tell_what_is_allowed(self, web: Shop) -> None:
        order, client = web.accepted(line(web.sku(5))), client_of(web)
        client.post(f"{URL}/{order.id}/cancel", {}, format="json")

        for verb, sent in (("cancel", {}), ("hold", {"reason": "x"}), ("release-hold", {})):
            answer = client.post(f"{URL}/{order.id}/{verb}", sent, format="json")
            assert (answer.status_code, answer.json()["allowed"]) == (409, ["notes"])

    def test_are_answered_when_every_hold_was_refused(self, web: Shop) -> None:
        order, client = web.accepted(line(web.sku(5))), client_of(web)
        placed = client.post(f"{URL}/{order.id}/hold", {"reason": "look"}, format="json").data
        client.post(f"{URL}/{order.id}/release-hold", {}, format="json")

        named = {"hold_ids": [placed["id"]]}
        answer = client.post(f"{URL}/{order.id}/release-hold", named, format="json")

        assert answer.status_code == 409

    def test_name_the_line_in_the_items_of_a_cancel(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)), line(web.sku(5)))
        first, second = (str(one.pk) for one in order.lines.order_by("position"))
        lines = [{"line_id": first, "quantity": 1}, {"line_id": second, "quantity": 9}]

        answer = client_of(web).post(f"{URL}/{order.id}/cancel", {"lines": lines}, format="json")

        done, refused = answer.data["results"]
        assert (done["line_id"], done["outcome"]) == (first, "done")
        assert (refused["line_id"], set(refused["problem"]) >= WHOLE) == (second, True)


class TestIfMatch:
    def test_lets_the_version_that_was_read_pass_once(self, web: Shop) -> None:
        order, client = web.accepted(line(web.sku(5), 3)), client_of(web)
        etag = client.get(f"{URL}/{order.id}").headers["ETag"]
        one = {"lines": [{"line_id": str(order.lines.get().id), "quantity": 1}]}

        statuses = [
            client.post(f"{URL}/{order.id}/cancel", one, format="json", HTTP_IF_MATCH=etag)
            for _ in range(2)
        ]

        assert [answer.status_code for answer in statuses] == [200, 412]
        assert order.lines.get().cancelled == 1

    def test_reads_the_version_under_the_lock(
        self, web: Shop, django_assert_max_num_queries: Any
    ) -> None:
        order, client = web.accepted(line(web.sku(5))), client_of(web)
        etag = client.get(f"{URL}/{order.id}").headers["ETag"]

        with django_assert_max_num_queries(100) as queries:
            client.post(
                f"{URL}/{order.id}/hold", {"reason": "x"}, format="json", HTTP_IF_MATCH=etag
            )

        asked = [query["sql"] for query in queries if 'FROM "orders_order"' in query["sql"]]
        assert "FOR UPDATE" in asked[0]


class TestOrderPage:
    def test_shows_tenders_promises_and_work(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)), tenders=(card(1000),))

        answer = client_of(web).get(f"{URL}/{order.id}").data

        assert [tender["amount_minor"] for tender in answer["tenders"]] == [1000]
        assert [promise["version"] for promise in answer["promises"]] == [1]
        assert answer["fulfillment_orders"] == []


class TestChanges:
    def test_correct_an_address(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))
        sent = {
            "group_id": str(order.groups.get().pk),
            "address": {
                "name": "Ada",
                "line1": "2 Elm Street",
                "city": "Albany",
                "region": "NY",
                "postal_code": "12207",
                "country": "US",
            },
        }

        answer = client_of(web).post(f"{URL}/{order.id}/correct-address", sent, format="json")

        assert (answer.status_code, answer.data["outcome"]) == (200, "done")
        assert order.groups.get().postal_code == "12207"

    def test_pin_a_node_and_let_it_go(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))
        sent = {"group_id": str(order.groups.get().pk), "node": web.node.code}
        path = f"{URL}/{order.id}/pin"

        assert client_of(web).post(path, sent, format="json").status_code == 200
        assert order.groups.get().pinned_node_id == web.node.pk
        client_of(web).post(path, {**sent, "node": None}, format="json")
        assert order.groups.get().pinned_node_id is None

    def test_refuse_a_group_of_another_order(self, web: Shop) -> None:
        order, other = web.accepted(line(web.sku(5))), web.accepted(line(web.sku(5)))
        sent = {"group_id": str(other.groups.get().pk), "node": None}

        answer = client_of(web).post(f"{URL}/{order.id}/pin", sent, format="json")

        assert answer.status_code == 404

    def test_keep_a_note(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))

        answer = client_of(web).post(f"{URL}/{order.id}/notes", {"text": "call"}, format="json")

        assert answer.status_code == 200
        assert OrderNote.objects.for_scope(ALL_ACCOUNTS).get().order_id == order.pk


def test_a_held_order_says_that_it_may_be_released(web: Shop) -> None:
    order = web.accepted(line(web.sku(5)))
    place_holds([HoldRequest(order.id, "manual", "x")], at=NOON, actor=ANNA)

    answer = client_of(web).post(f"{URL}/{order.id}/retry-capture", {}, format="json")

    assert "release-hold" in answer.json()["allowed"]
    assert order_of(order.id).holds_open == 1
