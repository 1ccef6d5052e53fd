"""Decisions in words: why here, why not there, and what another node would cost."""

import io
import json
from decimal import Decimal

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

import orders.services
from config.kernel import ids
from config.kernel.errors import NotFound
from config.kernel.types import ALL_ACCOUNTS, Scope
from inventory.models import StockPosition
from orders.models import DeliveryGroup, Order
from orders.types import Address, GroupDraft, LineDraft, OrderDraft
from routing import selectors
from routing.models import RoutingDecision, SourcingPolicy
from tests.factories.kernel import ApiKeyFactory, GrantFactory, RoleFactory, UserFactory
from tests.factories.routing import (
    MONDAY_NOON,
    SYSTEM,
    Network,
    SourcingPolicyFactory,
    a_network,
)

pytestmark = pytest.mark.django_db


NEW_YORK = ("New York", "NY", "10118", "US")


def accepted(network: Network, *place: str, **wanted: int) -> Order:
    """An order to New York unless told otherwise, captured and accepted by command."""
    draft = OrderDraft(
        channel_id=network.channel.pk,
        account_id=network.account.pk,
        brand_id=network.channel.brand_id,
        external_id=str(ids.uuid7()),
        currency="USD",
        placed_at=MONDAY_NOON,
        groups=(
            GroupDraft(
                lines=tuple(
                    LineDraft(sku, sku, quantity, unit_price=Decimal(25))
                    for sku, quantity in wanted.items()
                ),
                address=Address("Ann Lee", "", "350 Fifth Avenue", "", *(place or NEW_YORK)),
            ),
        ),
    )
    [captured] = orders.services.capture_orders([draft], at=MONDAY_NOON, actor=SYSTEM)
    assert captured.value is not None
    orders.services.accept_orders([captured.value.id], at=MONDAY_NOON, actor=SYSTEM)
    return Order.objects.for_scope(ALL_ACCOUNTS).get(pk=captured.value.id)


def group_of(order: Order) -> DeliveryGroup:
    return DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(order=order)


def code(network: Network, short: str) -> str:
    return f"{short}-{str(network.account.pk)[-6:]}"


@pytest.fixture
def network() -> Network:
    network = a_network("RENO", "COLUMBUS", "NEWARK", "DALLAS", outside=("DALLAS",))
    network.stock("TEE", NEWARK=5, RENO=5)
    network.stock("MUG", RENO=5)
    return network


class TestDecision:
    def test_is_made_at_acceptance_with_a_verdict_for_every_node(self, network):
        order = accepted(network, TEE=1)

        [decision] = selectors.decisions_of(order.pk, ALL_ACCOUNTS)

        assert decision.winner == code(network, "NEWARK")
        assert decision.first
        assert {node.split("-")[0]: verdict for node, verdict, _ in decision.verdicts} == {
            "NEWARK": "chosen",
            "RENO": "costs_more",
            "COLUMBUS": "no_stock",
            "DALLAS": "not_in_network",
        }

    def test_is_never_changed(self, network):
        accepted(network, TEE=1)

        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            RoutingDecision.objects.for_scope(ALL_ACCOUNTS).update(winner="")

    def test_holds_no_personal_data(self, network):
        accepted(network, TEE=1)

        record = json.dumps(RoutingDecision.objects.for_scope(ALL_ACCOUNTS).get().record)

        assert not any(word in record for word in ("Ann", "Fifth", "10118"))

    def test_is_hidden_from_other_accounts(self, network):
        order = accepted(network, TEE=1)

        assert selectors.decisions_of(order.pk, Scope(frozenset({ids.uuid7()}))) == []


class TestWhyHere:
    def test_says_who_sends_what_when_and_for_how_much(self, network):
        order = accepted(network, TEE=2)

        said = selectors.why_here(group_of(order).pk, ALL_ACCOUNTS)

        assert said[:3] == [
            "Newark store ships both items: the best of two nodes with everything in stock.",
            "It leaves by Mon 2 Mar 20:00 UTC and arrives Tue 3 Mar to Wed 4 Mar.",
            "Expected cost: $9.00, of which $7.10 freight, $1.50 handling and $0.40 picking.",
        ]
        assert said[3].startswith("Next best: Reno DC, ")

    def test_names_the_cause_of_a_split(self, network):
        network.stock("CAP", NEWARK=1)
        order = accepted(network, CAP=1, MUG=1)

        said = selectors.why_here(group_of(order).pk, ALL_ACCOUNTS)

        assert said[0] == (
            "Newark store ships CAP and Reno DC ships MUG: two parcels, because no node has "
            "everything in stock."
        )

    def test_says_what_could_not_be_sent(self, network):
        order = accepted(network, TEE=12)

        said = selectors.why_here(group_of(order).pk, ALL_ACCOUNTS)

        assert "2 of 12 units of TEE are left unfilled: there is not enough stock." in said

    def test_says_when_the_destination_is_known_only_coarsely(self, network):
        order = accepted(network, "London", "", "SW1A 1AA", "GB", TEE=1)

        said = selectors.why_here(group_of(order).pk, ALL_ACCOUNTS)

        assert "Of the destination only the country is known: its center stands for it." in said

    def test_knows_nothing_of_a_group_that_was_never_planned(self):
        with pytest.raises(NotFound):
            selectors.why_here(ids.uuid7(), ALL_ACCOUNTS)


