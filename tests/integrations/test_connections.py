"""Connections: who is on the other end, its secrets, its health, and what its state permits."""

from datetime import timedelta
from itertools import product

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext

from config.kernel.errors import Forbidden, IllegalTransition, Invalid, NotFound
from config.kernel.fsm import transitions_of
from config.kernel.ids import uuid7
from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS, Actor, ActorKind, Scope
from integrations import connections, selectors, services
from integrations.http import Busy
from integrations.models import Connection, InboxMessage
from integrations.services import ConnectionDraft
from integrations.states import ConnectionState
from tests.factories.integrations import SECRET, ConnectionFactory, a_connection, signed
from tests.factories.inventory import NodeFactory
from tests.factories.kernel import NOON, AccountFactory, ChannelFactory
from tests.factories.routing import SYSTEM

pytestmark = pytest.mark.django_db


def of_account(account) -> Actor:
    return Actor(ActorKind.USER, "ivan", "Ivan", Scope(frozenset({account.pk})))


class TestDefineConnection:
    def test_begins_listening_and_keeps_its_secrets_sealed(self):
        ref = a_connection(ChannelFactory(), secrets={"webhook_secret": SECRET})

        row = Connection.objects.for_scope(ALL_ACCOUNTS).get()
        assert (ref.state, row.hint) == ("listening", "webhook_secret …hare")
        assert SECRET.encode() not in bytes(row.sealed)
        assert connections.secrets(ref) == {"webhook_secret": SECRET}
        assert SECRET not in repr(ref)
        assert not hasattr(Connection.history.get(), "sealed")

    def test_brings_a_connection_to_what_the_draft_says_and_leaves_its_secrets(self):
        channel = ChannelFactory()
        first = a_connection(channel, base_url="https://one.example.com")

        again = a_connection(channel, base_url="https://two.example.com", secrets={})

        assert (again.id, again.base_url) == (first.id, "https://two.example.com")
        assert connections.secrets(again) == {"webhook_secret": SECRET}
        assert Connection.history.count() == 2

    def test_is_refused_outside_the_actors_accounts(self):
        draft = ConnectionDraft(AccountFactory().pk, "mail", "post", "smtp", "Mail")

        with pytest.raises(Forbidden):
            services.define_connection(draft, at=NOON, actor=of_account(AccountFactory()))

        assert not Connection.objects.for_scope(ALL_ACCOUNTS).exists()

    @pytest.mark.parametrize(
        "changes",
        [
            {"kind": "fax"},
            {"kind": "warehouse"},
            {"kind": "carrier"},
            {"kind": "channel"},
            {"base_url": "ftp://example.com"},
            {"secrets": {"token": "short"}},
        ],
    )
    def test_refuses_what_makes_no_sense(self, changes):
        values = {"kind": "mail", "code": "post", "adapter": "smtp", "name": "Mail"} | changes

        with pytest.raises(Invalid):
            services.define_connection(
                ConnectionDraft(account_id=AccountFactory().pk, **values), at=NOON, actor=SYSTEM
            )


class TestSecrets:
    def test_are_set_by_name_and_taken_away_by_an_empty_one(self):
        ref = a_connection(ChannelFactory())

        services.set_secrets(ref.id, {"access_token": "t" * 20}, at=NOON, actor=SYSTEM)
        services.set_secrets(ref.id, {"webhook_secret": ""}, at=NOON, actor=SYSTEM)

        assert connections.secrets(ref) == {"access_token": "t" * 20}

    def test_of_another_account_cannot_be_set(self):
        ref = a_connection(ChannelFactory())

        with pytest.raises(NotFound):
            services.set_secrets(
                ref.id, {"access_token": "t" * 20}, at=NOON, actor=of_account(AccountFactory())
            )

    @pytest.mark.urls("integrations.api.urls")
    def test_old_and_new_both_sign_while_a_rotation_lasts(self):
        ref = a_connection(ChannelFactory())
        services.rotate_webhook_secret(ref.id, "quite another secret", at=NOON, actor=SYSTEM)

        during = [self.send(ref, secret) for secret in (SECRET, "quite another secret")]
        services.end_rotation(ref.id, at=NOON, actor=SYSTEM)
        after = [self.send(ref, secret) for secret in (SECRET, "quite another secret")]

        assert (during, after) == ([200, 200], [401, 200])

    @pytest.mark.urls("integrations.api.urls")
    def test_of_a_closed_channel_sign_nothing(self):
        ref = a_connection(ChannelFactory(active=False))

        assert self.send(ref, SECRET) == 401

    @staticmethod
    def send(ref, secret: str) -> int:
        raw, signature = signed({"id": 1}, secret)
        return (
            Client()
            .post(
                f"/webhooks/shopify/{ref.code}",
                raw,
                content_type="application/json",
                headers={"X-Shopify-Hmac-Sha256": signature, "X-Shopify-Topic": "products/update"},
            )
            .status_code
        )

    @pytest.mark.urls("integrations.api.urls")
    def test_tell_accounts_with_the_same_code_apart(self):
        first, second = ChannelFactory(code="web"), ChannelFactory(code="web")
        a_connection(first, secrets={"webhook_secret": "the first one's secret"})
        ref = a_connection(second, secrets={"webhook_secret": "the second one's secret"})

        self.send(ref, "the second one's secret")

        assert InboxMessage.objects.for_scope(ALL_ACCOUNTS).get().account_id == second.account_id


