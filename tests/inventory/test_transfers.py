"""Goods between nodes: reserved, shipped and received in parts, whole or not."""

from datetime import date, timedelta

import pytest
from django.db import transaction

from config.kernel import ids
from config.kernel.models import CaseReport, Event
from config.kernel.types import ALL_ACCOUNTS
from inventory import services
from inventory.models import (
    Inbound,
    InboundLine,
    Movement,
    Reservation,
    StockLevel,
    Transfer,
    TransferClaim,
    TransferLine,
)
from inventory.states import TransferState
from inventory.types import (
    MovedUnits,
    ReceivedLine,
    StockChange,
    TransferReceipt,
    TransferShipment,
)
from tests.books import check_all
from tests.factories.inventory import ANNA, NodeFactory, reread, stock, want
from tests.factories.kernel import NOON
from tests.factories.moves import LILY, MARK, again, done, draft_of, lines_of, transfer

pytestmark = pytest.mark.django_db

LATER = NOON + timedelta(days=2)


def on_hand(row, where):
    levels = StockLevel.objects.for_scope(ALL_ACCOUNTS).filter(
        position__node_id=getattr(row, f"{where}_id"), on_hand__gt=0
    )
    found = levels.order_by("condition", "lot").values_list("condition", "lot", "on_hand")
    return list(found)


def ship(row, units, **details):
    (line,) = lines_of(row)
    shipment = TransferShipment(row.pk, (MovedUnits(line.pk, units),), **details)
    return done(services.ship_transfers([shipment], at=NOON, actor=ANNA))


def receive(row, units, *, damaged=0, last=False, **details):
    (line,) = lines_of(row)
    came = MovedUnits(line.pk, units, damaged, **details)
    receipt = TransferReceipt(row.pk, (came,), last=last)
    return done(services.receive_transfers([receipt], at=LATER, actor=ANNA))


def sound():
    return check_all(about="stock.") + check_all(about="transfers.") + check_all(about="history.")


def test_goods_go_from_node_to_node_and_close_when_all_is_well():
    position = stock(10, lot="L1", expires_on=date(2027, 1, 1))
    row = transfer("released", 6, position=position)
    assert (reread(position.pk).reserved, row.number[:2]) == (6, "T-")

    ship(row, 6, eta_at=LATER, reference="TRUCK 7")
    line = InboundLine.objects.get(inbound__transfer=row)
    assert (line.expected, line.received, line.eta_at) == (6, 0, LATER)
    assert (reread(position.pk).sellable, reread(position.pk).reserved) == (4, 0)
    answer = receive(row, 6)

    assert (answer.state, answer.received) == ("closed", 6)
    assert on_hand(row, "destination") == [("available", "L1", 6)]
    assert Inbound.objects.for_scope(ALL_ACCOUNTS).get().state == "received"
    kinds = Movement.objects.for_scope(ALL_ACCOUNTS).filter(cause_id=row.pk)
    assert set(kinds.values_list("kind", flat=True)) == {"transfer"}
    topics = Event.objects.for_scope(ALL_ACCOUNTS).filter(subject_id=row.pk).order_by("seq")
    assert [topic.partition(".")[2] for topic in topics.values_list("topic", flat=True)] == [
        "drafted", "approved", "released", "shipped", "received",
    ]  # fmt: skip
    assert sound() == []


def test_the_lots_that_are_named_leave_whether_reserved_or_not():
    position = stock(3, lot="A", expires_on=date(2026, 9, 1))
    later = StockChange(
        position.node_id,
        position.sku_id,
        position.account_id,
        4,
        "receipt",
        lot="B",
        expires_on=date(2027, 1, 1),
    )
    services.record_changes([later], at=NOON, actor=ANNA)
    row = transfer("released", 2, position=position)
    (line,) = lines_of(row)

    left = (MovedUnits(line.pk, 3, lot="B"), MovedUnits(line.pk, 1))
    done(services.ship_transfers([TransferShipment(row.pk, left)], at=NOON, actor=ANNA))
    receive(row, 4)

    assert on_hand(row, "source") == [("available", "A", 2), ("available", "B", 1)]
    assert on_hand(row, "destination") == [("available", "A", 1), ("available", "B", 3)]
    assert sound() == []


