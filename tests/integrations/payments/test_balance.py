"""Whatever happens to cards, networks and disputes: our books end as the gateway's do."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from config.kernel import ids
from config.kernel.types import ALL_ACCOUNTS
from integrations import connections, services
from integrations.models import InboxMessage
from integrations.payments import comparing, gateway
from integrations.sandbox.gateway import GatewaySandbox
from integrations.sandbox.panel import Failure
from integrations.types import ConnectionRef
from orders import sourcing
from orders.models import Capture, Chargeback, Order, OrderLine, Refund
from orders.services import (
    cancel_units,
    credit_units,
    expire_authorizations,
    lock_orders,
    renew_authorizations,
    retry_captures,
    retry_refunds,
    settle_credits,
)
from orders.types import CancelRequest, CreditedUnits, CreditRequest
from tests.books import check_all
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, NearestStock, only_line, shop
from tests.factories.payments import CODE, SECRET, a_gateway, an_order, carry_out, ship

pytestmark = [pytest.mark.django_db, pytest.mark.urls("integrations.api.urls")]

UNITS = 3
TERM = timedelta(days=7)
STEPS = (
    "ship",
    "ship",
    "ask",
    "ask",
    "cancel",
    "credit",
    "dispute",
    "win",
    "lose",
    "push",
    "day",
    "five_days",
    "retry",
    "trouble",
    "calm",
)


@dataclass
class World:
    """An order and its gateway. A step that makes no sense now does nothing."""

    simulator: GatewaySandbox
    order: Order
    ref: ConnectionRef
    at: datetime = NOON
    pushed: int = 0

    @property
    def line(self) -> OrderLine:
        return only_line(self.order)

    @property
    def payment(self) -> dict[str, Any]:
        """That of this order: what an earlier example left may be asked of the gateway as well."""
        root = self.order.authorizations.earliest("pk").reference
        found: dict[str, Any] = self.simulator.store["payments"][root]
        return found

    def ship(self) -> None:
        if self.line.reserved + self.line.released:
            ship(self.order, 1)

    def ask(self) -> None:
        carry_out(at=self.at)
        connections.forget()  # what a breaker has learnt is not what is tried here

    def cancel(self) -> None:
        cancel_units([CancelRequest(self.order.id)], at=self.at, actor=ANNA)

    def credit(self) -> None:
        request = CreditRequest(
            order_id=self.order.id,
            cause_kind="return",
            cause_id=ids.uuid7(),
            units=(CreditedUnits(self.line.id, 1),),
        )
        with transaction.atomic():
            lock_orders([self.order.id])
            credit_units([request], at=self.at, actor=ANNA)

    def dispute(self) -> None:
        if self.payment["captured"] and not self.payment["disputed"]:
            held = self.simulator.holding(self.order.authorizations.earliest("pk").reference)
            if self.simulator.refundable(held) > 0:
                self.simulator.dispute(held)

    def decide(self, *, won: bool) -> None:
        for dispute in list(self.simulator.store["disputes"].values()):
            if dispute["status"] == "opened":
                self.simulator.decide(dispute, won=won)

    def win(self) -> None:
        self.decide(won=True)

    def lose(self) -> None:
        self.decide(won=False)

    def push(self) -> None:
        """The youngest events first, and the last of them twice."""
        events = list(self.simulator.store["events"].values())
        fresh, self.pushed = events[self.pushed :], len(events)
        for event in [*reversed(fresh), *fresh[-1:]]:
            raw = json.dumps(event).encode()
            Client().post(
                f"/webhooks/gateway/{CODE}",
                raw,
                content_type="application/json",
                headers={"Gateway-Signature": gateway.signature(SECRET, "1", raw)},
            )

    def day(self) -> None:
        self.pass_time(timedelta(days=1))

    def five_days(self) -> None:
        self.pass_time(timedelta(days=5))

    def pass_time(self, span: timedelta) -> None:
        self.at += span
        self.simulator.clock.set(self.at, 0)
        self.simulator.tick_now(self.at)
        renew_authorizations(at=self.at, actor=ANNA)
        expire_authorizations(at=self.at, actor=ANNA)
        settle_credits(at=self.at, actor=ANNA)

    def retry(self) -> None:
        retry_captures([self.order.id], at=self.at, actor=ANNA)
        retry_refunds([self.order.id], at=self.at, actor=ANNA)

    def trouble(self) -> None:
        kinds = ("server_error", "silence", "rate_limit")
        self.simulator.panel.set([Failure(kind, share=0.3) for kind in kinds])

    def calm(self) -> None:
        self.simulator.panel.set([])

    def come_to_rest(self) -> None:
        """The network is well, the banks decide, and both sides have the time to hear of it."""
        self.calm()
        for round_ in range(8):
            if round_ > 3 and not self.waits():
                break
            self.decide(won=bool(round_ % 2))
            self.pass_time(timedelta(hours=60))
            self.ask()
            comparing.compare(self.ref, at=self.at + timedelta(hours=1), actor=ANNA)
            waiting = InboxMessage.objects.for_scope(ALL_ACCOUNTS).filter(state="received")
            services.apply_messages(
                list(waiting.values_list("pk", flat=True)), at=self.at, actor=ANNA
            )

    def waits(self) -> bool:
        """Whether something is asked that has no answer: what ended is authorised anew first."""
        waiting = {"requested", "unknown", "pending", "sent"}
        return any(
            model.objects.for_scope(ALL_ACCOUNTS)
            .filter(order=self.order, state__in=waiting)
            .exists()
            for model in (Capture, Refund)
        )

    def ours(self) -> dict[str, int]:
        def total(model: Any, **having: str) -> int:
            rows = model.objects.for_scope(ALL_ACCOUNTS).filter(order=self.order, **having)
            return int(rows.aggregate(all=Sum("amount_minor"))["all"] or 0)

        return {
            "captured": total(Capture, state="succeeded"),
            "refunded": total(Refund, state="succeeded"),
            "charged_back": total(Chargeback),
        }

    def theirs(self) -> dict[str, int]:
        return {name: self.payment[name] for name in ("captured", "refunded", "charged_back")}


@settings(
    max_examples=6,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    behavior=st.sampled_from(
        ["ok", "ok", "drop", "lose", "late", "latefail", "bounce", "nocapture", "norefund"]
    ),
    steps=st.lists(st.sampled_from(STEPS), min_size=6, max_size=14),
)
@example(behavior="ok", steps=["ask", "ask", "day", "five_days", "cancel", "ship"])
@example(
    behavior="ok",
    steps=["ship", "ask", "credit", "dispute", "ask", "push", "lose", "push", "ship", "ask"],
)
@example(
    behavior="bounce",
    steps=["ship", "ask", "credit", "ask", "five_days", "dispute", "push", "retry"],
)
@example(behavior="ok", steps=["ship", "ask", "five_days", "day", "ask", "ship", "ask", "credit"])
@example(behavior="ok", steps=["ship", "credit", "five_days", "five_days", "ask", "ship", "cancel"])
def test_our_books_end_as_the_gateways(
    db: None, simulator: GatewaySandbox, behavior: str, steps: list[str]
) -> None:
    simulator.start_anew()
    simulator.clock.set(NOON, 0)
    connections.forget()
    with sourcing.using(NearestStock()):
        web = shop()
        ref = a_gateway(web.account, simulator)
        order = an_order(web, UNITS, behavior=behavior, authorization_expires_at=NOON + TERM)
        simulator.holding(order.authorizations.get().reference)
        world = World(simulator, order, ref)
        for step in steps:
            getattr(world, step)()
        world.come_to_rest()

    assert world.ours() == world.theirs()
    assert check_all(about="money.") == []
    assert not world.waits()
