"""Recorded decisions played again: what a draft would have cost, and which orders it would move."""

import io
import json
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from config.kernel import ids
from config.kernel.errors import Conflict
from config.kernel.models import Job
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from routing import engine, reference
from routing import simulation_selectors as selectors
from routing.drawn import opened_input
from routing.matching_models import PriceBook
from routing.models import RoutingDecision, SourcingPolicy
from routing.replaying import recorded_decisions
from routing.services import Answered, count_answers, simulations
from routing.services.books import make_book
from routing.services.shadows import start_shadow
from routing.services.simulations import SimulationDraft
from routing.simulating_samples import Wanted
from routing.simulation_models import SimulatedMove, Simulation
from tests.factories.kernel import ChannelFactory, GrantFactory, RoleFactory
from tests.factories.routing import (
    MONDAY_NOON,
    SYSTEM,
    Network,
    SourcingPolicyFactory,
    a_network,
    ordered_before,
)
from tests.routing.test_decisions import accepted, code

pytestmark = pytest.mark.django_db

LATER = MONDAY_NOON + timedelta(hours=1)


@pytest.fixture
def network() -> Network:
    """Newark has two tees, Reno more: the third order to New York goes from Reno."""
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", NEWARK=2, RENO=9)
    network.stock("MUG", RENO=9)
    return network


def live(network: Network, **values) -> SourcingPolicy:
    return SourcingPolicyFactory(account=network.account, live=True, **values)


def simulated(network: Network, *policies: SourcingPolicy, kind="period", **more) -> Simulation:
    """The simulation of these policies over the day, worked through."""
    wanted = Wanted(
        kind,
        LATER,
        starts_at=MONDAY_NOON - timedelta(hours=12),
        ends_at=LATER,
        **{key: value for key, value in more.items() if key != "sweep"},
    )
    draft = SimulationDraft(
        network.account.pk,
        tuple(policy.pk for policy in policies),
        wanted.sample(),
        sweep=more.get("sweep", False),
    )
    simulation = simulations.start_simulation(draft, at=LATER, actor=SYSTEM)
    jobs.run_job(simulation.job_id, at=LATER)
    simulation.refresh_from_db()
    return simulation


def test_the_policy_that_decided_moves_no_order(network):
    policy = live(network)
    for wanted in ({"TEE": 1}, {"TEE": 1, "MUG": 1}, {"TEE": 2}, {"MUG": 2}):
        accepted(network, **wanted)

    simulation = simulated(network, policy)

    before, after = simulation.result["variants"]
    assert before == after
    assert (simulation.result["reproduced"], simulation.result["drifted"]) == (4, 0)
    assert not SimulatedMove.objects.filter(simulation=simulation).exists()
    assert before["cost:score"] == sum(
        row.record["t"][0] for row in RoutingDecision.objects.for_scope(ALL_ACCOUNTS).all()
    )


def test_a_decision_made_with_prices_and_rejections_is_played_as_it_was(network):
    """Reno's tees are worth more to later buyers, Newark rejects some: both are in what is stored."""
    policy = live(network, weights={"cost_percent": 100, "reroute_minor": 700})
    ordered_before(network, {"TEE": 3})
    make_book(network.account.pk, at=MONDAY_NOON, actor=SYSTEM)
    answered = Answered(network.nodes["NEWARK"], network.skus["TEE"], rejected=True)
    count_answers([answered] * 20, at=MONDAY_NOON)
    accepted(network, "Denver", "CO", "80202", "US", TEE=1)
    accepted(network, TEE=1, MUG=1)
    PriceBook.objects.for_scope(ALL_ACCOUNTS).delete()
    count_answers([replace(answered, rejected=False)] * 500, at=MONDAY_NOON)

    rows = list(RoutingDecision.objects.for_scope(ALL_ACCOUNTS).order_by("pk"))
    recorded = recorded_decisions([row.pk for row in rows], ALL_ACCOUNTS)
    simulation = simulated(network, policy)

    assert [row.level for row in rows] == ["priced", "priced"]
    assert all({"prices", "acceptance"} <= opened_input(row.input).keys() for row in rows)
    rates = reference.current().rates()
    for row, one in zip(rows, recorded, strict=True):
        units = {
            (n, sku): left for sku, by_node in one.supply.items() for n, left in by_node.items()
        }
        supply = engine.Supply(units)
        [again] = engine.plan([one.demand], one.nodes, supply, rates, one.policy, one.book)
        assert json.dumps(engine.compact(again), sort_keys=True) == json.dumps(
            row.record, sort_keys=True
        )
    before, after = simulation.result["variants"]
    assert before == after
    assert (simulation.result["reproduced"], simulation.result["drifted"]) == (2, 0)
    assert not SimulatedMove.objects.filter(simulation=simulation).exists()


