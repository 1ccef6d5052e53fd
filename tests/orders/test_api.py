"""The orders API as a channel meets it."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.kernel.models import Event, Intent
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import ALL_ACCOUNTS
from orders.models import Order, Refund
from orders.services import cancel_units, place_holds
from orders.services.settle import record_refund
from orders.types import CancelRequest, HoldRequest, Party
from tests.factories.kernel import NOON, ApiKeyFactory, GrantFactory, RoleFactory, UserFactory
from tests.factories.orders import ANNA, HOME, Shop, card, line, order_of, shop

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]
URL = "/api/v1/orders"


def client_of(shop: Shop, *scopes: str) -> APIClient:
    key = ApiKeyFactory(
        account=shop.account,
        channel=shop.channel,
        scopes=list(scopes or ["api.orders.write", "api.orders.read"]),
    )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key.secret}")
    return client


def as_role(shop: Shop, code: str) -> APIClient:
    user = UserFactory()
    GrantFactory(user=user, account=shop.account, role=RoleFactory(code=code))
    client = APIClient()
    client.force_login(user)
    return client


def looks_at(order: Order) -> list[Event]:
    events = Event.objects.for_scope(ALL_ACCOUNTS)
    return list(events.filter(thread_id=order.pk, topic="contact.revealed"))


def body(*skus: Any, external_id: str = "W-1", **details: Any) -> dict[str, Any]:
    address = {name: getattr(HOME, name) for name in HOME.__dataclass_fields__}
    lines = [
        {
            "external_id": str(number),
            "sku_code": sku if isinstance(sku, str) else sku.code,
            "quantity": 1,
            "unit_price": "10.00",
        }
        for number, sku in enumerate(skus)
    ]
    return {
        "external_id": external_id,
        "customer": {"name": "Ada", "email": f"{external_id}@example.com"},
        "groups": [{"address": address, "lines": lines}],
        **details,
    }


class TestPostOrder:
    def test_answers_with_the_promise(self, web: Shop) -> None:
        answer = client_of(web).post(URL, body(web.sku(5)), format="json")

        assert answer.status_code == 201
        assert (answer.data["state"], answer.data["progress"]) == ("accepted", "reserved")
        assert answer.data["ship_by"] is not None

    def test_answers_a_repeat_with_the_first(self, web: Shop) -> None:
        client, sent = client_of(web), body(web.sku(5))
        first = client.post(URL, sent, format="json")

        again = client.post(URL, sent, format="json")

        assert (again.status_code, again.data["id"]) == (200, first.data["id"])

    def test_replays_the_stored_answer_of_an_idempotency_key(self, web: Shop) -> None:
        client, sent = client_of(web), body(web.sku(5))
        first = client.post(URL, sent, format="json", HTTP_IDEMPOTENCY_KEY="k-1")

        again = client.post(URL, sent, format="json", HTTP_IDEMPOTENCY_KEY="k-1")

        assert again.headers["Idempotent-Replayed"] == "true"
        assert (again.status_code, again.json()["id"]) == (201, first.data["id"])

    def test_says_everything_that_is_wrong_at_once(self, web: Shop) -> None:
        sent = body(web.sku(5), currency=7, placed_at="yesterday")
        sent["groups"][0]["lines"][0]["unit_price"] = "much"

        answer = client_of(web).post(URL, sent, format="json")

        assert answer.status_code == 422
        assert [error["pointer"] for error in answer.json()["errors"]] == [
            "/currency",
            "/placed_at",
            "/groups/0/lines/0/unit_price",
        ]
        assert not Order.objects.for_scope(ALL_ACCOUNTS).exists()

    @pytest.mark.parametrize("sent", [[], "order", {"external_id": 1}, {"groups": 3}, None])
    def test_refuses_what_is_no_order(self, web: Shop, sent: Any) -> None:
        answer = client_of(web).post(URL, sent, format="json")

        assert answer.status_code == 422

    def test_needs_the_scope_to_send(self, web: Shop) -> None:
        answer = client_of(web, "api.orders.read").post(URL, body(web.sku(5)), format="json")

        assert answer.status_code == 403

    def test_takes_at_most_thirty_statements(self, web: Shop) -> None:
        skus = [web.sku(5) for _ in range(3)]
        client = client_of(web)
        client.post(URL, body(*skus, external_id="warm"), format="json")
        sent = body(*skus)

        with CaptureQueriesContext(connection) as context:
            answer = client.post(URL, sent, format="json", HTTP_IDEMPOTENCY_KEY="k-1")

        assert answer.status_code == 201
        assert len(context.captured_queries) <= 30, [q["sql"][:80] for q in context]


class TestBulk:
    def test_answers_each_order_for_itself(self, web: Shop) -> None:
        sku = web.sku(50)
        wrong = body(sku, external_id="W-2")
        wrong["groups"][0]["lines"][0]["quantity"] = "two"
        sent = [body(sku), wrong, body(sku, external_id="W-3"), body(sku), "nothing"]

        answer = client_of(web).post(f"{URL}/bulk", {"orders": sent}, format="json")

        outcomes = [item["outcome"] for item in answer.data["results"]]
        assert outcomes == ["done", "refused", "done", "repeated", "refused"]
        pointers = answer.data["results"][1]["problem"]["errors"]
        assert pointers[0]["pointer"] == "/orders/1/groups/0/lines/0/quantity"

    def test_takes_the_same_statements_for_two_and_for_fifty(self, web: Shop) -> None:
        skus, client = [web.sku(500) for _ in range(3)], client_of(web)
        client.post(URL, body(*skus, external_id="warm"), format="json")
        counts = []
        for size in (2, 50):
            sent = [body(*skus, external_id=f"{size}-{number}") for number in range(size)]
            with CaptureQueriesContext(connection) as context:
                answer = client.post(f"{URL}/bulk", {"orders": sent}, format="json")
            assert {item["outcome"] for item in answer.data["results"]} == {"done"}
            counts.append(len(context.captured_queries))

        assert counts[0] == counts[1]

    def test_refuses_more_than_a_thousand(self, web: Shop) -> None:
        answer = client_of(web).post(f"{URL}/bulk", {"orders": [{}] * 1001}, format="json")

        assert answer.status_code == 422


class TestGetOrders:
    def test_shows_only_the_orders_of_the_account(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))
        stranger = shop()

        assert client_of(stranger).get(URL).data["results"] == []
        assert client_of(stranger).get(f"{URL}/{order.id}").status_code == 404
        (row,) = client_of(web).get(URL).data["results"]
        assert row["number"] == order.number

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ("state=accepted", 1),
            ("state=closed", 0),
            ("hold_type=fraud", 0),
            ("q=nobody@example.com", 0),
            ("q=ada-search@example.com", 1),
            ("value_from_minor=1001", 0),
            ("late=true", 1),
            ("channel=none", 0),
            ("tag=vip", 1),
        ],
    )
    def test_narrows_by_filters_and_search(self, web: Shop, query: str, found: int) -> None:
        web.accepted(
            line(web.sku(5)), customer=Party(email="ada-search@example.com"), tags=("vip",)
        )

        assert len(client_of(web).get(f"{URL}?{query}").data["results"]) == found

    def test_pages_by_key_in_a_constant_number_of_statements(self, web: Shop) -> None:
        sku, client = web.sku(50), client_of(web)
        for _ in range(5):
            web.captured(line(sku))
        client.get(URL)

        with CaptureQueriesContext(connection) as context:
            first = client.get(f"{URL}?limit=2").data
        second = client.get(first["next"]).data

        ids = [row["id"] for row in first["results"] + second["results"]]
        assert ids == sorted(ids, reverse=True)
        assert len(set(ids)) == 4
        assert len(context.captured_queries) <= 2

    def test_shows_one_order_whole_with_its_version(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)), line(web.sku(5)))
        client = client_of(web)
        client.get(URL)

        with CaptureQueriesContext(connection) as context:
            answer = client.get(f"{URL}/{order.id}")

        assert len(context.captured_queries) <= 14
        assert answer.headers["ETag"] == f'"{order.event_seq}"'
        assert len(answer.data["groups"][0]["lines"]) == 2
        again = client.get(f"{URL}/{order.id}", HTTP_IF_NONE_MATCH=answer.headers["ETag"])
        assert again.status_code == 304


class TestContacts:
    def test_are_masked_also_for_a_role_that_may_see_them(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))

        answer = as_role(web, "cs_agent").get(f"{URL}/{order.id}")

        assert answer.data["contacts"] == "masked"
        assert answer.data["customer"]["name"] == "A•• B••••"
        assert HOME.line1 not in answer.content.decode()
        assert answer.data["groups"][0]["address"]["postal_code"] == HOME.postal_code
        assert not looks_at(order)

    def test_are_shown_to_who_asks_and_the_look_is_recorded(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))

        answer = as_role(web, "cs_agent").get(f"{URL}/{order.id}?contacts=shown")

        assert answer.data["customer"]["name"] == "Ada Buyer"
        assert answer.data["groups"][0]["address"]["line1"] == HOME.line1
        looks = looks_at(order)
        assert {look.data["place"] for look in looks} == {"api"}
        assert len(looks) == 2  # the buyer, and where it goes

    def test_stay_masked_for_who_may_not_see_them(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))

        answer = as_role(web, "auditor").get(f"{URL}/{order.id}?contacts=shown")

        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")
        assert not looks_at(order)


class TestUpdatedSince:
    def test_finds_what_changed_since_the_least_recent_first(self, web: Shop) -> None:
        sku = web.sku(50)
        orders = [web.captured(line(sku)) for _ in range(3)]
        for number in (2, 0):
            later = NOON + timedelta(hours=3 - number)
            place_holds([HoldRequest(orders[number].id, "manual", "x")], at=later, actor=ANNA)
        client = client_of(web)

        since = (NOON + timedelta(minutes=1)).isoformat().replace("+00:00", "Z")
        first = client.get(f"{URL}?updated_since={since}&limit=1").data
        second = client.get(first["next"]).data

        found = [row["id"] for row in first["results"] + second["results"]]
        assert found == [str(orders[2].id), str(orders[0].id)]
        assert second["next"] is None

    def test_never_goes_back(self, web: Shop) -> None:
        order = web.captured(line(web.sku(5)))
        early = NOON - timedelta(hours=1)

        place_holds([HoldRequest(order.id, "manual", "x")], at=early, actor=ANNA)

        assert order_of(order.id).updated_at == NOON


class TestNodeFilter:
    def test_finds_the_orders_with_units_of_the_node(self, web: Shop) -> None:
        sku, other = web.sku(5), web.another_node()
        order = web.accepted(line(sku))
        web.captured(line(sku))

        counts = [
            len(client_of(web).get(f"{URL}?node={code}").data["results"])
            for code in (web.node.code, other.code, "nowhere")
        ]

        assert counts == [1, 0, 0]
        assert order_of(order.id).progress == "reserved"


class TestPayment:
    def test_takes_a_new_authorization(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)), tenders=(card(1000, reference=""),))

        answer = client_of(web).post(
            f"{URL}/{order.id}/authorizations",
            {"reference": "auth-7", "amount_minor": 1000},
            format="json",
        )

        assert (answer.status_code, answer.data["payment_state"]) == (200, "authorized")

    def test_answers_a_retry_of_what_was_not_refused_with_a_conflict(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)), tenders=(card(1000),))

        answer = client_of(web).post(f"{URL}/{order.id}/retry-capture", {}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    @pytest.mark.parametrize("verb", ["retry-refund", "look-up-payments"])
    def test_answers_what_needs_no_mending_with_a_conflict(self, web: Shop, verb: str) -> None:
        order = web.accepted(line(web.sku(5)), tenders=(card(1000),))

        answer = client_of(web).post(f"{URL}/{order.id}/{verb}", {}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_leaves_settling_by_hand_to_people(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)), tenders=(card(1000),))

        answer = client_of(web).post(
            f"{URL}/{order.id}/settle-payment",
            {"payment_id": str(order.id), "happened": True, "reference": "wire"},
            format="json",
        )

        assert answer.status_code == 403

    @pytest.mark.parametrize(("happened", "state"), [("true", "manual"), ("false", "failed")])
    def test_settles_by_hand_what_a_person_found_out(
        self, web: Shop, happened: str, state: str
    ) -> None:
        refund = refund_given_up(web)

        answer = as_role(web, "ops_manager").post(
            f"{URL}/{refund.order_id}/settle-payment",
            {"payment_id": str(refund.id), "happened": happened, "reference": "wire 7"},
            format="json",
        )

        assert (answer.status_code, answer.data["outcome"]) == (200, "done")
        assert Refund.objects.for_scope(ALL_ACCOUNTS).get().state == state

    def test_settles_no_payment_of_another_order(self, web: Shop) -> None:
        refund, other = refund_given_up(web), web.accepted(line(web.sku(5)))

        answer = as_role(web, "ops_manager").post(
            f"{URL}/{other.id}/settle-payment",
            {"payment_id": str(refund.id), "happened": True, "reference": "wire 7"},
            format="json",
        )

        assert answer.status_code == 404
        assert Refund.objects.for_scope(ALL_ACCOUNTS).get().state == "sent"


def refund_given_up(web: Shop) -> Refund:
    """The refund of a prepaid order that was cancelled; nobody knows whether it happened."""
    order = web.accepted(line(web.sku(5)), tenders=(card(1000, captured_minor=1000),))
    cancel_units([CancelRequest(order.id)], at=NOON, actor=ANNA)
    asked = Intent.objects.for_scope(ALL_ACCOUNTS).get(kind="payment.refund")
    Intent.objects.for_scope(ALL_ACCOUNTS).filter(pk=asked.pk).update(state="dead")
    leased = LeasedIntent(
        asked.pk, asked.account_id, asked.kind, asked.key, asked.subject_kind,
        asked.subject_id, asked.payload, attempt=1, tried_before=False,
    )  # fmt: skip
    with transaction.atomic():
        record_refund(leased, Answer.unknown("no answer", given_up=True), at=NOON, actor=ANNA)
    return Refund.objects.for_scope(ALL_ACCOUNTS).get()


class TestCancel:
    def test_cancels_some_units(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5), 3))
        line_id = str(order.lines.get().id)

        answer = client_of(web).post(
            f"{URL}/{order.id}/cancel",
            {"reason": "too many", "lines": [{"line_id": line_id, "quantity": 2}]},
            format="json",
        )

        assert (answer.status_code, answer.data["state"]) == (200, "accepted")
        assert order.lines.get().cancelled == 2

    def test_is_refused_with_a_conflict_when_nothing_is_left(self, web: Shop) -> None:
        order, client = web.accepted(line(web.sku(5))), client_of(web)
        client.post(f"{URL}/{order.id}/cancel", {}, format="json")

        answer = client.post(f"{URL}/{order.id}/cancel", {}, format="json")

        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")

    def test_holds_the_caller_to_the_version_it_read(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))

        answer = client_of(web).post(
            f"{URL}/{order.id}/cancel", {}, format="json", HTTP_IF_MATCH='"0"'
        )

        assert (answer.status_code, order_of(order.id).state) == (412, "accepted")


class TestHoldAndRelease:
    def test_holds_and_lifts_again(self, web: Shop) -> None:
        order, client = web.accepted(line(web.sku(5))), client_of(web)

        held = client.post(f"{URL}/{order.id}/hold", {"reason": "look"}, format="json")
        assert (held.status_code, order_of(order.id).holds_open) == (201, 1)
        lifted = client.post(f"{URL}/{order.id}/release-hold", {}, format="json")

        assert lifted.data["results"][0]["outcome"] == "done"
        assert order_of(order.id).holds_open == 0

    def test_refuses_a_type_nobody_knows(self, web: Shop) -> None:
        order = web.accepted(line(web.sku(5)))

        answer = client_of(web).post(
            f"{URL}/{order.id}/hold", {"type": "mood", "reason": "look"}, format="json"
        )

        assert answer.status_code == 422
