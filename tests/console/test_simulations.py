"""What-if in the console: tried from the policy, read beside what was decided, explained per order."""

from datetime import timedelta

import pytest

import fulfillment.services
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder
from fulfillment.types import Rejection
from routing.models import RoutingDecision
from routing.services import certificates, shadows
from routing.simulation_models import Simulation
from tests.console.conftest import AT, House
from tests.factories.routing import SYSTEM, SourcingPolicyFactory
from tests.routing.test_decisions import code

pytestmark = pytest.mark.django_db


def a_draft(house: House):
    """Whatever is ordered goes from Reno."""
    rules = [{"name": "West", "nodes": {"nodes": [code(house.network, "RENO")]}}]
    return SourcingPolicyFactory(account=house.network.account, rules=rules)


def test_a_policy_is_tried_from_its_page_and_shows_the_orders_that_it_moves(house: House) -> None:
    draft, order = a_draft(house), house.order("MUG")
    client = house.client("ops_manager")

    page = client.get(f"/console/policies/{draft.pk}/").content.decode()
    asked = {"sample": "orders", "orders": order["number"]}
    begun = client.post(f"/console/policies/{draft.pk}/simulate/", asked)
    simulation = Simulation.objects.for_scope(ALL_ACCOUNTS).get()
    jobs.run_job(simulation.job_id, at=AT)
    shown = client.get(begun.headers["Location"]).content.decode()

    assert "Run it beside live" in page
    assert begun.headers["Location"] == f"/console/simulations/{simulation.pk}/"
    assert "1 of 1 decisions played" in shown
    assert order["number"] in shown
    assert "Reno DC ships the item" in shown


def test_a_rule_being_written_says_how_many_deliveries_it_is_about(house: House) -> None:
    house.order("MUG")
    house.order("MUG", quantity=3)
    rule = {
        "rules": "1",
        "rules-0-name": "Many",
        "rules-0-when": "1",
        "rules-0-when-0-attribute": "units",
        "rules-0-when-0-test": "at_least",
        "rules-0-when-0-values": "2",
    }

    said = house.client("ops_manager").post("/console/policies/count/", rule).content.decode()

    assert "of the last 2 deliveries" in said
    assert "<dt>Many</dt><dd>1" in said


def test_a_decision_says_what_would_change_it_and_what_it_would_be_now(house: House) -> None:
    order = house.order("MUG")
    decision = RoutingDecision.objects.for_scope(ALL_ACCOUNTS).get(order_id=order["id"])

    said = house.client("ops_manager").get(f"/console/decisions/{decision.pk}/?now=1")

    text = said.content.decode()
    assert "would ship if it were" in text
    assert "Nothing differs: the same nodes at the same cost." in text
    assert "Weighed by the policy" in text


def test_a_shadow_sees_what_is_decided_after_it_began_and_takes_nothing(house: House) -> None:
    house.order("MUG")
    draft = a_draft(house)
    client = house.client("ops_manager")

    begun = client.post(f"/console/policies/{draft.pk}/shadow/")
    order = house.order("MUG")
    assert shadows.follow_shadows(at=AT, actor=SYSTEM, behind=timedelta(0)) == 1
    shown = client.get(begun.headers["Location"]).content.decode()
    stopped = client.post(f"{begun.headers['Location']}stop/")
    house.order("MUG")

    assert "Beside live" in shown
    assert order["number"] in shown
    assert stopped.status_code == 302
    assert shadows.follow_shadows(at=AT, actor=SYSTEM, behind=timedelta(0)) == 0


def test_who_may_only_look_starts_nothing(house: House) -> None:
    draft = a_draft(house)
    client = house.client("auditor")

    assert client.post(f"/console/policies/{draft.pk}/simulate/").status_code == 403
    assert client.post(f"/console/policies/{draft.pk}/shadow/").status_code == 403


def test_flows_and_scorecards_count_what_was_released(house: House) -> None:
    house.released()
    client = house.client("ops_manager")
    newark = code(house.network, "NEWARK")

    with_map = client.get("/console/flows/").content.decode()
    scores = client.get("/console/scorecards/").content.decode()
    lines = client.get("/console/flows.csv").content.decode().splitlines()
    rows = client.get("/console/scorecards.csv").content.decode().splitlines()

    assert "Newark store: 1" in with_map
    assert 'class="arc"' in with_map
    assert f"/console/orders/?node={newark}" in scores
    assert lines[1] == f"{newark},Newark store,NY,US,1,1"
    assert rows[1].startswith(f"{newark},Newark store,dc,1,1,")


def test_what_a_node_rejected_is_a_list_beside_its_scorecard(house: House) -> None:
    order = house.released()
    [work] = FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).filter(order_id=order["id"])
    fulfillment.services.reject([Rejection(work.pk, "cannot_ship")], at=AT, actor=SYSTEM)
    client = house.client("ops_manager")

    plain = client.get("/console/scorecards/").content.decode()
    newark = code(house.network, "NEWARK")
    listed = client.get(f"/console/scorecards/?rejected={newark}").content.decode()

    assert f"rejected={newark}#rejected" in plain
    assert 'id="rejected"' not in plain
    section = listed.split('id="rejected"')[1]
    assert "Rejected by Newark store" in section
    assert f"/console/orders/{order['number']}/" in section
    assert "rejected: cannot_ship" in section


def test_a_certificate_says_its_causes_and_its_orders(house: House) -> None:
    house.order("MUG")
    client = house.client("ops_manager")

    before = client.get("/console/certificates/").content.decode()
    asked = client.post("/console/certificates/new/")
    made = certificates.make_certificate(
        house.network.account.pk, AT - timedelta(hours=1), AT + timedelta(hours=1), at=AT,
        actor=SYSTEM,
    )  # fmt: skip
    after = client.get(f"/console/certificates/{made.pk}/").content.decode()

    assert "No week was worked out yet" in before
    assert asked.status_code == 302
    assert "Hindsight bound" in after
    assert "Splits avoidable" in after
