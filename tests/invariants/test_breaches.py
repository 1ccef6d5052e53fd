"""Every invariant holds on honest books, and sees the one thing that is there for it to see."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models, transaction

import inventory.selectors
from config.invariants import AT_MOST, check, check_all, invariants
from config.invariants.histories import _machines, _state
from config.kernel import ids, vault
from config.kernel.history import Change
from config.kernel.history import record as record_history
from config.kernel.models import Channel, JobItem
from config.kernel.types import ALL_ACCOUNTS, Scope
from integrations.models import InboxBody
from inventory.models import ChannelAvailability, KitComponent
from inventory.services import back_ahead, plan_quotas, reserve_backed, set_caps, take
from inventory.types import AheadWant, CapDraft, QuotaDraft
from orders.models import Authorization, Capture, Dispute, Hold, Order, Refund, Tender
from returns.models import Claim
from returns.services import open_claims
from tests.factories.fulfillment import BEN, place, released, shipped
from tests.factories.fulfillment import line_of as work_line
from tests.factories.integrations import ConnectionFactory, InboxMessageFactory
from tests.factories.inventory import (
    InboundFactory,
    NodeFactory,
    NodePlanFactory,
    SkuFactory,
    future_want,
    limited,
    stock,
    want,
)
from tests.factories.kernel import (
    NOON,
    AccountFactory,
    CaseFactory,
    ChannelFactory,
    GrantFactory,
    JobFactory,
)
from tests.factories.moves import claim_of, proposed, transfer
from tests.factories.returns import (
    grade,
    on_the_way,
    parcel_of,
    received,
    requested,
    sold,
)
from tests.factories.routing import SourcingPolicyFactory
from tests.factories.rules import BufferRuleFactory, QuotaPlanFactory
from tests.factories.webhooks import an_endpoint
from tests.invariants import lots, promises, routing

pytestmark = pytest.mark.django_db

CONSUMER, TOPIC = "orders.serve_backorders", "stock.received"
TO_ANOTHER = "SET account_id = (SELECT id FROM kernel_account ORDER BY id DESC LIMIT 1)"


@pytest.fixture(autouse=True)
def fresh_process() -> Iterator[None]:
    inventory.selectors.forget()
    vault.forget()
    yield
    inventory.selectors.forget()


@dataclass(frozen=True)
class Breach:
    """Honest books by `build`, then one thing wrong: a statement, or a call."""

    build: Callable[[], object]
    wrong: str | Callable[[], object]


# --- honest books ------------------------------------------------------------------------------


def shelf() -> None:
    stock(5)


def told() -> None:
    position = stock(5)
    channel = ChannelFactory(account=position.account)
    ChannelAvailability.objects.create(
        account_id=position.account_id,
        channel=channel,
        sku=position.sku,
        ats=5,
        as_of=NOON,
        changed_at=NOON,
        seen_xid=2**62,
    )


def quota() -> None:
    position, channel = stock(5), ChannelFactory()
    account_id = position.account_id
    Channel.objects.for_scope(ALL_ACCOUNTS).filter(pk=channel.pk).update(account_id=account_id)
    kept = QuotaDraft(account_id, channel.pk, "prime", "fixed", NOON, units=3)
    plan_quotas([kept], at=NOON, actor=BEN)
    take([want(position, 2, channel_id=channel.pk)], at=NOON, actor=BEN)


def sold_ahead() -> None:
    sku = SkuFactory()
    channel = ChannelFactory(account=sku.account)
    set_caps([CapDraft(sku.account_id, channel.pk, sku.pk, 5)], at=NOON, actor=BEN)
    want_ahead = AheadWant(sku.pk, 2, sku.account_id, channel.pk)
    backed = back_ahead([want_ahead], at=NOON, actor=BEN)
    reserve_backed([(future_want(sku, 2), backed[0])], at=NOON, actor=BEN)


def claimed() -> None:
    position = stock(5)
    take([want(position, 2, account_id=position.account_id)], at=NOON, actor=BEN)
    NodeFactory()


def reserved() -> None:
    sku = SkuFactory()
    place({sku: 2}, NodeFactory(account=sku.account))


def two_orders() -> None:
    sku = SkuFactory()
    node = NodeFactory(account=sku.account)
    place({sku: 1}, node)
    place({sku: 1}, node)


def paid() -> Order:
    """An order with 500 of 1,000 captured and 100 given back."""
    placed, _ = released(1)
    order = placed.order
    own = {"order": order, "account_id": order.account_id}
    tender = Tender.objects.create(
        **own, position=1, kind="card", provider="fakepay", amount_minor=1000, captured_minor=500
    )
    secured = Authorization.objects.create(
        **own, tender=tender, reference="auth-1", amount_minor=1000, at=NOON
    )
    Capture.objects.create(**own, tender=tender, authorization=secured, amount_minor=500, at=NOON)
    Refund.objects.create(**own, tender=tender, amount_minor=100, at=NOON)
    return order


def disputed() -> Dispute:
    order = paid()
    return Dispute.objects.create(
        order=order,
        account_id=order.account_id,
        tender=order.tenders.get(),
        provider="fakepay",
        reference="dp-1",
        amount_minor=400,
        opened_at=NOON,
        at=NOON,
    )


def hold() -> Hold:
    placed, _ = released(1)
    return Hold.objects.create(
        order=placed.order,
        account_id=placed.order.account_id,
        type="manual",
        reason="a look first",
        handle="h",
        placed_by="anna",
        placed_at=NOON,
        state="released",
    )


def request() -> models.Model:
    _, order = released(1)
    line = work_line(order)
    return line.requests.create(
        account_id=line.account_id, fulfillment_order=order, asked=1, sent_at=NOON, until=NOON
    )


def relayed() -> None:
    """Two events of one subject, both handed out and handled; the relay stands behind them."""
    subject, account = ids.uuid7(), AccountFactory().pk
    for seq in (1, 2):
        event_id = ids.uuid7()
        execute(
            "INSERT INTO kernel_event (id, xid, topic, subject_kind, subject_id, seq, account_id, "
            "actor_kind, actor_id, actor_name, on_behalf_of, correlation_id, causation_id, at, "
            "data) VALUES (%s, '3', %s, 'tests', %s, %s, %s, 'system', 'tests', 'tests', '', '', "
            "'', %s, '{}')",
            [event_id, TOPIC, subject, seq, account, NOON],
        )
        execute(
            "INSERT INTO kernel_delivery (event_id, consumer, topic, subject_id, seq, shard, "
            "state, attempts, last_error, done_at) "
            "VALUES (%s, %s, %s, %s, %s, 0, 'done', 1, '', clock_timestamp())",
            [event_id, CONSUMER, TOPIC, subject, seq],
        )
    execute(
        "INSERT INTO kernel_relaycursor (name, xid, event_id) VALUES ('deliveries', '4', %s)"
        "ON CONFLICT (name) DO UPDATE SET xid = '4'",
        [UUID(int=0)],
    )


def messages() -> None:
    first = InboxMessageFactory()
    InboxBody.objects.create(id=first.pk, key_id=ids.uuid7(), sealed=b"x")
    second = InboxMessageFactory(channel=first.channel)
    InboxBody.objects.create(id=second.pk, key_id=ids.uuid7(), sealed=b"x")


def job() -> None:
    made = JobFactory(total=1)
    JobItem.objects.create(job=made, position=1, subject_id=ids.uuid7())


def graded() -> None:
    grade(received(sold(2), 1))


def claim() -> Claim:
    parcel = parcel_of(on_the_way(1))
    open_claims([parcel.pk], at=NOON, actor=BEN)
    return Claim.objects.for_scope(ALL_ACCOUNTS).get()


def kit() -> None:
    part = SkuFactory()
    SkuFactory(account=part.account, kind="kit", components={part: 2})


def kit_across_accounts() -> None:
    KitComponent.objects.create(kit=SkuFactory(), component=SkuFactory(), quantity=1)


def order_beside_another_account() -> None:
    released(1)
    AccountFactory()


# --- one thing wrong ---------------------------------------------------------------------------


def execute(statement: str, values: list[Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def unguard(wrong: object = None) -> None:
    """Take away what keeps such books from being written at all: checks, keys and triggers.

    Of the tables that a statement names; of all when it is not known which.
    """
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT format('ALTER TABLE %%s %%s', guarded.oid::regclass,
                string_agg(format('DROP CONSTRAINT %%I', conname), ', '))
            FROM pg_constraint JOIN pg_class guarded ON guarded.oid = conrelid
            WHERE contype IN ('c', 'u') AND conislocal AND conparentid = 0
              AND connamespace = 'public'::regnamespace AND strpos(%(wrong)s, guarded.relname) > 0
            GROUP BY guarded.oid
            UNION ALL
            SELECT format('DROP TRIGGER %%I ON %%s', tgname, tgrelid::regclass)
            FROM pg_trigger JOIN pg_class guarded ON guarded.oid = tgrelid
            WHERE tgname = 'append_only' AND tgparentid = 0
              AND strpos(%(wrong)s, guarded.relname) > 0
            """,
            {"wrong": wrong if isinstance(wrong, str) else " ".join(_every_table())},
        )
        if statements := [statement for (statement,) in cursor.fetchall()]:
            cursor.execute(";".join(statements))


