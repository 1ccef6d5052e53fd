"""What programs send to our own API is kept with its outcome, and can be replayed."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel import vault
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from integrations import selectors
from integrations.models import InboxMessage
from integrations.services import replay_messages
from orders.api import intake
from orders.models import Order
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, shop
from tests.orders.test_api import URL, body, client_of

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.orders.routes")]


@pytest.fixture
def web() -> Shop:
    return shop()


def kept() -> list[InboxMessage]:
    return list(InboxMessage.objects.for_scope(ALL_ACCOUNTS).order_by("pk"))


def test_an_order_lies_sealed_beside_what_it_became(web: Shop) -> None:
    sent = json.dumps(body(web.sku(5)))

    answer = client_of(web).post(URL, sent, content_type="application/json")

    [message] = kept()
    assert (message.state, message.source) == ("applied", f"api:{web.channel.code}")
    assert str(message.thread_id) == answer.data["id"]
    vault.forget()  # as another process reads it
    assert selectors.letters_of([message.pk])[message.pk].raw == sent.encode()


def test_a_repeat_is_kept_as_one(web: Shop) -> None:
    client, sent = client_of(web), body(web.sku(5))
    for _ in range(2):
        client.post(URL, sent, format="json")

    assert [(one.state, one.code) for one in kept()] == [("applied", ""), ("ignored", "repeated")]


def test_a_replayed_answer_is_no_message(web: Shop) -> None:
    client, sent = client_of(web), body(web.sku(5))
    for _ in range(2):
        client.post(URL, sent, format="json", HTTP_IDEMPOTENCY_KEY="k")

    assert len(kept()) == 1


def test_what_is_no_order_is_kept_with_the_refusal(web: Shop) -> None:
    client_of(web).post(URL, body(web.sku(5), currency=7), format="json")

    [message] = kept()
    assert (message.state, message.code, message.thread_id) == ("ignored", "invalid", None)


def test_every_order_of_a_bulk_is_kept_in_a_constant_number_of_statements(web: Shop) -> None:
    sku, client = web.sku(500), client_of(web)
    client.post(URL, body(sku, external_id="warm"), format="json")
    counts = []
    for size in (2, 20):
        orders = [body(sku, external_id=f"{size}-{number}") for number in range(size)]
        wrong = body(sku, external_id="W", currency=7)
        with CaptureQueriesContext(connection) as context:
            client.post(f"{URL}/bulk", {"orders": [*orders, wrong]}, format="json")
        counts.append(len(context.captured_queries))

    assert counts[0] == counts[1]
    states = [one.state for one in kept()]
    assert (states.count("applied"), states.count("ignored")) == (23, 2)


def test_what_broke_is_dead_with_a_case_and_is_taken_in_by_a_replay(
    web: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = client_of(web)
    client.raise_request_exception = False
    with monkeypatch.context() as broken:
        broken.setattr(intake.services, "capture_orders", _break)
        assert client.post(URL, body(web.sku(5)), format="json").status_code == 500
    [message] = kept()
    assert (message.state, message.code) == ("dead", "fault")
    assert CaseReport.objects.get(subject_id=message.pk).kind == "INBOX_DEAD"

    [outcome] = replay_messages([message.pk], at=NOON, actor=ANNA)

    order = Order.objects.for_scope(ALL_ACCOUNTS).get()
    assert (outcome.value, order.state) == (order.pk, "accepted")
    assert kept()[0].state == "applied"


def test_a_message_is_opened_no_more_when_its_person_is_erased(web: Shop) -> None:
    answer = client_of(web).post(URL, body(web.sku(5)), format="json")
    [message] = kept()

    vault.destroy_keys(list(selectors.body_keys([answer.data["id"]])), at=NOON)

    assert selectors.letters_of([message.pk]) == {}


def _break(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a fault of ours")