def test_a_draft_moves_orders_and_later_ones_meet_the_stock_that_it_left(network):
    """By Reno for two or more tees: Newark keeps a unit, which the draft's last order finds."""
    live(network)
    draft = SourcingPolicyFactory(
        account=network.account,
        rules=[
            {
                "name": "Many",
                "when": [{"attribute": "units", "test": "at_least", "values": [2]}],
                "nodes": {"nodes": [code(network, "RENO")]},
            }
        ],
    )
    first, second = accepted(network, TEE=2), accepted(network, TEE=1)

    simulation = simulated(network, draft)

    moves = {move.order_id: move for move in SimulatedMove.objects.filter(simulation=simulation)}
    assert {order_id: (m.before_from, m.after_from) for order_id, m in moves.items()} == {
        first.pk: (code(network, "NEWARK"), code(network, "RENO")),
        second.pk: (code(network, "RENO"), code(network, "NEWARK")),
    }
    before, after = simulation.result["variants"]
    assert after["cost:freight"] - before["cost:freight"] == -sum(
        move.saved_minor for move in moves.values()
    )
    assert (before["groups"], after["moved"]) == (2, 2)
    said = selectors.move_of(simulation.pk, moves[first.pk].pk, ALL_ACCOUNTS)
    assert "Newark store ships both items" in said.why_before[0]
    assert "Reno DC ships both items" in said.why_after[0]


def test_a_group_that_is_decided_again_counts_once_and_gives_back_what_it_took(network):
    policy = live(network)
    order = accepted(network, TEE=1)
    first = RoutingDecision.objects.for_scope(ALL_ACCOUNTS).get()
    again = RoutingDecision.objects.for_scope(ALL_ACCOUNTS).get()
    again.pk, again._state.adding = ids.uuid7(), True
    again.at = first.at + timedelta(minutes=5)
    again.save()

    simulation = simulated(network, policy, policy)

    assert [variant["groups"] for variant in simulation.result["variants"]] == [1, 1, 1]
    assert simulation.result["variants"][1]["units"] == 1
    assert order.pk == first.order_id


def test_a_peak_plays_each_order_so_many_times_and_the_same_for_a_seed(network):
    policy = live(network)
    accepted(network, TEE=1)
    accepted(network, TEE=2)

    peaks = [simulated(network, policy, kind="peak", tenths=25).result for _ in range(2)]

    assert peaks[0] == peaks[1]
    assert peaks[0]["variants"][0]["groups"] in {4, 5, 6}
    assert peaks[0]["variants"][0].get("unfilled_units", 0) == 0


def test_a_job_that_is_stopped_keeps_what_it_played_and_another_run_of_it_goes_on(network):
    """Each chunk commits with what it carries: a worker that dies loses the chunk in hand alone."""
    policy = live(network)
    for _ in range(3):
        accepted(network, TEE=1)
    draft = SimulationDraft(
        network.account.pk,
        (policy.pk,),
        Wanted("period", LATER, MONDAY_NOON - timedelta(hours=1), LATER).sample(),
    )
    whole = simulations.start_simulation(draft, at=LATER, actor=SYSTEM)
    parted = simulations.start_simulation(draft, at=LATER, actor=SYSTEM)
    items = list(Job.objects.for_scope(ALL_ACCOUNTS).get(pk=parted.job_id).items.all())

    jobs.run_job(whole.job_id, at=LATER)
    for item in items:
        simulations.play_decisions([item.subject_id], {"simulation": str(parted.pk)}, LATER, SYSTEM)

    whole.refresh_from_db()
    parted.refresh_from_db()
    assert whole.result == parted.result
    assert whole.result["variants"][0]["groups"] == 3


