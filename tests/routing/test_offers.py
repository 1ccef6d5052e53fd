"""Drop-ship suppliers' offers decide with: what they ask, how soon they send, and what they refuse."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.kernel.types import ALL_ACCOUNTS
from inventory.models import Node, SupplierOffer
from inventory.services import define, define_offers, end_offer, put_items
from inventory.types import ItemDraft, OfferDraft, OfferTerms
from orders.selectors.asked import Asked
from routing import engine, reference, services
from routing.drawn import opened_input
from routing.offered import offered
from routing.replaying import recorded_from
from routing.services.rates import RateCardDraft, ZoneDraft, define_rate_cards
from routing.simulating_input import Scenes
from tests.factories.routing import (
    MONDAY_NOON,
    SYSTEM,
    Network,
    a_network,
)
from tests.routing.test_planner import plan, recorded, taken

pytestmark = pytest.mark.django_db
TODAY = MONDAY_NOON.date()


def a_supplier_next_door() -> Network:
    """Newark is a supplier, next to the buyer; Reno is ours, and a continent away."""
    network = a_network("RENO", "NEWARK")
    Node._base_manager.filter(pk=network.nodes["NEWARK"]).update(kind="supplier")
    network.stock("TEE", RENO=50, NEWARK=50)
    reference.forget()
    return network


def offer(network: Network, **details: object) -> None:
    values: dict[str, object] = {
        "node_id": network.nodes["NEWARK"],
        "sku_id": network.skus["TEE"],
        "unit_cost_minor": 900,
        "own_cost_minor": 900,
        "currency": "USD",
        "valid_from": TODAY,
    }
    [told] = define_offers(
        [OfferDraft(**(values | details))],  # type: ignore[arg-type]
        account_id=network.account.pk,
        at=MONDAY_NOON,
        actor=SYSTEM,
    )
    assert told.problem is None


def sent(network: Network, units: int = 1) -> tuple[dict[str, int], engine.Record]:
    [planned] = plan(network, network.demand({"TEE": units}))
    return taken(network, planned), recorded(planned)


def test_what_a_supplier_asks_above_our_own_cost_is_weighed_against_the_freight():
    network = a_supplier_next_door()

    offer(network, lead_days=2)
    near, said = sent(network)
    offer(network, unit_cost_minor=2_000)
    far, refused = sent(network)

    code = newark(network)
    assert (near, far) == ({"NEWARK": 1}, {"RENO": 1})
    assert "ready after two working days" in engine.why_not(said, code)
    assert "the supplier asks $11.00 above our own cost" in engine.why_not(refused, code)


def test_a_policy_that_counts_days_takes_whoever_is_sooner():
    network = a_supplier_next_door()
    offer(network, lead_days=9)
    assert sent(network)[0] == {"NEWARK": 1}

    soonest = services.seed_policies(network.account.pk, at=MONDAY_NOON, actor=SYSTEM)["soonest"]
    services.submit_policy(soonest, at=MONDAY_NOON, actor=SYSTEM)
    services.publish_policy(soonest, at=MONDAY_NOON, actor=SYSTEM)
    reference.forget()

    assert sent(network)[0] == {"RENO": 1}


def test_an_order_below_the_least_one_and_what_is_offered_no_longer_stay_here():
    network = a_supplier_next_door()
    offer(network, least_units=3)
    least = {units: sent(network, units)[0] for units in (2, 3)}
    why = engine.why_not(sent(network, 2)[1], newark(network))

    end_offer(SupplierOffer.objects.for_scope(ALL_ACCOUNTS).get().pk, TODAY, at=MONDAY_NOON, actor=SYSTEM)  # fmt: skip
    ended, said = sent(network, 3)

    assert least == {2: {"RENO": 2}, 3: {"NEWARK": 3}}
    assert why.endswith("has it and takes orders of 3 units or more.")
    assert ended == {"RENO": 3}
    assert engine.why_not(said, newark(network)).endswith("has it and offers it no longer.")
    history = SupplierOffer.history.order_by("history_id").values_list("history_type", flat=True)
    assert list(history) == ["+", "~"]


def test_a_decision_under_an_offer_is_made_again_from_its_own_input():
    network = a_supplier_next_door()
    offer(network, lead_days=2, unit_cost_minor=950)
    [planned] = plan(network, network.demand({"TEE": 1}))
    row = {
        "id": planned.group_id, "order_id": planned.group_id, "group_id": planned.group_id,
        "account_id": network.account.pk, "at": MONDAY_NOON,
        "input": planned.decision.input, "record": planned.decision.record,
    }  # fmt: skip
    said = Asked(network.channel.pk, "USD", 0, "ship", "", "10001", "", "US", False, None, [], [])
    offer(network, lead_days=5, unit_cost_minor=4_000)

    again = recorded_from(row, said, reference.current(), Scenes())
    [replayed] = engine.plan(
        [again.demand],
        again.nodes,
        engine.Supply({(n, s): u for s, by in again.supply.items() for n, u in by.items()}),
        reference.current().rates(),
        again.policy,
    )

    assert opened_input(planned.decision.input)["partners"] == [
        [network.nodes["NEWARK"], 2, [[network.skus["TEE"], 50]], []]
    ]
    assert engine.compact(replayed) == planned.decision.record


def test_prices_compare_with_the_least_one_where_nobody_says_what_ours_cost():
    def terms(node: int, cost: int, **more: object) -> OfferTerms:
        values = {"own_cost_minor": None, "currency": "USD", "lead_days": 0, "least_units": 1}
        values |= {"valid_from": TODAY, "valid_until": None} | more
        return OfferTerms(node, 1, cost, **values)  # type: ignore[arg-type]

    known = {1: [terms(7, 800), terms(8, 950), terms(9, 100, currency="EUR", lead_days=4)]}

    found = offered(known, [1], currency="USD", on=TODAY)

    assert {node: dict(one.surcharges) for node, one in found.partners.items()} == {
        7: {}, 8: {1: 150}, 9: {},
    }  # fmt: skip
    assert found.leads_by_sku == {1: {7: 0, 8: 0, 9: 4}}
    before = offered(known, [1], currency="USD", on=TODAY - timedelta(days=1))
    assert (before.partners, before.leads_by_sku) == ({}, {})


def test_offers_are_read_once_and_not_at_all_while_there_are_none():
    network = a_supplier_next_door()
    plan(network, network.demand({"TEE": 1}))

    def statements() -> int:
        with CaptureQueriesContext(connection) as queries:
            plan(network, network.demand({"TEE": 1}))
        return len(queries)

    without = statements()
    offer(network)
    assert (statements(), statements()) == (without + 1, without)


def test_what_a_service_does_not_carry_no_node_sends_by_it():
    network = a_supplier_next_door()
    put_items(
        [ItemDraft("TEE", "Tee", un_number="1950", hazard_class="2.1")],
        account_id=network.account.pk, at=MONDAY_NOON, actor=SYSTEM,
    )  # fmt: skip
    ids = define.define_services(
        [define.ServiceDraft("air", "Air", "standard", "ups", "UPS", refuses=("hazmat",))],
        at=MONDAY_NOON,
        actor=SYSTEM,
    )
    zones = (ZoneDraft(20_000, 500, 0, 1, 2),)
    define_rate_cards([RateCardDraft("air", ids["air"], zones)], at=MONDAY_NOON, actor=SYSTEM)

    units, said = sent(network)

    assert units == {}
    assert "air does not carry dangerous goods" in engine.why_not(said, newark(network))


def newark(network: Network) -> str:
    return str(Node._base_manager.get(pk=network.nodes["NEWARK"]).code)
