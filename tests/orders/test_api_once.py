"""A repeated request has one effect, also when the process died between effect and answer."""

from typing import Any

import pytest
from django.db import connection
from rest_framework.test import APIClient

from config.kernel import idempotency
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Authorization, Hold, Order
from tests.factories.orders import Shop, card, line, order_of
from tests.orders.test_api import URL, as_role, body, client_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]


def dying(client: APIClient, path: str, sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send with a process that dies when it would keep its answer; its lease lapses."""
    client.raise_request_exception = False
    with monkeypatch.context() as death:
        death.setattr(idempotency, "finish_all", lambda _: 1 / 0)
        death.setattr(idempotency, "give_up_all", lambda _: None)
        answer = client.post(path, sent, format="json", HTTP_IDEMPOTENCY_KEY="k")
    assert answer.status_code == 500
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_idempotencykey SET lease_until = clock_timestamp()")


def again(client: APIClient, path: str, sent: Any) -> Any:
    return client.post(path, sent, format="json", HTTP_IDEMPOTENCY_KEY="k")


class TestOrdersSent:
    def test_are_made_once_and_answered_as_new(
        self, web: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client, sent = client_of(web), body(web.sku(5))
        dying(client, URL, sent, monkeypatch)
        order = Order.objects.for_scope(ALL_ACCOUNTS).get()

        answer = again(client, URL, sent)

        assert (answer.status_code, answer.data["id"]) == (201, str(order.pk))
        assert (answer.data["repeated"], answer.data["reserved"]) == (False, 1)
        assert answer.data["ship_by"] is not None
        assert Order.objects.for_scope(ALL_ACCOUNTS).count() == 1
        assert again(client, URL, sent).headers["Idempotent-Replayed"] == "true"

    def test_in_bulk_are_made_once_and_answered_as_new(
        self, web: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client, sku = client_of(web), web.sku(5)
        client.post(URL, body(sku, external_id="before"), format="json")
        names = ("before", "W-1", "W-2")
        sent = {"orders": [body(sku, external_id=name) for name in names]}
        dying(client, f"{URL}/bulk", sent, monkeypatch)

        answer = again(client, f"{URL}/bulk", sent)

        outcomes = [item["outcome"] for item in answer.data["results"]]
        assert outcomes == ["repeated", "done", "done"]
        assert [item["order"]["reserved"] for item in answer.data["results"]] == [1, 1, 1]

    def test_that_others_sent_before_are_repeats(
        self, web: Shop, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        client, sent = client_of(web), body(web.sku(5))
        client.post(URL, sent, format="json")
        dying(client, URL, sent, monkeypatch)

        answer = again(client, URL, sent)

        assert (answer.status_code, answer.data["repeated"]) == (200, True)


class TestVerbs:
    def test_cancel_the_units_once(self, web: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        order, client = web.accepted(line(web.sku(5), 3)), client_of(web)
        one = {"lines": [{"line_id": str(order.lines.get().id), "quantity": 1}]}
        dying(client, f"{URL}/{order.id}/cancel", one, monkeypatch)

        first, second = (again(client, f"{URL}/{order.id}/cancel", one) for _ in range(2))

        assert order.lines.get().cancelled == 1
        assert (second.status_code, second.content) == (first.status_code, first.content)

    def test_place_the_hold_once(self, web: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        order, client = web.accepted(line(web.sku(5))), client_of(web)
        dying(client, f"{URL}/{order.id}/hold", {"reason": "look"}, monkeypatch)

        first, second = (
            again(client, f"{URL}/{order.id}/hold", {"reason": "look"}) for _ in range(2)
        )

        assert (first.status_code, second.content) == (201, first.content)
        assert Hold.objects.for_scope(ALL_ACCOUNTS).get().order_id == order.id

    def test_lift_the_hold_once(self, web: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        order, client = web.accepted(line(web.sku(5))), client_of(web)
        client.post(f"{URL}/{order.id}/hold", {"reason": "look"}, format="json")
        dying(client, f"{URL}/{order.id}/release-hold", {}, monkeypatch)

        answer = again(client, f"{URL}/{order.id}/release-hold", {})

        assert [item["outcome"] for item in answer.data["results"]] == ["done"]
        assert order_of(order.id).holds_open == 0

    def test_note_the_authorization_once(self, web: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        order = web.accepted(line(web.sku(5)), tenders=(card(1000, reference=""),))
        client, sent = as_role(web, "ops_manager"), {"reference": "a-7", "amount_minor": 1000}
        dying(client, f"{URL}/{order.id}/authorizations", sent, monkeypatch)

        answer = again(client, f"{URL}/{order.id}/authorizations", sent)

        assert (answer.status_code, answer.data["outcome"]) == (200, "done")
        assert Authorization.objects.for_scope(ALL_ACCOUNTS).get().reference == "a-7"


def test_a_repeat_without_a_key_is_told_what_stands(web: Shop) -> None:
    client, sent = client_of(web), body(web.sku(5))
    first = client.post(URL, sent, format="json").data

    repeat = client.post(URL, sent, format="json").data

    assert repeat == {**first, "repeated": True}