@cache
def _every_table() -> list[str]:
    return connection.introspection.table_names()


def rows_of_machines() -> dict[str, Callable[[], models.Model]]:
    """A row of every machine that has a history."""
    return {
        "case": CaseFactory,
        "node": NodeFactory,
        "nodeplan": NodePlanFactory,
        "inbound": InboundFactory,
        "bufferrule": BufferRuleFactory,
        "quotaplan": QuotaPlanFactory,
        "stockadjustment": proposed,
        "transfer": transfer,
        "transferclaim": lambda: claim_of(transfer("received")),
        "sourcingpolicy": SourcingPolicyFactory,
        "order": lambda: released(1)[0].order,
        "fulfillmentorder": lambda: released(1)[1],
        "parcel": lambda: shipped(1)[2],
        "noderequest": request,
        "hold": hold,
        "authorization": lambda: Authorization.objects.for_scope(one_account(paid())).get(),
        "capture": lambda: Capture.objects.for_scope(one_account(paid())).get(),
        "return": lambda: requested(sold(1), 1),
        "claim": claim,
        "connection": ConnectionFactory,
        "webhookendpoint": an_endpoint,
        "dispute": disputed,
        **lots.MACHINES,
        "refund": lambda: Refund.objects.for_scope(one_account(paid())).get(),
    }