def test_the_orders_of_other_channels_are_left_alone(network):
    live(network)
    other = ChannelFactory(account=network.account)
    draft = SourcingPolicyFactory(account=network.account, channel=other)
    accepted(network, TEE=1)

    result = simulated(network, draft).result

    assert (result["others"], result["variants"][1]) == (1, {})


def test_a_sweep_tries_other_weights_of_the_first_policy(network):
    policy = live(network)
    accepted(network, TEE=1, MUG=1)

    simulation = simulated(network, policy, sweep=True)

    assert len(simulation.variants) == len(simulation.result["variants"]) == 8
    assert simulation.variants[2]["label"] == "cost alone"


def test_what_is_over_for_ninety_days_is_forgotten_and_a_shadow_that_runs_is_not(network):
    live(network)
    draft = SourcingPolicyFactory(account=network.account, max_km=2_000)
    accepted(network, TEE=3)
    old = simulated(network, draft)
    shadow = start_shadow(draft.pk, at=LATER, actor=SYSTEM)
    assert SimulatedMove.objects.filter(simulation=old).exists()

    soon = simulations.sweep_simulations(at=LATER + timedelta(days=90))
    late = simulations.sweep_simulations(at=LATER + timedelta(days=90, seconds=1))

    assert (soon, late) == (0, 1)
    assert list(Simulation.objects.for_scope(ALL_ACCOUNTS)) == [shadow]
    assert not SimulatedMove.objects.exists()


def test_nothing_to_play_is_said_at_once(network):
    with pytest.raises(Conflict, match="Nothing was decided"):
        simulated(network, live(network))


def test_statements_do_not_grow_with_the_decisions(network):
    policy = live(network)
    for _ in range(4):
        accepted(network, TEE=1)
    pks = list(RoutingDecision.objects.for_scope(ALL_ACCOUNTS).values_list("pk", flat=True))
    draft = SimulationDraft(
        network.account.pk,
        (policy.pk,),
        Wanted("period", LATER, MONDAY_NOON - timedelta(hours=1), LATER).sample(),
    )
    simulation = simulations.start_simulation(draft, at=LATER, actor=SYSTEM)
    params = {"simulation": str(simulation.pk)}

    counts = []
    for chunk in (pks[:1], pks[1:]):
        with CaptureQueriesContext(connection) as asked:
            simulations.play_decisions(chunk, params, LATER, SYSTEM)
        counts.append(len(asked))

    assert counts[0] == counts[1]


class TestFaces:
    def test_the_api_starts_one_and_answers_figures_and_moved_orders(self, network):
        live(network)
        draft = SourcingPolicyFactory(account=network.account, code="less", weights={"km_milli": 9})
        accepted(network, TEE=2)
        role = RoleFactory(permissions=["routing.view", "routing.edit"])
        client = APIClient()
        client.force_authenticate(GrantFactory(role=role, account=network.account).user)
        body = {
            "account": network.account.code,
            "policies": ["less@1"],
            "sample": {
                "kind": "period",
                "starts_at": MONDAY_NOON.isoformat(),
                "ends_at": LATER.isoformat(),
            },
        }

        started = client.post("/api/v1/routing/simulations", body, format="json")
        own = f"/api/v1/routing/simulations/{started.json()['id']}"
        jobs.run_job(UUID(started.json()["job"]), at=LATER)
        done, moved = client.get(own).json(), client.get(f"{own}/moved").json()
        wrong = client.post(
            "/api/v1/routing/simulations", body | {"policies": ["none@1"]}, format="json"
        )

        assert (started.status_code, started.json()["state"]) == (201, "queued")
        assert (done["state"], done["total"], done["variants"][0]["deliveries"]) == ("done", 1, 1)
        assert done["variants"][1]["label"] == str(draft)
        assert moved == {"results": [], "next": None}
        assert wrong.status_code == 422

    def test_the_command_prints_a_table_of_the_policies(self, network):
        live(network, code="own")
        accepted(network, TEE=1)
        said = io.StringIO()

        call_command(
            "simulate", policy=["own@1"], since="2026-03-02", until="2026-03-03", stdout=said,
            stderr=io.StringIO(),
        )  # fmt: skip

        table = [line.split() for line in said.getvalue().splitlines()]
        assert ["deliveries", "1", "1"] in table
        assert ["moved", "0", "0"] in table