def test_every_step_may_be_partial():
    position = stock(4)
    row = transfer("released", 6, position=position)
    assert reread(position.pk).reserved == 4

    more = StockChange(position.node_id, position.sku_id, position.account_id, 1, "receipt")
    services.record_changes([more], at=NOON, actor=ANNA)
    assert done(services.release_transfers([row.pk], at=NOON, actor=ANNA)).reserved == 5
    ship(row, 2)
    receive(row, 1)
    assert (again(row.pk).state, reread(position.pk).reserved) == ("shipped", 3)
    ship(row, 2, last=True)
    assert (again(row.pk).state, reread(position.pk).reserved) == ("shipped", 0)
    answer = receive(row, 3)

    assert (answer.state, answer.shipped, answer.received) == ("closed", 4, 4)
    assert InboundLine.objects.get().expected == 4
    assert sound() == []


def test_units_that_nobody_reserved_leave_and_arrive_as_well():
    position = stock(3)
    row = transfer("released", 3, position=position)

    ship(row, 5)
    answer = receive(row, 6)

    assert (answer.state, reread(position.pk).sellable) == ("received", 0)
    assert set(CaseReport.objects.values_list("kind", flat=True)) == {
        "STOCK_DISCREPANCY",
        "TRANSFER_DIFFERENCE",
    }
    assert sound() == []


def test_a_difference_is_a_case_and_claims_that_end_before_it_closes():
    row = transfer("shipped", 6)

    receive(row, 3, damaged=1, last=True)
    assert on_hand(row, "destination") == [("available", "", 3), ("damaged", "", 1)]
    claims = {claim.kind: claim for claim in TransferClaim.objects.for_scope(ALL_ACCOUNTS)}
    assert {kind: (one.quantity, one.value_minor) for kind, one in claims.items()} == {
        "missing": (2, 3998),
        "damaged": (1, 1999),
    }
    (refused,) = services.close_transfers([row.pk], at=LATER, actor=ANNA)
    assert refused.problem.code == "open-claims"
    receive(row, 2)  # they turn up
    assert lines_of(row)[0].missing == 0
    assert TransferClaim.objects.for_scope(ALL_ACCOUNTS).get(kind="missing").state == "withdrawn"
    paid = [(claims["damaged"].pk, 1500)]
    services.settle_transfer_claims(paid, "credit 17", at=LATER, actor=ANNA)

    assert done(services.close_transfers([row.pk], at=LATER, actor=ANNA)).state == "closed"
    assert sound() == []


def test_an_inbound_of_a_transfer_is_received_as_the_transfer_and_once():
    row = transfer("shipped", 4)
    node = row.destination
    node.puts_away = True
    node.save(update_fields=["puts_away"])
    line = InboundLine.objects.get()

    for _ in range(2):
        services.receive_inbound(
            line.inbound_id, [ReceivedLine(line.pk, 3, external_id="R-1")], at=LATER, actor=ANNA
        )

    assert lines_of(row)[0].received == 3
    assert on_hand(row, "destination") == [("receiving", "", 3)]
    line.refresh_from_db()
    assert (line.received, line.inbound.state) == (3, "arriving")
    assert sound() == []


def test_cancelling_frees_what_was_reserved_and_is_refused_once_it_left():
    position = stock(9)
    going, gone = transfer("released", 4, position=position), transfer("shipped", 2)

    outcomes = services.cancel_transfers([going.pk, gone.pk], "not needed", at=NOON, actor=ANNA)

    assert [one.ok for one in outcomes] == [True, False]
    assert reread(position.pk).reserved == 0
    assert sound() == []


def test_large_ones_are_approved_by_somebody_else():
    position = stock(500)
    node = NodeFactory(account=position.account)
    drafts = [draft_of(position, node, units) for units in (10, 200)]
    small, large = services.draft_transfers(drafts, at=NOON, actor=LILY)

    wanted = [small.value.id, large.value.id]
    first, second = services.approve_transfers(wanted, at=NOON, actor=LILY)

    assert (first.ok, second.problem.code) == (True, "same-person")
    assert services.approve_transfers(wanted[1:], at=NOON, actor=MARK)[0].ok


