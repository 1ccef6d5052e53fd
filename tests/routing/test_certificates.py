"""The regret certificate: a bound that live does not pass, and parts that add up to the distance."""

from datetime import timedelta

import pytest

from config.kernel.errors import Conflict
from config.kernel.models import Job
from config.kernel.services import jobs
from config.kernel.types import ALL_ACCOUNTS
from routing.services import certificates
from routing.simulation_models import Certificate
from tests.factories.routing import MONDAY_NOON, SYSTEM, Network, SourcingPolicyFactory, a_network
from tests.routing.test_decisions import accepted, code

pytestmark = pytest.mark.django_db

WEST = ("Reno", "NV", "89501", "US")
FROM, UNTIL = MONDAY_NOON - timedelta(hours=1), MONDAY_NOON + timedelta(hours=1)
NEXT_MONDAY = MONDAY_NOON + timedelta(days=7)


def made(network: Network) -> Certificate:
    return certificates.make_certificate(network.account.pk, FROM, UNTIL, at=UNTIL, actor=SYSTEM)


def test_a_unit_that_a_later_order_needed_more_is_a_matter_of_forecast():
    """Kansas first takes Newark's tee for a little less than Reno's; New York then gets Reno's."""
    network = a_network("RENO", "NEWARK")
    SourcingPolicyFactory(account=network.account, live=True)
    network.stock("TEE", NEWARK=1, RENO=1)
    accepted(network, "Topeka", "KS", "66603", "US", TEE=1)
    accepted(network, TEE=1)

    certificate = made(network)

    distance = certificate.live_minor - certificate.bound_minor
    assert distance > 0
    assert sum(part["minor"] for part in certificate.causes.values()) == distance
    assert {one["cause"] for one in certificate.examples["orders"]} == {"forecast"}


def test_decisions_that_hindsight_cannot_better_have_no_distance():
    network = a_network("RENO", "NEWARK")
    SourcingPolicyFactory(account=network.account, live=True)
    network.stock("TEE", NEWARK=5, RENO=5)
    accepted(network, TEE=2)
    accepted(network, *WEST, TEE=1)

    certificate = made(network)

    assert certificate.live_minor == certificate.bound_minor > 0
    assert (certificate.orders, certificate.left_out, certificate.ratio) == (2, 0, 1.0)


def test_goods_that_were_not_there_then_count_under_the_stock():
    network = a_network("RENO", "NEWARK")
    SourcingPolicyFactory(account=network.account, live=True)
    network.stock("TEE", RENO=5)
    early = accepted(network, TEE=1)
    network.stock("TEE", NEWARK=5)
    accepted(network, TEE=1)

    [example] = made(network).examples["orders"]

    assert (example["order_id"], example["cause"]) == (str(early.pk), "stock")
    assert (example["live"], example["best"]) == (code(network, "RENO"), code(network, "NEWARK"))


def test_the_week_before_is_asked_for_once_and_a_worker_makes_it():
    network = a_network("RENO", "NEWARK")
    network.stock("TEE", NEWARK=5)
    accepted(network, TEE=1)

    first = certificates.certify_due(at=NEXT_MONDAY, actor=SYSTEM)
    again = certificates.certify_due(at=NEXT_MONDAY, actor=SYSTEM)
    [job] = Job.objects.for_scope(ALL_ACCOUNTS).filter(kind=certificates.JOB)
    jobs.run_job(job.pk, at=NEXT_MONDAY)

    assert (first, again) == (1, 0)
    certificate = Certificate.objects.for_scope(ALL_ACCOUNTS).get()
    assert (f"{certificate.starts_at:%Y-%m-%d}", certificate.orders) == ("2026-03-02", 1)


def test_a_period_without_a_choice_is_refused():
    with pytest.raises(Conflict, match="left a choice"):
        made(a_network("RENO"))