class TestWhoIsThere:
    def test_is_found_by_node_channel_carrier_and_code(self):
        channel, node = ChannelFactory(), NodeFactory()
        shop = a_connection(channel)
        warehouse = a_connection(
            channel, "wms", kind="warehouse", code="dc", channel_id=None, node_id=node.pk
        )
        carrier = a_connection(
            channel, "easypost", kind="carrier", code="ups", channel_id=None, carrier_code="ups"
        )

        assert connections.of_channel(channel.pk) == shop
        assert connections.of_node(node.pk) == warehouse
        assert connections.of_carrier(channel.account_id, "ups") == carrier
        assert connections.by_code("warehouse", "dc") == warehouse
        assert connections.of_node(node.pk + 1) is None

    def test_of_many_nodes_costs_one_statement(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            connections.of_nodes(range(50))


class TestHealth:
    def test_is_written_now_and_then_only(self):
        ref = a_connection(ChannelFactory())

        connections.heard([ref.id], at=NOON)
        connections.heard([ref.id], at=NOON + timedelta(seconds=1))
        first = Connection.objects.for_scope(ALL_ACCOUNTS).get().last_heard_at
        connections.heard([ref.id], at=NOON + timedelta(minutes=1))

        row = Connection.objects.for_scope(ALL_ACCOUNTS).get()
        assert (first, row.last_heard_at) == (NOON, NOON + timedelta(minutes=1))

    def test_says_what_failed(self):
        ref = a_connection(ChannelFactory())

        connections.failed(ref.id, "ReadTimeout", at=NOON)

        row = Connection.objects.for_scope(ALL_ACCOUNTS).get()
        assert (row.last_failed_at, row.failure) == (NOON, "ReadTimeout")


class TestSilence:
    def test_is_reported_when_news_is_overdue(self):
        ref = a_connection(ChannelFactory(), expected_every=600)
        a_connection(ChannelFactory())

        assert services.report_silent(at=NOON + timedelta(minutes=10)) == 0
        assert services.report_silent(at=NOON + timedelta(minutes=11)) == 1
        assert CaseReport.objects.get().subject_id == ref.id

    def test_ends_with_the_next_news(self):
        ref = a_connection(ChannelFactory(), expected_every=600)
        connections.heard([ref.id], at=NOON + timedelta(minutes=8))

        assert selectors.silent(NOON + timedelta(minutes=17)) == []
        assert [one.id for one in selectors.silent(NOON + timedelta(minutes=19))] == [ref.id]

    def test_of_a_paused_connection_is_none(self):
        ref = a_connection(ChannelFactory(), expected_every=600)
        services.pause(ref.id, at=NOON, actor=SYSTEM)

        assert selectors.silent(NOON + timedelta(days=1)) == []


class TestCursor:
    def test_keeps_each_watermark_by_itself(self):
        ref = a_connection(ChannelFactory())

        connections.move_cursor(ref.id, "orders", "2026-03-02T12:00:00Z")
        connections.move_cursor(ref.id, "stock", 17)

        assert connections.cursor_of(ref.id, "orders") == "2026-03-02T12:00:00Z"
        assert connections.cursor_of(ref.id, "stock") == 17
        assert connections.cursor_of(ref.id, "returns") is None


class TestClient:
    def test_sends_nothing_while_we_only_listen(self, unused_port):
        ref = a_connection(ChannelFactory(), base_url=f"http://127.0.0.1:{unused_port}")

        with pytest.raises(Busy, match="listening"):
            connections.client(ref).send("POST", "/orders")

    def test_asks_nothing_while_it_is_paused(self, unused_port):
        ref = a_connection(ChannelFactory(), base_url=f"http://127.0.0.1:{unused_port}")
        services.pause(ref.id, at=NOON, actor=SYSTEM)

        with pytest.raises(Busy, match="paused"):
            connections.client(ref).send("GET", "/orders")

    def test_is_kept_until_something_about_it_changes(self):
        ref = a_connection(ChannelFactory())
        first = connections.client(ref)

        assert connections.client(ref) is first
        services.set_secrets(ref.id, {"access_token": "t" * 20}, at=NOON, actor=SYSTEM)
        assert connections.client(ref) is not first


ARGUMENTS: dict[str, dict[str, object]] = {"go_live": {}, "pause": {}, "listen": {}}


class TestMachine:
    @pytest.mark.parametrize(("name", "state"), sorted(product(ARGUMENTS, ConnectionState.values)))
    def test_goes_where_it_is_declared_to_and_nowhere_else(self, name, state):
        row = ConnectionFactory.build(state=state, channel=None, account=None)
        pairs = {(n, source): target for n, source, target in transitions_of(Connection)}

        if (name, state) in pairs:
            getattr(row, name)()
            assert row.state == pairs[name, state]
        else:
            with pytest.raises(IllegalTransition):
                getattr(row, name)()

    def test_names_every_transition_here(self):
        assert {name for name, *_ in transitions_of(Connection)} == set(ARGUMENTS)

    def test_leaves_a_history_row_for_each_switch_and_none_for_a_repeat(self):
        ref = a_connection(ChannelFactory())

        services.go_live(ref.id, at=NOON, actor=SYSTEM)
        services.go_live(ref.id, at=NOON, actor=SYSTEM)

        reasons = list(Connection.history.values_list("history_change_reason", flat=True))
        assert sorted(reasons) == ["now live", "set up"]

    def test_is_not_there_for_an_unknown_id(self):
        with pytest.raises(NotFound):
            services.go_live(uuid7(), at=NOON, actor=SYSTEM)


def test_polling_many_connections_costs_one_statement():
    for _ in range(3):
        a_connection(ChannelFactory())

    with CaptureQueriesContext(database) as queries:
        found = connections.of_adapter("shopify")

    assert (len(found), len(queries)) == (3, 1)
