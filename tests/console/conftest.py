"""A retailer with three nodes, a few orders in different states, and one person per role."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

import fulfillment.services
import orders.services
from config.kernel import clock, ids
from config.kernel.access import ROLE_PERMISSIONS
from config.kernel.case_reports import Report, report
from config.kernel.models import Intent
from config.kernel.services import case_folding
from config.kernel.services.intents import Answer, LeasedIntent
from config.kernel.types import Actor
from config.reports import sql
from config.reports.order_facts import facts
from inventory.models import Node
from orders.services import settle
from orders.types import (
    Address,
    GroupDraft,
    HoldRequest,
    LineDraft,
    OrderDraft,
    Party,
    ShippedUnits,
    StatedTotals,
    TenderDraft,
)
from tests.factories.kernel import GrantFactory, RoleFactory, UserFactory
from tests.factories.routing import MONDAY_NOON, Network, a_network

AT = MONDAY_NOON
ACTOR = Actor.system("tests")
ROLES = tuple(ROLE_PERMISSIONS)
HOME = Address("Ada Buyer", "", "12 Main Street", "", "Albany", "NY", "12207", "US", "+15185550100")
_numbers = count(1)


@dataclass
class House:
    """The retailer, and what tests do with it through commands and pages."""

    network: Network
    users: dict[str, Any] = field(default_factory=dict)

    def client(self, role: str) -> Client:
        client = Client()
        client.force_login(self.users[role])
        return client

    def node(self, code: str) -> Node:
        return Node.objects.for_scope(ACTOR.scope).get(pk=self.network.nodes[code])

    def order(
        self, sku: str = "MUG", quantity: int = 1, *, accept: bool = True, **details: Any
    ) -> sql.Row:
        """An order paid elsewhere, accepted unless told otherwise."""
        number = next(_numbers)
        total = 1_000 * quantity
        paid_elsewhere = TenderDraft("card", total, collected_by="channel")
        draft = OrderDraft(
            channel_id=self.network.channel.pk,
            account_id=self.network.account.pk,
            brand_id=self.network.channel.brand_id,
            external_id=f"C-{number}",
            external_number=details.pop("external_number", f"#{number}"),
            currency="USD",
            placed_at=AT,
            groups=(
                GroupDraft(
                    lines=(
                        LineDraft(
                            external_id="1",
                            sku_code=sku,
                            quantity=quantity,
                            title="Red mug",
                            unit_price=Decimal(10),
                        ),
                    ),
                    address=HOME,
                ),
            ),
            customer=Party(
                name="Ada Buyer", email=f"ada{number}@example.com", phone="+15185550100"
            ),
            tenders=details.pop("tenders", (paid_elsewhere,)),
            totals=StatedTotals(total_minor=total),
            **details,
        )
        captured = orders.services.capture_orders([draft], at=AT, actor=ACTOR)[0].value
        assert captured is not None
        if accept:
            orders.services.accept_orders([captured.id], at=AT, actor=ACTOR)
        return self.fact(captured.id)

    def held(self, **details: Any) -> sql.Row:
        order = self.order(**details)
        orders.services.place_holds(
            [HoldRequest(order["id"], "fraud", "Card and address differ", handle="t")],
            at=AT,
            actor=ACTOR,
        )
        return self.fact(order["id"])

    def released(self, **details: Any) -> sql.Row:
        order = self.order(**details)
        outcomes = fulfillment.services.release_groups(
            [group["id"] for group in order["groups"]], at=AT, actor=ACTOR
        )
        assert all(each.ok for each in outcomes), outcomes
        return self.fact(order["id"])

    def refused(self) -> sql.Row:
        """A shipped order whose card was declined when its money was asked for."""
        card = TenderDraft(
            "card", 1_000, provider="fakepay", authorization_reference=f"auth-{next(_numbers)}"
        )
        order = self.released(tenders=(card,))
        line = sql.row(
            "SELECT id FROM orders_orderline WHERE order_id = %(id)s", {"id": order["id"]}
        )
        assert line is not None
        shipped = ShippedUnits(order["id"], line["id"], 1, ids.uuid7())
        with transaction.atomic():
            orders.services.record_shipments([shipped], at=AT, actor=ACTOR)
            asked = Intent.objects.for_scope(ACTOR.scope).get(
                kind="payment.capture", payload__order_id=str(order["id"])
            )
            leased = LeasedIntent(
                asked.pk, asked.account_id, asked.kind, asked.key, asked.subject_kind,
                asked.subject_id, asked.payload, attempt=1, tried_before=False,
            )  # fmt: skip
            settle.record_capture(leased, Answer.refused("card declined"), at=AT, actor=ACTOR)
        return self.fact(order["id"])

    def captures(self, order: sql.Row) -> list[str]:
        """How each try to take the money of the order stands, oldest first."""
        found = sql.rows(
            "SELECT state FROM orders_capture WHERE order_id = %(id)s ORDER BY id",
            {"id": order["id"]},
        )
        return [each["state"] for each in found]

    def folded(self, order: sql.Row) -> int:
        """The case that was reported about the order; its number."""
        case_folding.fold_reports(at=AT)
        found = sql.row(
            "SELECT number FROM kernel_case WHERE thread_id = %(id)s ORDER BY id DESC LIMIT 1",
            {"id": order["id"]},
        )
        assert found is not None
        return int(found["number"])

    def case(self, order: sql.Row, *, cause: str = "carrier closed") -> int:
        """An open case about the order; its number."""
        report(
            [
                Report(
                    _KIND,
                    "order",
                    order["id"],
                    order["account_id"],
                    evidence={"waited": "3 h"},
                    cause=cause,
                    thread_id=order["id"],
                )
            ],
            at=AT,
        )
        return self.folded(order)

    def fact(self, order_id: Any) -> sql.Row:
        return facts([order_id])[0]

    def work_of(self, order: sql.Row) -> sql.Row:
        found = sql.row(
            "SELECT f.id, f.number, f.state, f.node_id, n.code FROM "
            "fulfillment_fulfillmentorder f JOIN inventory_node n ON n.id = f.node_id "
            "WHERE f.order_id = %(id)s",
            {"id": order["id"]},
        )
        assert found is not None
        return found


_KIND = "SHIPPED_WHILE_CANCEL_ASKED"
"""A kind that only a person can close, so that folding never clears it."""


def a_house() -> House:
    network = a_network()
    network.stock("MUG", RENO=40, COLUMBUS=30, NEWARK=20)
    network.stock("LAMP", RENO=2)
    made = House(network)
    for role in ROLES:
        user = UserFactory(username=f"{role}-{network.account.code}")
        GrantFactory(
            user=user,
            role=RoleFactory(code=role),
            account=network.account,
            node_id=network.nodes["RENO"] if role == "node_operator" else None,
        )
        made.users[role] = user
    made.users["nobody"] = UserFactory(username=f"nobody-{network.account.code}")
    return made


@contextmanager
def five_past_noon() -> Iterator[None]:
    clock.set_to(AT + timedelta(minutes=5))
    try:
        yield
    finally:
        clock.forget()


@pytest.fixture(scope="module")
def house_before(kept_rows: None) -> House:
    with five_past_noon():
        return a_house()


@pytest.fixture
def house(db: None, house_before: House) -> Iterator[House]:
    with five_past_noon():
        yield deepcopy(house_before)


def text_of(response: HttpResponse) -> str:
    """The words of a page, without its tags, on one line."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body.decode())).strip()