def one_account(order: Order) -> Scope:
    return Scope(frozenset({order.account_id}))


def kept(row: models.Model) -> None:
    record_history(type(row), [row.pk], Change.CREATED, at=NOON, actor=BEN)


def repeated_as(row: models.Model, **changed: str) -> None:
    """The last history row of a row once more, with some columns changed."""
    table = type(row).history.model
    last = table.objects.filter(id=row.pk).order_by("-history_id").values()[0]
    last.pop("history_id")
    if "state" in changed:
        changed[_state(type(row))] = changed.pop("state")
    table(**last | changed).save(force_insert=True)


ORDERS = {
    "orders.once": Breach(
        two_orders,
        "UPDATE orders_order SET external_id = 'same', "
        "channel_id = (SELECT channel_id FROM orders_order LIMIT 1)",
    ),
    "orders.units": Breach(reserved, "UPDATE orders_orderline SET ordered = ordered + 1"),
    "orders.reserved": Breach(reserved, "UPDATE orders_orderline SET reserved = 1, pending = 1"),
    "orders.backordered": Breach(
        reserved, "UPDATE orders_orderline SET reserved = 1, backordered = 1"
    ),
    "orders.not_ours": Breach(reserved, "UPDATE orders_deliverygroup SET fulfilled_by = 'channel'"),
    "orders.cancellations": Breach(
        reserved, "UPDATE orders_orderline SET reserved = 1, cancelled = 1"
    ),
    "orders.holds": Breach(reserved, "UPDATE orders_order SET holds_open = 1"),
    "orders.cancelled": Breach(reserved, "UPDATE orders_order SET state = 'cancelled'"),
    "money.captures": Breach(paid, "UPDATE orders_tender SET captured_minor = 0"),
    "money.refunds": Breach(paid, "UPDATE orders_refund SET amount_minor = 501"),
    "money.charged_back": Breach(
        paid, "UPDATE orders_tender SET refunded_minor = 100, charged_back_minor = 1"
    ),
    "money.disputes": Breach(disputed, "UPDATE orders_dispute SET state = 'lost'"),
    "money.authorized": Breach(paid, "UPDATE orders_authorization SET amount_minor = 499"),
    "money.elsewhere": Breach(paid, "UPDATE orders_tender SET collected_by = 'channel'"),
    "money.documents": Breach(paid, "UPDATE orders_order SET invoiced_minor = 1"),
    "money.balance": Breach(shipped, "UPDATE orders_order SET total_minor = total_minor + 1"),
    "history.events": Breach(reserved, "UPDATE orders_order SET event_seq = event_seq + 1"),
}

