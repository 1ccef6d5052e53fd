"""Deliveries: every endpoint hears of what it wants, signed, in order, until it has it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from standardwebhooks.webhooks import Webhook

from config.kernel import ids
from config.kernel.events import Recorded
from config.kernel.models import CaseReport, Intent
from config.kernel.services import intents
from config.kernel.types import ALL_ACCOUNTS
from integrations.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from integrations.webhooks_out import deliveries, endpoints, pressure, selectors
from orders.models import Order
from tests.factories import fulfillment as work
from tests.factories.buyers import told
from tests.factories.inventory import SkuFactory
from tests.factories.kernel import NOON, ChannelFactory
from tests.factories.webhooks import IDA, an_endpoint
from tests.webhooks_out.receiver import Receiver, black_hole, receiving

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as listening:
        yield listening


@pytest.fixture
def order() -> Order:
    return work.released()[0].order


def happened(order: Order, topic: str = "order.accepted", **details: object) -> None:
    deliveries.fan_out([told(topic, order, **details)], at=NOON, actor=IDA)  # type: ignore[arg-type]


def run(times: int = 1) -> None:
    """Carry out what is due, as workers would, without waiting for the back-off."""
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE kernel_intent SET due_at = clock_timestamp()")
        intents.run_due(at=NOON, limit=50)


def only_delivery() -> WebhookDelivery:
    [row] = WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).all()
    return row


def now(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return selectors.endpoint_now(endpoint.pk)


class TestAnEndpointOfSomeChannels:
    def test_hears_of_their_orders_alone_at_the_price_of_one_statement(self, order: Order) -> None:
        other = work.place(
            {SkuFactory(account=order.account): 1}, work.node_for(order.account)
        ).order
        elsewhere = ChannelFactory(account=order.account)
        Order.objects.for_scope(ALL_ACCOUNTS).filter(pk=other.pk).update(channel=elsewhere)
        limited = an_endpoint(account=order.account, channels=[order.channel])
        everyone = an_endpoint(account=order.account)
        events = [
            told(topic, one, subject=subject)
            for one in (order, other)
            for topic, subject in (("order.accepted", None), ("parcel.shipped", ids.uuid7()))
        ]

        def heard_of(*some: Recorded) -> int:
            with CaptureQueriesContext(connection) as queries:
                deliveries.fan_out(some, at=NOON, actor=IDA)
            return sum("orders_order" in one["sql"] for one in queries)

        assert heard_of(*events) == 1
        sent = WebhookDelivery.objects.for_scope(ALL_ACCOUNTS)
        assert set(sent.filter(endpoint=limited).values_list("thread_id", flat=True)) == {order.pk}
        assert sent.filter(endpoint=everyone).count() == len(events)

        endpoints.limit_endpoint(limited.pk, [], at=NOON, actor=IDA)
        assert heard_of(told("order.closed", other)) == 0
        assert sent.filter(endpoint=limited, thread_id=other.pk).count() == 1

    def test_hears_what_it_may_sell_of_a_sku(self, order: Order) -> None:
        elsewhere = ChannelFactory(account=order.account)
        limited = an_endpoint(
            "https://hooks.example.com/stock", "availability.*",
            account=order.account, channels=[order.channel],
        )  # fmt: skip
        figures = [
            replace(
                told("availability.sold_out", order),
                subject_kind="channel_sku",
                subject_id=ids.uuid7(),
                thread_id=None,
                data={"channel_id": str(channel.pk)},
            )
            for channel in (order.channel, elsewhere)
        ]

        deliveries.fan_out(figures, at=NOON, actor=IDA)

        sent = WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).filter(endpoint=limited)
        assert [one.subject_id for one in sent] == [figures[0].subject_id]


class TestSending:
    def test_the_event_comes_with_a_signature_that_the_library_verifies(
        self, receiver: Receiver, order: Order
    ) -> None:
        endpoint = an_endpoint(receiver.url, account=order.account)

        happened(order, data={"reserved": 2})
        run()

        [(headers, body)] = receiver.came
        secret = selectors.secrets_of(endpoint)[0].text
        read = Webhook(secret).verify(body, headers)
        assert read["type"] == "order.accepted"
        assert read["data"]["subject"] == {"kind": "order", "id": str(order.pk)}
        assert read["data"]["reserved"] == 2
        assert only_delivery().state == "delivered"

    def test_a_forged_body_is_seen(self, receiver: Receiver, order: Order) -> None:
        endpoint = an_endpoint(receiver.url, account=order.account)
        happened(order)
        run()
        [(headers, body)] = receiver.came

        forged = json.dumps(json.loads(body) | {"type": "order.cancelled"})

        with pytest.raises(Exception, match="No matching signature"):
            Webhook(selectors.secrets_of(endpoint)[0].text).verify(forged, headers)

    def test_both_secrets_sign_for_a_day_after_a_rotation(
        self, receiver: Receiver, order: Order
    ) -> None:
        endpoint = an_endpoint(receiver.url, account=order.account)
        old = selectors.secrets_of(endpoint)[0].text
        endpoints.rotate_secret(endpoint.pk, at=NOON, actor=IDA)

        happened(order)
        run()

        [(headers, body)] = receiver.came
        new = selectors.secrets_of(now(endpoint))[0].text
        assert new != old
        assert Webhook(old).verify(body, headers) == Webhook(new).verify(body, headers)

    def test_only_what_is_subscribed_is_sent(self, receiver: Receiver, order: Order) -> None:
        an_endpoint(receiver.url, "parcel.*", account=order.account)

        happened(order)
        happened(order, "parcel.shipped")
        run()

        assert [body["type"] for body in receiver.bodies] == ["parcel.shipped"]

    def test_another_account_hears_nothing(self, receiver: Receiver, order: Order) -> None:
        an_endpoint(receiver.url)

        happened(order)

        assert not WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).exists()

    def test_an_event_that_comes_twice_is_sent_once(self, receiver: Receiver, order: Order) -> None:
        an_endpoint(receiver.url, account=order.account)
        event = told("order.accepted", order)

        deliveries.fan_out([event, event], at=NOON, actor=IDA)
        deliveries.fan_out([event], at=NOON, actor=IDA)
        run()

        assert len(receiver.came) == 1

    def test_statements_do_not_grow_with_events(self, order: Order) -> None:
        an_endpoint(account=order.account)

        def statements(count: int) -> int:
            events = [told("order.accepted", order) for _ in range(count)]
            with CaptureQueriesContext(connection) as context:
                deliveries.fan_out(events, at=NOON, actor=IDA)
            return len(context)

        assert statements(2) == statements(20)

    def test_where_nobody_listens_it_costs_one_statement(self, order: Order) -> None:
        with CaptureQueriesContext(connection) as context:
            deliveries.fan_out([told("order.accepted", order)], at=NOON, actor=IDA)

        reads = [query for query in context if query["sql"].startswith("SELECT")]
        assert len(reads) == 1


class TestTrouble:
    def test_what_is_not_taken_comes_again_with_the_same_id(
        self, receiver: Receiver, order: Order
    ) -> None:
        an_endpoint(receiver.url, account=order.account)
        receiver.answers = [(500, {}, b"broken"), (200, {}, b"")]

        happened(order)
        run(2)

        first, again = (headers["webhook-id"] for headers, _ in receiver.came)
        assert first == again
        assert (only_delivery().state, only_delivery().attempts) == ("delivered", 2)

    def test_what_concerns_one_order_stays_in_order(self, receiver: Receiver, order: Order) -> None:
        an_endpoint(receiver.url, account=order.account)
        receiver.answers = [(503, {}, b""), (503, {}, b""), (200, {}, b"")]

        for topic in ("order.accepted", "order.shipped", "order.delivered"):
            happened(order, topic)
        run(6)

        taken = [body["type"] for body in receiver.bodies[2:]]
        assert taken == ["order.accepted", "order.shipped", "order.delivered"]

    def test_a_redirect_is_not_followed(self, receiver: Receiver, order: Order) -> None:
        an_endpoint(receiver.url, account=order.account)
        receiver.then(302, {"Location": "http://169.254.169.254/"})

        happened(order)
        run()

        assert (len(receiver.came), only_delivery().state) == (1, "waiting")

    def test_retry_after_is_heeded(self, receiver: Receiver, order: Order) -> None:
        an_endpoint(receiver.url, account=order.account)
        receiver.then(429, {"Retry-After": "900"})

        happened(order)
        run()

        [intent] = Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind=deliveries.DELIVER)
        assert 850 < (intent.due_at - datetime.now(UTC)).total_seconds() <= 900

    def test_gone_disables_the_endpoint_with_a_case(self, receiver: Receiver, order: Order) -> None:
        endpoint = an_endpoint(receiver.url, account=order.account)
        receiver.then(410)

        happened(order)
        run()

        assert now(endpoint).state == "disabled"
        assert only_delivery().state == "kept"
        assert CaseReport.objects.filter(kind="WEBHOOK_DISABLED").count() == 1

    def test_days_of_failure_disable_it(
        self, receiver: Receiver, order: Order, settings: Any
    ) -> None:
        endpoint = an_endpoint(receiver.url, account=order.account)
        receiver.then(500)
        happened(order)
        run()
        assert now(endpoint).state == "enabled"
        long_ago = datetime.now(UTC) - timedelta(days=settings.WEBHOOK_DISABLE_AFTER_DAYS, hours=1)
        WebhookEndpoint.objects.for_scope(ALL_ACCOUNTS).update(failing_since=long_ago)

        run()

        assert now(endpoint).state == "disabled"
        assert "it answered 500" in now(endpoint).reason

    def test_a_delivery_that_alone_is_not_taken_gives_way_after_a_day(
        self, receiver: Receiver, order: Order
    ) -> None:
        an_endpoint(receiver.url, account=order.account)
        receiver.answers = [(400, {}, b""), (400, {}, b""), (200, {}, b"")]
        happened(order)
        happened(order, "order.shipped")
        run()
        WebhookAttempt.objects.update(recorded_at=datetime.now(UTC) - timedelta(hours=25))

        run(2)

        states = WebhookDelivery.objects.for_scope(ALL_ACCOUNTS).order_by("pk")
        assert list(states.values_list("topic", "state")) == [
            ("order.accepted", "failed"),
            ("order.shipped", "delivered"),
        ]

    def test_a_success_forgets_the_failures(self, receiver: Receiver, order: Order) -> None:
        endpoint = an_endpoint(receiver.url, account=order.account)
        receiver.answers = [(500, {}, b""), (200, {}, b"")]
        happened(order)
        run()
        assert now(endpoint).failing_since is not None

        run()

        assert now(endpoint).failing_since is None


class TestDeadEndpoint:
    def test_delays_the_others_by_at_most_five_seconds(
        self, receiver: Receiver, order: Order
    ) -> None:
        with black_hole() as nowhere:
            an_endpoint(nowhere, account=order.account, name="dead")
            an_endpoint(receiver.url, account=order.account, name="alive")
            for _ in range(12):
                happened(order, subject=ids.uuid7())

            began = datetime.now(UTC)
            for _ in range(8):
                intents.run_due(at=NOON, limit=5)

        assert len(receiver.came) == 12
        assert (datetime.now(UTC) - began).total_seconds() < 5.5

    def test_one_that_rests_costs_no_call_and_no_attempt(self, order: Order) -> None:
        endpoint = an_endpoint("http://127.0.0.1:9/", account=order.account)
        happened(order)
        bearing = pressure.of(endpoint.pk)
        bearing.enter()
        bearing.leave(4.0, ran_out=True)

        run()

        assert only_delivery().attempts == 0
        [intent] = Intent.objects.for_scope(ALL_ACCOUNTS).filter(kind=deliveries.DELIVER)
        assert (intent.state, intent.first_tried_at) == ("pending", None)


class TestLog:
    def test_shows_what_was_sent_and_what_came_back_without_the_signature(
        self, receiver: Receiver, order: Order
    ) -> None:
        an_endpoint(receiver.url, account=order.account)
        receiver.answers = [(500, {"Set-Cookie": "secret"}, b"x" * 10_000)]

        happened(order)
        run()

        [tried] = selectors.delivery(only_delivery().pk, ALL_ACCOUNTS).tries.all()
        assert (tried.status, tried.number, len(tried.response_body)) == (500, 1, 1_000)
        assert tried.request_headers["webhook-signature"] == "…"
        assert "set-cookie" not in tried.response_headers


class TestReplay:
    def test_one_goes_again_under_the_same_id(self, receiver: Receiver, order: Order) -> None:
        an_endpoint(receiver.url, account=order.account)
        happened(order)
        run()

        deliveries.replay([only_delivery().pk], at=NOON, actor=IDA)
        run()

        ids = {headers["webhook-id"] for headers, _ in receiver.came}
        assert (len(receiver.came), len(ids)) == (2, 1)

    def test_what_a_disabled_endpoint_missed_is_kept_and_sent_in_order(
        self, receiver: Receiver, order: Order
    ) -> None:
        endpoint = an_endpoint(receiver.url, account=order.account)
        endpoints.switch_endpoint(endpoint.pk, enabled=False, at=NOON, actor=IDA)
        for topic in ("order.accepted", "order.shipped"):
            happened(order, topic)
        run()
        assert receiver.came == []
        endpoints.switch_endpoint(endpoint.pk, enabled=True, at=NOON, actor=IDA)

        replayed = deliveries.replay_span(
            endpoint.pk, since=NOON - timedelta(days=1), at=NOON, actor=IDA
        )
        run(2)

        assert (replayed.count, replayed.more) == (2, False)
        assert [body["type"] for body in receiver.bodies] == ["order.accepted", "order.shipped"]

    def test_what_is_on_its_way_is_not_sent_twice(self, order: Order) -> None:
        an_endpoint(account=order.account)
        happened(order)

        [outcome] = deliveries.replay([only_delivery().pk], at=NOON, actor=IDA)

        assert not outcome.ok

    def test_a_ping_tries_the_endpoint(self, receiver: Receiver, order: Order) -> None:
        endpoint = an_endpoint(receiver.url, "order.*", account=order.account)

        deliveries.ping(endpoint.pk, at=NOON, actor=IDA)
        run()

        assert [body["type"] for body in receiver.bodies] == ["endpoint.ping"]
