"""A26: whatever a warehouse says of many orders, books agree, each mismatch is one case, none is lost.

Each order gets a random script of acknowledgements: partial, cumulative, repeated, over, late, in other
orders, of unknown orders and parcels. The suite plays 150 orders, `make soak` 2,000.
"""

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from config.kernel.models import CaseReport
from config.kernel.types import ALL_ACCOUNTS
from fulfillment.models import FulfillmentOrder, NodeRequest
from fulfillment.services import change_services, pull_back, report_overdue, time_out_requests
from fulfillment.states import OPEN_FULFILLMENT, RequestKind
from fulfillment.types import PullBack, ServiceChange
from integrations import services
from integrations.models import InboxMessage
from integrations.services.inbox import ATTEMPTS
from tests.books import check_all
from tests.factories.fulfillment import BEN, line_of
from tests.factories.inventory import ServiceLevelFactory, SkuFactory
from tests.factories.kernel import NOON
from tests.factories.warehouses import LATER, a_warehouse, cases, event, message, sent, units

ORDERS = [150, pytest.param(2_000, marks=[pytest.mark.soak, pytest.mark.timeout(3_600)])]
AT_ONCE = 40

pytestmark = pytest.mark.django_db


@dataclass
class Script:
    """What a warehouse says of one order, and the mismatches that it says on purpose."""

    order: FulfillmentOrder
    asked: int
    dice: random.Random
    said: list[dict[str, Any]] = field(default_factory=list)
    wrong: set[str] = field(default_factory=set)
    short: int = 0
    question: NodeRequest | None = None
    back: int = 0

    def say(self, kind: str, **facts: Any) -> None:
        told = event(kind, order=self.order.number, **facts)
        self.said += [told] * (2 if self.dice.random() < 0.15 else 1)
        if self.dice.random() < 0.1:  # The same in words of its own: another id.
            self.said.append(event(kind, order=self.order.number, **facts))

    def write(self) -> "Script":
        """The whole script, until the door or until the warehouse falls silent."""
        draw = self.dice.random()
        if draw < 0.05:
            return self
        if draw < 0.1:
            self.say("order.rejected", reason="no_capacity")
            return self
        self._take_on()
        if self.question is not None and self.dice.random() < 0.85:
            self._answer(self.question)
        if self.dice.random() < 0.06 or self.back == self.asked:
            return self
        self._pick()
        left = self.asked - self.back - self.short
        if left and self.dice.random() > 0.05:
            self._ship(left)
        return self

    def _take_on(self) -> None:
        if self.dice.random() < 0.3:
            self.say("order.acknowledged", lines=units(self.dice.randint(1, self.asked)))
        if self.dice.random() < 0.08:
            self.say("order.acknowledged", lines=units(self.asked + 2))
            self.wrong.add("TakenOn")
        if self.dice.random() < 0.8:
            self.say("order.acknowledged", reference="W-1")

    def _answer(self, question: NodeRequest) -> None:
        """Give up some of it; or change all of it, none, or, against the rules, a part."""
        granted = self.dice.choice((0, question.asked))
        if question.kind == RequestKind.PULL_BACK:
            granted = self.back = self.dice.randint(0, question.asked)
        elif question.asked > 1 and self.dice.random() < 0.2:
            granted = 1
            self.wrong.add("Answered")
        self.say("request.answered", request=str(question.pk), granted=granted)

    def _pick(self) -> None:
        most = self.asked - self.back
        if self.dice.random() < 0.5:
            self.say("order.picked", lines=units(self.dice.randint(1, most)))
        if self.dice.random() < 0.08:
            self.say("order.picked", lines=units(self.asked + 1))
            self.wrong.add("Picked")
        if self.dice.random() < 0.2:
            self.short = self.dice.randint(1, most)
            self.say("order.short", lines=units(self.short, reason="missing"))
        self.say("order.picked", lines=units(most - self.short))
        if self.dice.random() < 0.05 and most > self.short and not self.back:
            self.say("order.rejected", reason="other")
            self.wrong.add("Rejected")

    def _ship(self, left: int) -> None:
        first = self.dice.randint(1, left)
        for number, part in enumerate((first, left - first), start=1):
            if not part:
                continue
            box = {"id": f"{self.order.number}-{number}", "lines": units(part)}
            if self.dice.random() > 0.15:  # Else the packing is lost on the way.
                self.say("order.packed", parcel=box)
            self.say("order.shipped", parcel=box)


def wished(dice: random.Random, order: FulfillmentOrder) -> NodeRequest | None:
    """Now and then we want the work back, or by another service: the node is asked."""
    draw = dice.random()
    if draw < 0.1:
        pull_back([PullBack(order.pk)], at=NOON, actor=BEN)
    elif draw < 0.2:
        express = ServiceLevelFactory(code="express")
        change_services([ServiceChange(order.pk, express.pk)], at=NOON, actor=BEN)
    return NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(fulfillment_order=order).first()