def test_drafts_are_refused_one_by_one_and_taken_once():
    position = stock(5)
    node = NodeFactory(account=position.account)
    good = draft_of(position, node, 2, source="erp", external_id="TO-1")
    same = draft_of(position, position.node, 2)
    foreign = draft_of(position, NodeFactory(), 0)

    first, twin, *refused = services.draft_transfers(
        [good, good, same, foreign], at=NOON, actor=ANNA
    )
    (later,) = services.draft_transfers([good], at=NOON, actor=ANNA)

    assert [first.kind, twin.kind, later.kind] == ["done", "repeated", "repeated"]
    assert first.value == twin.value == later.value
    assert [one.problem.code for one in refused] == ["same-node", "no-units"]
    assert Transfer.objects.for_scope(ALL_ACCOUNTS).count() == 1


def test_a_shortfall_is_covered_by_transfers_before_orders():
    position = stock(10)
    urgent = transfer("released", 3, position=position, priority=5)
    idle = transfer("released", 3, position=position)
    services.take([want(position, 4)], at=NOON, actor=ANNA)
    lost = StockChange(position.node_id, position.sku_id, position.account_id, -4, "damage")
    services.record_changes([lost], at=NOON, actor=ANNA)
    assert reread(position.pk).shortfall == 4

    assert services.cover_transfers(10, at=NOON, actor=ANNA) == 4

    claims = Reservation.objects.for_scope(ALL_ACCOUNTS).filter(state="reserved")
    assert sorted((row.thread_id in (urgent.pk, idle.pk), row.open) for row in claims) == [
        (False, 4),
        (True, 2),
    ]
    assert claims.get(thread_id=urgent.pk).open == 2
    assert reread(position.pk).shortfall == 0
    assert services.cover_transfers(10, at=NOON, actor=ANNA) == 0
    assert sound() == []


COMMANDS = {
    "approve": lambda keys: services.approve_transfers(keys, at=NOON, actor=ANNA),
    "release": lambda keys: services.release_transfers(keys, at=NOON, actor=ANNA),
    "cancel": lambda keys: services.cancel_transfers(keys, "no", at=NOON, actor=ANNA),
    "close": lambda keys: services.close_transfers(keys, at=NOON, actor=ANNA),
    "ship": lambda keys: services.ship_transfers(
        [TransferShipment(key, units_of(key)) for key in keys], at=NOON, actor=ANNA
    ),
    "receive": lambda keys: services.receive_transfers(
        [TransferReceipt(key, units_of(key)) for key in keys], at=NOON, actor=ANNA
    ),
}
ALLOWED = {
    "approve": {"draft"},
    "release": {"approved", "released"},
    "cancel": {"draft", "approved", "released"},
    "close": set(),  # the received one has an open claim
    "ship": {"released", "shipped"},
    "receive": {"shipped", "received"},
}


def units_of(transfer_id):
    lines = TransferLine.objects.for_scope(ALL_ACCOUNTS).filter(transfer=transfer_id)
    return tuple(MovedUnits(line.pk, 1) for line in lines)


def test_a_command_moves_those_of_many_whose_state_allows_it():
    position = stock(60)
    rows = {state: transfer(state, 5, position=position) for state in TransferState.values}
    assert {state: row.state for state, row in rows.items()} == {state: state for state in rows}
    keys = [*(row.pk for row in rows.values()), ids.uuid7()]

    for command, allowed in ALLOWED.items():
        with transaction.atomic():
            *outcomes, unknown = COMMANDS[command](keys)
            ok = {state for state, outcome in zip(rows, outcomes, strict=True) if outcome.ok}
            transaction.set_rollback(True)
        assert (command, ok) == (command, allowed)
        assert unknown.problem.code == "not-found"
    assert sound() == []


@pytest.mark.parametrize("count", [1, 4])
def test_commands_cost_the_same_for_any_number(count, django_assert_max_num_queries):
    position = stock(40)
    rows = [transfer("released", 5, position=position) for _ in range(count)]
    shipments = [TransferShipment(row.pk, units_of(row.pk)) for row in rows]
    receipts = [TransferReceipt(row.pk, units_of(row.pk)) for row in rows]

    with django_assert_max_num_queries(34):
        services.ship_transfers(shipments, at=NOON, actor=ANNA)
    with django_assert_max_num_queries(34):
        services.receive_transfers(receipts, at=LATER, actor=ANNA)