STOCK = {
    "capacity.used": Breach(
        lambda: limited(units=9), "UPDATE inventory_capacitywindow SET used = 1"
    ),
    "capacity.done": Breach(
        lambda: limited(units=9), "UPDATE inventory_capacitywindow SET done = 1"
    ),
    "availability.published": Breach(told, "UPDATE inventory_channelavailability SET ats = 6"),
    "availability.version": Breach(
        told, "UPDATE inventory_channelavailability SET published_version = 2"
    ),
    "stock.on_hand": Breach(shelf, "UPDATE inventory_stocklevel SET on_hand = on_hand + 1"),
    "stock.movement_without_level": Breach(shelf, "DELETE FROM inventory_stocklevel"),
    "stock.sellable": Breach(shelf, "UPDATE inventory_stockposition SET sellable = sellable + 1"),
    "stock.reserved": Breach(shelf, "UPDATE inventory_stockposition SET reserved = 1"),
    "stock.oversold": Breach(shelf, "UPDATE inventory_stockposition SET reserved = 9"),
    "stock.shortfall_work": Breach(shelf, "UPDATE inventory_stockposition SET shortfall = 1"),
    "stock.landed_work": Breach(shelf, "UPDATE inventory_stockposition SET landed = 1"),
    "stock.buffer": Breach(shelf, "UPDATE inventory_stockposition SET buffer = 1"),
    "stock.quota_used": Breach(quota, "UPDATE inventory_quota SET used = 9"),
    "stock.sold_ahead": Breach(sold_ahead, "UPDATE inventory_aheadcap SET used = 0"),
    "stock.reservation_place": Breach(
        claimed,
        "UPDATE inventory_reservation SET node_id = (SELECT max(id) FROM inventory_node)",
    ),
    "transfers.shipped": Breach(
        lambda: transfer("shipped"), "UPDATE inventory_transferline SET shipped = 4"
    ),
    "transfers.received": Breach(
        lambda: transfer("shipped"), "UPDATE inventory_transferline SET received = 1"
    ),
    "transfers.reserved": Breach(
        lambda: transfer("released"), "UPDATE inventory_transfer SET state = 'approved'"
    ),
}