def scripts(dice: random.Random, ref, node, skus, orders: int) -> list[Script]:
    made = []
    for _ in range(orders):
        asked = dice.randint(1, 5)
        _, order = sent(ref, dice.choice(skus), node, asked)
        made.append(Script(order, asked, dice, question=wished(dice, order)).write())
    return made


def dealt(dice: random.Random, written: list[Script]) -> list[list[dict[str, Any]]]:
    """The events of all orders in messages of a few: each order's in its order, orders mixed."""
    queues = [list(script.said) for script in written if script.said]
    messages: list[list[dict[str, Any]]] = []
    while queues:
        body = []
        for _ in range(dice.randint(1, 4)):
            queue = dice.choice(queues)
            body.append(queue.pop(0))
            if not queue:
                queues.remove(queue)
            if not queues:
                break
        messages.append(body)
    return messages


def take_in(ref, bodies) -> None:
    for first in range(0, len(bodies), AT_ONCE):
        found = [message(*body) for body in bodies[first : first + AT_ONCE]]
        services.take_in_all(ref, found, at=LATER, actor=ref.actor())


def sweep() -> None:
    """The inbox as often as it tries again."""
    for _ in range(ATTEMPTS):
        services.apply_unsettled(now=datetime.now(UTC) + timedelta(hours=1), at=LATER, actor=BEN)


def silent(written: list[Script]) -> list[str]:
    """Orders that stand still without anybody being told, a while after their times have passed."""
    report_overdue(limit=10_000, at=NOON + timedelta(days=2), actor=BEN)
    time_out_requests(limit=10_000, at=NOON + timedelta(days=2), actor=BEN)
    known = set(CaseReport.objects.values_list("subject_id", flat=True))
    return [
        script.order.number
        for script in written
        if FulfillmentOrder.objects.for_scope(ALL_ACCOUNTS).get(pk=script.order.pk).state
        in OPEN_FULFILLMENT
        and script.order.pk not in known
    ]


@pytest.fixture
def warehouse():
    ref, sku, node = a_warehouse()
    return ref, node, [sku, *(SkuFactory(account=sku.account) for _ in range(4))]


def about(ref, script: Script, kind: str) -> str:
    """An answer names its question; everything else its order."""
    question = script.question
    return f"{ref.id}:{question.pk}" if kind == "Answered" and question else str(script.order.pk)


@pytest.mark.parametrize("orders", ORDERS)
def test_every_mismatch_is_one_case_and_no_order_is_stuck_in_silence(warehouse, orders):
    dice = random.Random(26)  # noqa: S311  # replayable, guards nothing
    ref, node, skus = warehouse
    written = scripts(dice, ref, node, skus, orders)

    take_in(ref, dealt(dice, written))
    strangers = [event("order.acknowledged", order=f"FO-9{number:08}") for number in range(3)]
    take_in(ref, [[one] for one in strangers])
    sweep()

    assert check_all() == []
    assert cases("WAREHOUSE_DISAGREES") == {
        f"WAREHOUSE_DISAGREES:{about(ref, script, kind)}:{kind}"
        for script in written
        for kind in script.wrong
    }
    assert {kind for script in written for kind in script.wrong} == {
        *("TakenOn", "Picked", "Rejected", "Answered")
    }
    refused = NodeRequest.objects.for_scope(ALL_ACCOUNTS).filter(kind="change", state="refused")
    assert cases("CHANGE_NOT_MADE") == {
        f"CHANGE_NOT_MADE:{one.fulfillment_order_id}" for one in refused
    }
    assert len(cases("INBOX_DEAD")) == len(strangers)
    states = InboxMessage.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)
    assert "received" not in set(states)
    assert silent(written) == []


@pytest.mark.parametrize("orders", ORDERS)
def test_events_in_any_order_leave_books_that_agree_and_nothing_unsettled(warehouse, orders):
    dice = random.Random(62)  # noqa: S311  # replayable, guards nothing
    ref, node, skus = warehouse
    written = scripts(dice, ref, node, skus, orders // 4)
    bodies = dealt(dice, written)
    dice.shuffle(bodies)

    take_in(ref, bodies)
    sweep()

    assert check_all() == []
    states = InboxMessage.objects.for_scope(ALL_ACCOUNTS).values_list("state", flat=True)
    assert set(states) <= {"applied", "ignored"}
    for script in written:
        line = line_of(script.order)
        told = {
            box["id"]: sum(part["quantity"] for part in box["lines"])
            for one in script.said
            if one["type"] == "order.shipped" and (box := one["parcel"])
        }
        assert line.shipped <= sum(told.values()) <= script.asked


def test_one_message_may_free_units_and_ship_others(warehouse):
    """Whatever a transaction does of the two, its locks are taken in their order."""
    ref, node, skus = warehouse
    (_, given_up), (_, gone) = sent(ref, skus[0], node), sent(ref, skus[1], node)
    box = {"id": "BOX-1", "lines": units(2)}

    take_in(
        ref,
        [
            [
                event("order.rejected", order=given_up.number, reason="closed"),
                event("order.shipped", order=gone.number, parcel=box),
            ]
        ],
    )

    assert line_of(gone).shipped == 2
    assert not line_of(given_up).shipped
    assert check_all() == []
