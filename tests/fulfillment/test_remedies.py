"""Ways out of a promise in danger: costed, one at a time, by itself only under its limits."""

from datetime import timedelta

import pytest

from config.kernel.errors import Conflict
from config.kernel.types import ALL_ACCOUNTS, Actor
from fulfillment.models import PromiseSlack, Remedy
from fulfillment.remedies import Endangered, options_for
from fulfillment.services import (
    assess_groups,
    release_groups,
    rescue_due,
    take_remedy,
    undo_remedy,
)
from inventory import selectors as inventory
from orders.models import DeliveryGroup, OrderLine, Promise
from orders.services import set_promise_policy
from routing.services import RateCardDraft, ZoneDraft, define_rate_cards
from tests.factories.inventory import ServiceLevelFactory
from tests.factories.promises import every_stage_takes_an_hour
from tests.factories.routing import MONDAY_NOON as AT
from tests.factories.routing import Network, a_network, accepted

pytestmark = pytest.mark.django_db
BEN = Actor.system("ben")


def network() -> Network:
    """Mugs in Columbus and Reno, a standard service of days and an express of one."""
    made = a_network("COLUMBUS", "RENO")
    made.stock("MUG", COLUMBUS=5, RENO=5)
    standard = ServiceLevelFactory(code="standard")
    express = ServiceLevelFactory(code="express")
    define_rate_cards(
        [
            RateCardDraft("a-standard", standard.pk, (ZoneDraft(9_000, 500, 20, 2, 3),)),
            RateCardDraft("b-express", express.pk, (ZoneDraft(9_000, 2_500, 20, 1, 1),)),
        ],
        at=AT,
        actor=BEN,
    )
    return made


def endangered(made: Network) -> DeliveryGroup:
    """Two mugs that Columbus is to send, promised so that an hour a stage will not do."""
    [order_id] = accepted(made, {"MUG": 2})
    group: DeliveryGroup = DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).get(order_id=order_id)
    every_stage_takes_an_hour(made.account.pk)
    assess_groups([group.pk], at=AT)
    return group


def two_endangered() -> list[DeliveryGroup]:
    """The same of two orders of one account."""
    made = network()
    order_ids = accepted(made, {"MUG": 2}, {"MUG": 1})
    groups = list(DeliveryGroup.objects.for_scope(ALL_ACCOUNTS).filter(order_id__in=order_ids))
    every_stage_takes_an_hour(made.account.pk)
    assess_groups([group.pk for group in groups], at=AT)
    return groups


def options(group: DeliveryGroup) -> Endangered:
    return options_for(group.pk, ALL_ACCOUNTS, at=AT)


def node_of(group: DeliveryGroup) -> int:
    line = OrderLine.objects.for_scope(ALL_ACCOUNTS).get(group=group)
    [claim] = inventory.claims_of([line.pk])[line.pk]
    return claim.node_id or 0


class TestOptions:
    def test_each_has_its_cost_and_date_or_says_why_not(self):
        group = endangered(network())

        found = {option.kind: option for option in options(group).options}

        assert found["reroute"].said == "From Reno DC."
        assert found["upgrade"].said == "By express instead of standard."
        assert (found["upgrade"].cost_minor, found["upgrade"].in_time) == (2_000, True)
        assert found["split"].why_not == "Nothing of it is missing: it leaves whole."
        assert found["ask"].deliver_by is not None
        assert group.deliver_by is not None
        assert found["ask"].deliver_by > group.deliver_by
        assert found["cancel"].cost_minor == 5_000

    def test_what_is_at_its_node_is_asked_back(self):
        group = endangered(network())
        release_groups([group.pk], at=AT, actor=BEN)

        reroute = options(group).option("reroute")

        assert reroute.possible
        assert reroute.said.endswith("its node is asked to give it back first.")


class TestTaking:
    def test_another_node_is_one_step_and_can_be_taken_back(self):
        made = network()
        group = endangered(made)

        remedy = take_remedy(group.pk, "reroute", at=AT, actor=BEN)
        there = node_of(group)
        undo_remedy(remedy.pk, at=AT, actor=BEN)

        assert (there, node_of(group)) == (made.nodes["RENO"], made.nodes["COLUMBUS"])
        remedy.refresh_from_db()
        assert (remedy.undone_at, remedy.actor_name) == (AT, "ben")
        with pytest.raises(Conflict, match="taken back already"):
            undo_remedy(remedy.pk, at=AT, actor=BEN)

    def test_a_faster_service_promises_anew(self):
        group = endangered(network())

        take_remedy(group.pk, "upgrade", at_most_minor=2_000, at=AT, actor=BEN)

        group.refresh_from_db()
        assert group.service_code == "express"
        assert Promise.objects.for_scope(ALL_ACCOUNTS).filter(group=group).count() == 2

    def test_what_costs_more_than_was_shown_is_not_done(self):
        group = endangered(network())

        with pytest.raises(Conflict, match="costs more"):
            take_remedy(group.pk, "upgrade", at_most_minor=1_999, at=AT, actor=BEN)

        assert not Remedy.objects.for_scope(ALL_ACCOUNTS).exists()


class TestByItself:
    def test_only_under_the_limits_and_once(self):
        made = network()
        group = endangered(made)
        slack = PromiseSlack.objects.for_scope(ALL_ACCOUNTS).get(pk=group.pk)
        late = slack.high_at + timedelta(minutes=1)

        off = rescue_due(at=late, actor=BEN)
        terms = {"automatic": ["upgrade"], "most_per_order_minor": 2_000}
        set_promise_policy(made.account.pk, terms, at=AT, actor=BEN)
        no_day = rescue_due(at=late, actor=BEN)
        set_promise_policy(made.account.pk, {"most_per_day_minor": 5_000}, at=AT, actor=BEN)
        done = rescue_due(at=late, actor=BEN)

        assert (off, no_day, done) == ([], [], [group.pk])
        assert rescue_due(at=late, actor=BEN) == []
        remedy = Remedy.objects.for_scope(ALL_ACCOUNTS).get()
        assert (remedy.automatic, remedy.kind, remedy.cost_minor) == (True, "upgrade", 2_000)