FULFILLMENT = {
    "fulfillment.released": Breach(
        released, "UPDATE orders_orderline SET released = 1, pending = 1"
    ),
    "fulfillment.shipped": Breach(shipped, "UPDATE orders_orderline SET shipped = 1"),
    "fulfillment.parcels": Breach(shipped, "UPDATE fulfillment_parcelline SET quantity = 1"),
    "fulfillment.reservations": Breach(
        released, "UPDATE fulfillment_fulfillmentline SET waiting = 1, short = 1"
    ),
    "fulfillment.not_ours": Breach(
        released, "UPDATE orders_deliverygroup SET fulfilled_by = 'channel'"
    ),
    "fulfillment.state": Breach(
        shipped, "UPDATE fulfillment_fulfillmentorder SET state = 'picking'"
    ),
    "fulfillment.journeys": Breach(
        shipped, "UPDATE orders_orderline SET underway = 0, delivered = 2"
    ),
}

RETURNS = {
    "returns.units": Breach(graded, "UPDATE returns_returnline SET received = received + 1"),
    "returns.graded": Breach(graded, "UPDATE returns_returnline SET accepted = 0, rejected = 1"),
    "returns.stock": Breach(graded, "UPDATE returns_inspection SET quantity = 2"),
    "returns.awaited": Breach(
        lambda: requested(sold(2), 1), "UPDATE returns_returnline SET requested = 3"
    ),
    "returns.money": Breach(graded, "UPDATE returns_return SET credited_minor = 1"),
    "money.credits": Breach(graded, "UPDATE orders_order SET credited_minor = 1"),
    "money.credit_parts": Breach(graded, "DELETE FROM orders_creditline"),
    "money.credited_once": Breach(graded, "UPDATE orders_creditline SET quantity = 3"),
    "money.credits_answered": Breach(graded, "UPDATE orders_tender SET credited_minor = 0"),
    "money.carried": Breach(graded, "UPDATE orders_tender SET carried_minor = captured_minor"),
}

PLATFORM = {
    "events.delivered": Breach(relayed, "DELETE FROM kernel_delivery WHERE seq = 2"),
    "events.ahead": Breach(relayed, "UPDATE kernel_relaycursor SET xid = '1'"),
    "events.same": Breach(relayed, "UPDATE kernel_delivery SET seq = 9 WHERE seq = 2"),
    "events.order": Breach(
        relayed, "UPDATE kernel_delivery SET state = 'dead', done_at = NULL WHERE seq = 1"
    ),
    "events.settled": Breach(relayed, "UPDATE kernel_delivery SET done_at = NULL"),
    "events.actor": Breach(relayed, "UPDATE kernel_event SET actor_id = ''"),
    "events.case": Breach(CaseFactory, "UPDATE kernel_case SET event_seq = 1"),
    "events.node": Breach(NodeFactory, "UPDATE inventory_node SET event_seq = 1"),
    "events.position": Breach(shelf, "UPDATE inventory_stockposition SET event_seq = 1"),
    "events.fulfillment_order": Breach(
        released, "UPDATE fulfillment_fulfillmentorder SET event_seq = event_seq + 1"
    ),
    "events.parcel": Breach(shipped, "UPDATE fulfillment_parcel SET event_seq = event_seq + 1"),
    "events.node_request": Breach(request, "UPDATE fulfillment_noderequest SET event_seq = 7"),
    "events.return": Breach(
        lambda: requested(sold(1), 1), "UPDATE returns_return SET event_seq = event_seq + 1"
    ),
    "events.claim": Breach(claim, "UPDATE returns_claim SET event_seq = event_seq + 1"),
    "inbox.once": Breach(
        messages, "UPDATE integrations_inboxmessage SET source = 's', external_id = 'same'"
    ),
    "inbox.kept": Breach(messages, InboxMessageFactory),
    "inbox.settled": Breach(messages, "UPDATE integrations_inboxmessage SET state = 'dead'"),
    "inbox.effect": Breach(
        messages,
        "UPDATE integrations_inboxmessage SET state = 'applied', subject_kind = 'order', "
        "subject_id = gen_random_uuid()",
    ),
    "jobs.counts": Breach(job, "UPDATE kernel_job SET done = 1"),
}

