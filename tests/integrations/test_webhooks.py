"""Webhooks: proven, kept first, applied once."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import connection
from django.db.models import F
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import IllegalTransition
from config.kernel.fsm import transitions_of
from config.kernel.ids import uuid7
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS, OutcomeKind
from integrations import connections, selectors, services
from integrations.models import ImportRun, InboxBody, InboxMessage
from integrations.services.inbox import ATTEMPTS
from integrations.services.keep import Incoming
from integrations.states import ImportState, InboxState
from orders.models import Hold, Order, OrderLine
from tests.factories.integrations import (
    SECRET,
    ImportRunFactory,
    InboxMessageFactory,
    a_connection,
    signed,
)
from tests.factories.kernel import NOON
from tests.factories.routing import SYSTEM, Network, a_network
from tests.integrations.documents import shop_order, woo_order

pytestmark = [pytest.mark.django_db, pytest.mark.urls("integrations.api.urls")]

CANARY = "canary-7f3a@example.com"


@pytest.fixture
def network() -> Network:
    network = a_network()
    network.stock("TEE-M", NEWARK=10)
    a_connection(network.channel)
    return network


def send(network, document, *, topic="orders/create", message="m-1", secret=SECRET):
    raw, signature = signed(document, secret)
    return Client().post(
        f"/webhooks/shopify/{network.channel.code}",
        raw,
        content_type="application/json",
        headers={
            "X-Shopify-Hmac-Sha256": signature,
            "X-Shopify-Webhook-Id": message,
            "X-Shopify-Topic": topic,
        },
    )


def messages():
    return InboxMessage.objects.for_scope(ALL_ACCOUNTS).order_by("pk")


def orders():
    return Order.objects.for_scope(ALL_ACCOUNTS)


class TestShopifyWebhook:
    def test_makes_an_order_of_a_signed_message(self, network):
        response = send(network, shop_order())

        assert (response.status_code, response.json()["state"]) == (200, "applied")
        order, message = orders().get(), messages().get()
        assert (order.external_number, order.state, order.total_minor) == (
            "#1001",
            "accepted",
            4_383,
        )
        assert (message.state, message.subject_id, message.thread_id) == (
            "applied",
            order.pk,
            order.pk,
        )
        assert order.inbox_id == message.pk

    def test_answers_a_duplicate_like_the_first_and_does_nothing(self, network):
        first, again = send(network, shop_order()), send(network, shop_order())

        assert first.json()["id"] == again.json()["id"]
        assert again.json()["repeated"] is True
        assert (messages().count(), orders().count()) == (1, 1)

    def test_ignores_another_message_about_the_same_order(self, network):
        send(network, shop_order())
        send(network, shop_order(), topic="orders/paid", message="m-2")

        first, second = messages()
        assert (second.state, second.code, second.subject_id) == (
            "ignored",
            "repeated",
            first.subject_id,
        )
        assert orders().count() == 1

    @pytest.mark.parametrize("secret", ["another secret entirely", ""])
    def test_keeps_nothing_that_is_not_signed(self, network, secret):
        response = send(network, shop_order(), secret=secret)

        assert response.status_code == 401
        assert response.json()["code"] == "bad-signature"
        assert not messages().exists()
        assert not InboxBody.objects.exists()
        assert not orders().exists()

    def test_does_not_tell_which_channels_exist(self, network):
        raw, signature = signed(shop_order())

        response = Client().post(
            "/webhooks/shopify/nowhere",
            raw,
            content_type="application/json",
            headers={"X-Shopify-Hmac-Sha256": signature},
        )

        assert response.json()["code"] == "bad-signature"

    def test_signs_the_bytes_and_not_their_meaning(self, network):
        raw, signature = signed(shop_order())

        response = Client().post(
            f"/webhooks/shopify/{network.channel.code}",
            raw + b" ",
            content_type="application/json",
            headers={"X-Shopify-Hmac-Sha256": signature},
        )

        assert response.status_code == 401

    def test_keeps_the_bytes_sealed(self, network):
        send(network, shop_order(email=CANARY))

        message = messages().get()
        body = InboxBody.objects.get()
        letter = selectors.letters_of([message.pk])[message.pk]
        assert CANARY.encode() in letter.raw
        assert letter.headers["x-shopify-topic"] == "orders/create"
        assert CANARY.encode() not in bytes(body.sealed)

    def test_buries_what_cannot_be_read_and_reports_it(self, network):
        response = send(network, {"id": 1, "line_items": []})

        assert (response.status_code, response.json()["state"]) == (200, "kept")
        message = messages().get()
        assert (message.state, message.code) == ("dead", "unreadable")
        assert CaseReport.objects.get().subject_id == message.pk

    def test_ignores_topics_that_ask_nothing(self, network):
        send(network, shop_order(), topic="products/update")

        assert (messages().get().state, messages().get().code) == ("ignored", "topic")
        assert not CaseReport.objects.exists()

    def test_cancels_what_the_channel_cancels(self, network):
        send(network, shop_order())
        send(network, shop_order(cancel_reason="fraud"), topic="orders/cancelled", message="m-2")

        assert orders().get().state == "cancelled"
        assert messages().last().state == "applied"

    def test_opens_a_case_for_a_cancel_that_comes_too_late(self, network):
        send(network, shop_order())
        order = orders().get()
        OrderLine.objects.for_scope(ALL_ACCOUNTS).filter(order=order, kind="stock").update(
            reserved=0, shipped=F("ordered"), underway=F("ordered")
        )

        send(network, shop_order(cancel_reason="customer"), topic="orders/cancelled", message="m-2")

        assert messages().last().state in {"ignored", "applied"}
        late = CaseReport.objects.filter(kind="CANCEL_TOO_LATE")
        assert [report.subject_id for report in late] == [order.pk]

    def test_takes_in_and_cancels_an_order_whose_cancel_overtook_it(self, network):
        send(network, shop_order(), topic="orders/cancelled", message="m-2")
        send(network, shop_order())

        assert orders().get().state == "cancelled"
        assert [message.state for message in messages()] == ["applied", "ignored"]

    def test_waits_with_a_cancel_that_says_no_more_than_that(self, network):
        send(network, {"id": 450789469}, topic="orders/cancelled", message="m-2")
        waiting = messages().get()
        send(network, shop_order())

        services.apply_messages([waiting.pk], at=NOON, actor=SYSTEM)

        assert (waiting.state, waiting.code, waiting.attempts) == ("received", "no-order", 1)
        assert orders().get().state == "cancelled"

    def test_holds_an_order_it_has_a_doubt_about(self, network):
        send(network, shop_order(financial_status="pending"))

        order = orders().get()
        assert (order.state, order.holds_open) == ("accepted", 1)


class TestWooCommerceWebhook:
    def test_makes_an_order_of_a_signed_message(self):
        network = a_network()
        a_connection(network.channel, "woocommerce")
        raw, signature = signed(woo_order())

        response = Client().post(
            f"/webhooks/woocommerce/{network.channel.code}",
            raw,
            content_type="application/json",
            headers={
                "X-WC-Webhook-Signature": signature,
                "X-WC-Webhook-Topic": "order.created",
                "X-WC-Webhook-Delivery-ID": "d-1",
            },
        )

        assert response.status_code == 200
        order = orders().get()
        assert (order.external_id, order.total_minor) == ("727", 3_970)
        # Nobody has mapped MUG: captured all the same, and kept on hold.
        assert [hold.type for hold in Hold.objects.for_scope(ALL_ACCOUNTS)] == ["unmapped"]

    def test_is_not_a_dialect_of_everyone(self, network):
        response = Client().post(
            f"/webhooks/magento/{network.channel.code}", b"{}", content_type="application/json"
        )

        assert response.status_code == 404


def incoming(network: Network, message: str, document: object) -> Incoming:
    raw, _ = signed(document)
    ref = connections.of_channel(network.channel.pk) or a_connection(network.channel)
    return Incoming.of(ref, external_id=message, kind="orders/create", headers={}, raw=raw)


class TestKeepMessages:
    def test_asks_as_little_of_the_database_for_fifty_messages_as_for_two(self, network):
        def statements(prefix: str, count: int) -> int:
            batch = [incoming(network, f"{prefix}{n}", shop_order(id=n)) for n in range(count)]
            with CaptureQueriesContext(connection) as queries:
                services.keep_messages(batch, at=NOON, actor=SYSTEM)
            return len(queries)

        assert statements("a", 2) == statements("b", 50)

    def test_answers_for_repeats_within_a_batch(self, network):
        one = incoming(network, "m-1", shop_order())
        other = incoming(network, "m-1", shop_order(id=2))

        kept = services.keep_messages([one, other], at=NOON, actor=SYSTEM)

        assert [(answer.id == kept[0].id, answer.repeated) for answer in kept] == [
            (True, False),
            (True, True),
        ]


class TestApplyMessages:
    def test_asks_as_little_of_the_database_for_twenty_messages_as_for_two(self, network):
        network.stock("TEE-M", NEWARK=1_000)

        def statements(prefix: str, count: int) -> int:
            kept = services.keep_messages(
                [
                    incoming(network, f"{prefix}{n}", shop_order(id=f"{prefix}{n}", name=f"#{n}"))
                    for n in range(count)
                ],
                at=NOON,
                actor=SYSTEM,
            )
            with CaptureQueriesContext(connection) as queries:
                services.apply_messages([one.id for one in kept], at=NOON, actor=SYSTEM)
            return len(queries)

        statements("warm", 1)
        assert statements("a", 2) == statements("b", 20)

    def test_does_not_let_one_bad_message_stop_the_others(self, network):
        documents = [shop_order(id=1), {"id": 2}, shop_order(id=3)]
        kept = services.keep_messages(
            [incoming(network, str(n), document) for n, document in enumerate(documents)],
            at=NOON,
            actor=SYSTEM,
        )

        outcomes = services.apply_messages([one.id for one in kept], at=NOON, actor=SYSTEM)

        assert [outcome.kind for outcome in outcomes] == [
            OutcomeKind.DONE,
            OutcomeKind.REFUSED,
            OutcomeKind.DONE,
        ]

    def test_leaves_settled_messages_as_they_are(self, network):
        [kept] = services.keep_messages(
            [incoming(network, "m-1", shop_order())], at=NOON, actor=SYSTEM
        )
        [first] = services.apply_messages([kept.id], at=NOON, actor=SYSTEM)

        [again] = services.apply_messages([kept.id], at=NOON, actor=SYSTEM)

        assert (again.kind, again.value) == (OutcomeKind.REPEATED, first.value)

    def test_is_done_by_the_sweep_for_what_a_crash_left_behind(self, network):
        services.keep_messages([incoming(network, "m-1", shop_order())], at=NOON, actor=SYSTEM)
        message = messages().get()

        soon = services.apply_unsettled(now=message.recorded_at, at=NOON, actor=SYSTEM)
        later = services.apply_unsettled(
            now=message.recorded_at + timedelta(minutes=1), at=NOON, actor=SYSTEM
        )

        assert (soon, later) == (0, 1)
        assert orders().count() == 1

    def test_gives_up_on_a_cancel_whose_order_never_comes(self, network):
        send(network, {"id": 450789469}, topic="orders/cancelled")
        message = messages().get()

        for _ in range(ATTEMPTS - 1):
            services.apply_messages([message.pk], at=NOON, actor=SYSTEM)

        message.refresh_from_db()
        assert (message.state, message.code, message.attempts) == ("dead", "no-order", ATTEMPTS)
        assert CaseReport.objects.count() == 1


class TestReplayMessages:
    def test_applies_a_dead_message_once_its_cause_is_mended(self, network):
        send(network, {"id": 450789469}, topic="orders/cancelled", message="m-2")
        message = messages().get()
        for _ in range(ATTEMPTS - 1):
            services.apply_messages([message.pk], at=NOON, actor=SYSTEM)
        send(network, shop_order())

        [outcome] = services.replay_messages([message.pk], at=NOON, actor=SYSTEM)

        assert outcome.kind is OutcomeKind.DONE
        assert orders().get().state == "cancelled"

    def test_refuses_what_has_had_its_effect(self, network):
        send(network, shop_order())

        applied, unknown = services.replay_messages(
            [messages().get().pk, uuid7()], at=NOON, actor=SYSTEM
        )

        assert applied.problem is not None
        assert unknown.problem is not None
        assert (applied.problem.code, unknown.problem.code) == ("applied", "not-found")


INBOX_ARGUMENTS = {
    "apply": {"subject_kind": "order", "subject_id": uuid7(), "thread_id": None, "at": NOON},
    "ignore": {"code": "topic", "reason": "nothing", "at": NOON},
    "bury": {"code": "fault", "reason": "broken", "at": NOON},
    "receive_again": {},
}
RUN_ARGUMENTS = {"finish": {"at": NOON}, "stop": {"at": NOON}, "resume": {}}


class TestMachines:
    @pytest.mark.parametrize(
        ("factory", "arguments", "name", "state"),
        [
            (factory, arguments, name, state)
            for factory, arguments, states in (
                (InboxMessageFactory, INBOX_ARGUMENTS, InboxState),
                (ImportRunFactory, RUN_ARGUMENTS, ImportState),
            )
            for name, state in sorted(product(arguments, states.values))
        ],
    )
    def test_go_where_they_are_declared_to_and_nowhere_else(self, factory, arguments, name, state):
        row = factory(state=state)
        pairs = {(n, source): target for n, source, target in transitions_of(type(row))}

        if (name, state) in pairs:
            getattr(row, name)(**arguments[name])
            assert row.state == pairs[name, state]
        else:
            with pytest.raises(IllegalTransition):
                getattr(row, name)(**arguments[name])

    def test_name_every_transition_here(self):
        assert {name for name, *_ in transitions_of(InboxMessage)} == set(INBOX_ARGUMENTS)
        assert {name for name, *_ in transitions_of(ImportRun)} == set(RUN_ARGUMENTS)