class TestWhyNot:
    @pytest.mark.parametrize(
        ("short", "sentence"),
        [
            ("COLUMBUS", "Columbus DC has none of this order in stock."),
            ("DALLAS", "Dallas 3PL is not in the network of this channel."),
            ("NEWARK", "Newark store was chosen: it ships the item (zone 1, 16 km)."),
        ],
    )
    def test_answers_for_any_node(self, network, short, sentence):
        group = group_of(accepted(network, TEE=1))

        assert selectors.why_not(group.pk, code(network, short), ALL_ACCOUNTS) == sentence

    def test_says_how_much_worse_a_dearer_node_is(self, network):
        group = group_of(accepted(network, TEE=1))

        said = selectors.why_not(group.pk, code(network, "RENO"), ALL_ACCOUNTS)

        assert said.startswith("Reno DC would cost $")

    def test_does_not_know_a_node_that_came_later(self, network):
        group = group_of(accepted(network, TEE=1))

        with pytest.raises(NotFound):
            selectors.why_not(group.pk, "NOWHERE", ALL_ACCOUNTS)


class TestCandidatesFor:
    def test_gives_cost_and_promise_beside_each_node(self, network):
        group = group_of(accepted(network, TEE=1))

        choices = selectors.candidates_for(group.pk, ALL_ACCOUNTS, at=MONDAY_NOON)

        assert [choice.code.split("-")[0] for choice in choices] == [
            "NEWARK",
            "RENO",
            "COLUMBUS",
            "DALLAS",
        ]
        newark, reno, columbus, _ = choices
        assert newark.chosen_now
        assert newark.cost_minor is not None
        assert reno.cost_minor is not None
        assert newark.cost_minor < reno.cost_minor
        assert newark.promise is not None
        assert reno.promise is not None
        assert newark.promise.deliver_latest < reno.promise.deliver_latest
        assert (columbus.missing, columbus.cost_minor, columbus.promise) == (1, None, None)

    def test_counts_the_groups_own_units_as_free(self, network):
        group = group_of(accepted(network, TEE=5))

        [newark, *_] = selectors.candidates_for(group.pk, ALL_ACCOUNTS, at=MONDAY_NOON)

        assert StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(reserved=5).exists()
        assert (newark.code.split("-")[0], newark.missing) == ("NEWARK", 0)

    def test_asks_no_more_of_the_database_for_more_nodes(self):
        def statements(*nodes: str) -> int:
            network = a_network(*nodes)
            network.stock("TEE", NEWARK=5)
            group = group_of(accepted(network, TEE=1))
            with CaptureQueriesContext(connection) as queries:
                selectors.candidates_for(group.pk, ALL_ACCOUNTS, at=MONDAY_NOON)
            return len(queries)

        statements("NEWARK")
        assert statements("NEWARK") == statements("RENO", "COLUMBUS", "NEWARK", "DALLAS")

    def test_refuses_a_group_of_which_nothing_waits(self):
        with pytest.raises(NotFound):
            selectors.candidates_for(ids.uuid7(), ALL_ACCOUNTS, at=MONDAY_NOON)


class TestQuote:
    def test_says_what_another_policy_would_do_and_reserves_nothing(self, network):
        network.stock("MUG", COLUMBUS=1)
        network.stock("TEE", COLUMBUS=1)
        demand = network.demand({"TEE": 1, "MUG": 1})
        dear = SourcingPolicyFactory(account=network.account, max_nodes=1, max_km=500)

        [now] = selectors.quote([demand], at=MONDAY_NOON)
        [then] = selectors.quote([demand], at=MONDAY_NOON, policies={demand.channel_id: dear})

        assert (now.unfilled, len(then.unfilled)) == ((), 1)
        assert not StockPosition.objects.for_scope(ALL_ACCOUNTS).filter(reserved__gt=0).exists()


def explained(*args: str) -> tuple[int, str]:
    out, code = io.StringIO(), 0
    try:
        call_command("explain", *args, stdout=out, stderr=io.StringIO())
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue()


def explained_badly(*args: str) -> tuple[int, str]:
    """The exit code and what was said on standard error."""
    said, code = io.StringIO(), 0
    try:
        call_command("explain", *args, stdout=io.StringIO(), stderr=said)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, said.getvalue()