WALLS = {
    "accounts.children": Breach(
        order_beside_another_account,
        "UPDATE orders_orderline " + TO_ANOTHER,
    ),
    "accounts.links": Breach(kit, kit_across_accounts),
    "accounts.grants": Breach(GrantFactory, lambda: GrantFactory(node_id=NodeFactory().pk)),
}

LOTS = {code: Breach(build, wrong) for code, (build, wrong) in lots.LOTS.items()}
PROMISES = {code: Breach(build, wrong) for code, (build, wrong) in promises.PROMISES.items()}
ROUTING = {code: Breach(build, wrong) for code, (build, wrong) in routing.ROUTING.items()}
BREACHES = LOTS | PROMISES | ROUTING | ORDERS | STOCK | FULFILLMENT | RETURNS | PLATFORM | WALLS


def seen(code: str) -> list[str]:
    wanted = [known for known in invariants() if known.code == code]
    return [violation.detail for violation in check(wanted)]


@pytest.mark.parametrize("code", BREACHES)
def test_a_breach_is_seen(code: str):
    breach = BREACHES[code]
    breach.build()
    unguard(breach.wrong)
    assert seen(code) == []

    if isinstance(breach.wrong, str):
        execute(breach.wrong)
    else:
        breach.wrong()

    assert seen(code) != []


_LIES = {"": {"state": "nowhere"}, ".present": {"state": "nowhere"}, ".signed": {"actor_id": ""}}


@pytest.mark.parametrize("name", rows_of_machines())
def test_a_history_that_lies_is_seen(name: str):
    """It leaves the graph, ends elsewhere than the row, or names nobody."""
    row = rows_of_machines()[name]()
    kept(row)
    for end, changed in _LIES.items():
        assert seen(f"history.{name}{end}") == []
        honest = transaction.savepoint()

        repeated_as(row, **changed)

        assert seen(f"history.{name}{end}") != []
        transaction.savepoint_rollback(honest)


def test_every_invariant_has_its_breach():
    told = {f"history.{name}{end}" for name in rows_of_machines() for end in _LIES}

    assert {known.code for known in invariants()} == BREACHES.keys() | told


def test_every_machine_with_a_history_is_followed():
    assert {model._meta.model_name for model in _machines()} == rows_of_machines().keys()


class TestReferencesWithoutForeignKey:
    @pytest.mark.parametrize(
        "table",
        [
            "kernel_event",
            "inventory_movement",
            "inventory_reservation",
        ],
    )
    def test_are_kept_within_the_account_too(self, table: str):
        order_beside_another_account()
        wrong = f"UPDATE {table} {TO_ANOTHER}"  # the names above
        unguard(wrong)

        execute(wrong)

        assert seen("accounts.children") != []


class TestCheckAll:
    def test_is_content_with_honest_books(self):
        relayed()
        messages()
        job()
        kit()
        claimed()
        shipped()
        released()

        assert check_all() == []

    def test_looks_at_the_accounts_of_its_scope_only(self):
        mine, theirs = stock(1), stock(1)
        execute("UPDATE inventory_stocklevel SET on_hand = on_hand + 1")

        found = check_all(Scope(frozenset({mine.account_id})), about="stock.on_hand")

        assert len(found) == 1
        assert len(check_all(about="stock.on_hand")) == 2
        assert theirs.account_id != mine.account_id

    def test_takes_every_invariant_in_every_scope(self):
        assert check_all(Scope(frozenset({AccountFactory().pk}))) == []

    def test_reports_no_more_than_a_hundred_of_one_kind(self):
        for _ in range(AT_MOST + 1):
            NodeFactory(event_seq=1)

        assert len(check_all(about="events.node")) == AT_MOST
