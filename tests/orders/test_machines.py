"""Every (state, transition) of every machine, one by one; and the columns that guard them in bulk."""

from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from config.kernel.errors import IllegalTransition
from config.kernel.fsm import transitions_of
from orders.models import Authorization, Capture, Dispute, Hold, Order, Refund
from orders.rows import RowsMoved, Statement
from orders.services.sheet import open_sheet
from orders.states import (
    AuthorizationState,
    CaptureState,
    DisputeState,
    HoldState,
    OrderState,
    RefundState,
)
from tests.factories.kernel import NOON
from tests.factories.orders import ANNA, Shop, line

GRAPHS: dict[Any, set[tuple[str, str, str]]] = {
    Order: {
        ("submit", "draft", "captured"),
        ("accept", "captured", "accepted"),
        ("close", "accepted", "closed"),
        ("cancel", "draft", "cancelled"),
        ("cancel", "captured", "cancelled"),
        ("cancel", "accepted", "cancelled"),
    },
    Hold: {("release", "active", "released"), ("expire", "active", "expired")},
    Authorization: {
        ("confirm", "requested", "live"),
        ("use_up", "live", "used"),
        ("void", "requested", "voided"),
        ("void", "live", "voided"),
        ("expire", "requested", "expired"),
        ("expire", "live", "expired"),
    },
    Capture: {
        ("succeed", "requested", "succeeded"),
        ("succeed", "unknown", "succeeded"),
        ("fail", "requested", "failed"),
        ("fail", "unknown", "failed"),
        ("lose_sight", "requested", "unknown"),
        ("withdraw", "requested", "withdrawn"),
    },
    Refund: {
        ("send", "pending", "sent"),
        ("succeed", "pending", "succeeded"),
        ("succeed", "sent", "succeeded"),
        ("fail", "pending", "failed"),
        ("fail", "sent", "failed"),
        ("fail", "succeeded", "failed"),
        ("retry", "failed", "retried"),
        ("settle_by_hand", "sent", "manual"),
        ("settle_by_hand", "failed", "manual"),
    },
    Dispute: {("win", "opened", "won"), ("lose", "opened", "lost")},
}
STATES: dict[Any, list[str]] = {
    Order: OrderState.values,
    Hold: HoldState.values,
    Authorization: AuthorizationState.values,
    Capture: CaptureState.values,
    Refund: RefundState.values,
    Dispute: DisputeState.values,
}
ARGUMENTS: dict[str, dict[str, Any]] = {
    "submit": {"at": NOON},
    "accept": {"at": NOON},
    "close": {"at": NOON},
    "cancel": {"at": NOON},
    "win": {"at": NOON},
    "lose": {"at": NOON},
    "release": {"at": NOON, "by": "anna", "reason": "fine"},
    "confirm": {"reference": "r"},
    "settle_by_hand": {"reference": "r", "at": NOON},
}
PER_MODEL: dict[tuple[Any, str], dict[str, Any]] = {
    (Hold, "expire"): {"at": NOON, "by": "anna", "reason": "over"},
    (Capture, "succeed"): {"reference": "r", "at": NOON},
    (Capture, "fail"): {"why": "no", "at": NOON},
    (Capture, "withdraw"): {"at": NOON},
    (Refund, "succeed"): {"reference": "r", "at": NOON},
    (Refund, "fail"): {"why": "no", "at": NOON},
}
PAIRS = [
    (model, state, name)
    for model, graph in GRAPHS.items()
    for state in STATES[model]
    for name in sorted({name for name, _, _ in graph})
]


@pytest.mark.parametrize("model", GRAPHS)
def test_the_graph_is_the_declared_one(model: Any) -> None:
    assert set(transitions_of(model)) == GRAPHS[model]


@pytest.mark.parametrize(("model", "state", "name"), PAIRS)
def test_a_transition_goes_where_the_graph_says_or_is_refused(
    model: Any, state: str, name: str
) -> None:
    row = model()
    row.__dict__["state"] = state
    arguments = PER_MODEL.get((model, name), ARGUMENTS.get(name, {}))
    target = next(
        (to for known, source, to in GRAPHS[model] if (known, source) == (name, state)), None
    )

    if target is None:
        with pytest.raises(IllegalTransition):
            getattr(row, name)(**arguments)
        assert row.state == state
    else:
        getattr(row, name)(**arguments)
        assert row.state == target


@pytest.mark.parametrize("model", GRAPHS)
def test_no_code_path_assigns_a_state(model: Any) -> None:
    with pytest.raises(AttributeError):
        model().state = STATES[model][-1]


class TestOrdersInBulk:
    @transaction.atomic
    def accept_while_one_moves(self, kept: Order, moved: Order, state: str) -> None:
        sheet = open_sheet([kept.id, moved.id])
        for order in sheet.orders.values():
            order.accept(at=NOON)
        with connection.cursor() as cursor:
            cursor.execute("UPDATE orders_order SET state = %s WHERE id = %s", [state, moved.id])
        sheet.write(at=NOON, actor=ANNA, reason="test")

    @pytest.mark.parametrize("state", ["draft", "closed", "cancelled"])
    def test_a_bulk_write_from_another_state_is_refused_as_a_whole(
        self, web: Shop, state: str
    ) -> None:
        sku = web.sku(9)
        kept, moved = web.captured(line(sku)), web.captured(line(sku, 2))
        with pytest.raises(RowsMoved):
            self.accept_while_one_moves(kept, moved, state)

        kept.refresh_from_db()
        assert kept.state == "captured"

    def test_the_database_refuses_a_state_nobody_declared(self, web: Shop) -> None:
        order = web.captured(line(web.sku(9)))

        with (
            pytest.raises(IntegrityError, match="order_state_known"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute("UPDATE orders_order SET state = 'lost' WHERE id = %s", [order.id])

    def test_a_hold_on_acceptance_stops_the_transition(self) -> None:
        order = Order(blocked=["accept"])

        with pytest.raises(IllegalTransition):
            order.accept(at=NOON)


class TestStatement:
    def test_never_lets_a_bucket_fall_below_zero(self, web: Shop) -> None:
        order = web.captured(line(web.sku(9)))
        statement = Statement()
        kept = order.lines.get()
        statement.add(type(kept), [{"id": kept.id, "pending": -2, "cancelled": 2}])

        with pytest.raises(RowsMoved):
            statement.run()