class TestExplain:
    def test_tells_why_in_sentences(self, network):
        order = accepted(network, TEE=1)

        _, printed = explained(order.number)

        assert "Newark store ships the item: the best of two nodes" in printed
        assert "Columbus DC has none of this order in stock." in printed

    def test_tells_why_not(self, network):
        order = accepted(network, TEE=1)

        _, printed = explained(order.external_id, "--why-not", code(network, "COLUMBUS"))

        assert printed == "Columbus DC has none of this order in stock.\n"

    def test_gives_json(self, network):
        order = accepted(network, TEE=1)

        [decision] = json.loads(explained(str(order.pk), "--json")[1])

        assert decision["winner"] == code(network, "NEWARK")

    def test_says_what_an_order_waits_for_that_was_never_routed(self, network):
        order = accepted(network, NOBODY_KNOWS=1)

        code, said = explained_badly(order.number)

        assert code == 1
        assert f"Nothing of {order.number} was routed yet: it is captured" in said
        assert "SKU not mapped (stops accept): The channel sold “NOBODY_KNOWS”" in said

    def test_says_what_it_does_not_know(self, network):
        order = accepted(network, TEE=1)

        assert explained("SY-0")[0] == 2
        assert explained(order.number, "--why-not", "NOWHERE")[0] == 2


@pytest.mark.urls("routing.api.urls")
class TestOrderDecisionsApi:
    def get(self, order_id: object, secret: str = ""):
        headers = {"Authorization": f"Bearer {secret}"} if secret else {}
        return Client(headers=headers).get(f"/orders/{order_id}/decisions")

    def test_gives_every_decision_with_its_reasons(self, network):
        order = accepted(network, TEE=1)
        key = ApiKeyFactory(account=network.account)

        response = self.get(order.pk, key.secret)

        [decision] = response.json()
        assert response.status_code == 200
        assert decision["winner"] == code(network, "NEWARK")
        assert [line["label"] for line in decision["record"]["lines"]] == ["TEE"]
        assert len(decision["verdicts"]) == 4
        assert decision["why"]

    def test_needs_a_key_of_the_account(self, network):
        order = accepted(network, TEE=1)

        assert self.get(order.pk).status_code == 401
        assert self.get(order.pk, ApiKeyFactory().secret).status_code == 404


class TestAdmin:
    def client(self, role: str, network: Network) -> Client:
        user = UserFactory()
        GrantFactory(user=user, role=RoleFactory(code=role), account=network.account)
        client = Client()
        client.force_login(user)
        return client

    def test_shows_decisions_with_their_reasons(self, network):
        accepted(network, TEE=1)
        decision = RoutingDecision.objects.for_scope(ALL_ACCOUNTS).get()
        client = self.client("ops_manager", network)

        listed = client.get("/admin/routing/routingdecision/")
        page = client.get(f"/admin/routing/routingdecision/{decision.pk}/change/")

        assert (listed.status_code, page.status_code) == (200, 200)
        assert "the best of two nodes with everything in stock" in page.content.decode()

    def test_saves_weights_as_a_new_version_that_another_person_publishes(self, network):
        client = self.client("ops_manager", network)
        other = self.client("ops_manager", network)
        values = {
            "account": network.account.pk,
            "channel": "",
            "code": "own",
            "name": "Own",
            "cost_percent": 100,
            "parcel_minor": 250,
            "km_milli": 0,
            "late_day_minor": 0,
            "max_nodes": 3,
            "max_km": "",
            "allow_partial": "on",
            "split_lines": "on",
            "soft": ["max_nodes"],
        }

        first = client.post("/admin/routing/sourcingpolicy/add/", values)
        policies = SourcingPolicy.objects.for_scope(ALL_ACCOUNTS).order_by("version")
        policy = policies.get()
        client.post(
            f"/admin/routing/sourcingpolicy/{policy.pk}/change/", values | {"parcel_minor": 900}
        )
        chosen = [str(policies.last().pk)]
        for who, act in ((client, "submit"), (client, "publish"), (other, "publish")):
            who.post("/admin/routing/sourcingpolicy/", {"action": act, "_selected_action": chosen})

        assert first.status_code == 302
        assert [
            (row.version, row.state, row.weights["parcel_minor"], row.soft)
            for row in policies.all()
        ] == [(1, "draft", 250, ["max_nodes"]), (2, "live", 900, ["max_nodes"])]

    def test_lets_an_auditor_look_and_not_touch(self, network):
        client = self.client("auditor", network)

        assert client.get("/admin/routing/sourcingpolicy/").status_code == 200
        assert client.get("/admin/routing/sourcingpolicy/add/").status_code == 403

    def test_is_closed_to_a_node_operator(self, network):
        client = self.client("node_operator", network)

        assert client.get("/admin/routing/routingdecision/").status_code == 403
