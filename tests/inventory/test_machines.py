"""Every machine of supply: all (state × transition) pairs, allowed and refused."""

from datetime import timedelta
from itertools import product

import pytest

from config.kernel.errors import IllegalTransition
from config.kernel.fsm import transitions_of
from config.kernel.ids import uuid7
from inventory.models import (
    BufferRule,
    CountRequest,
    Inbound,
    Lot,
    Node,
    NodePlan,
    QuotaPlan,
    Recall,
    Reservation,
    Serial,
    StockAdjustment,
    Transfer,
    TransferClaim,
)
from inventory.states import (
    AdjustmentState,
    CountState,
    InboundState,
    LotState,
    NodeState,
    PlanState,
    QuotaState,
    RecallState,
    ReservationState,
    RuleState,
    SerialState,
    TransferClaimState,
    TransferState,
)
from tests.factories.kernel import NOON

LATER = NOON + timedelta(hours=1)

ALLOWED = {
    NodePlan: {
        "start": {"planned": "live"},
        "end": {"planned": "ended", "live": "ended"},
        "cancel": {"planned": "cancelled", "live": "cancelled"},
    },
    Node: {
        "activate": {"onboarding": "active"},
        "pause": {"active": "paused"},
        "resume": {"paused": "active"},
        "drain": {"active": "draining", "paused": "draining"},
        "close": {"draining": "closed"},
    },
    Reservation: {
        "confirm": {"held": "reserved", "waiting": "reserved"},
        "commit": {"reserved": "committed"},
        "consume": {"reserved": "consumed", "committed": "consumed"},
        "reopen": {"consumed": "committed"},
        "release": {
            "waiting": "released",
            "held": "released",
            "reserved": "released",
            "committed": "released",
        },
        "expire": {"held": "expired"},
        "fail": {"reserved": "failed", "committed": "failed"},
    },
    Inbound: {
        "arrive": {"expected": "arriving", "arriving": "arriving"},
        "finish": {"expected": "received", "arriving": "received"},
        "cancel": {"expected": "cancelled", "arriving": "cancelled"},
    },
    BufferRule: {
        "publish": {"draft": "live"},
        "withdraw": {"live": "draft"},
        "end": {"draft": "ended", "live": "ended"},
    },
    QuotaPlan: {
        "start": {"planned": "live"},
        "end": {"planned": "ended", "live": "ended"},
    },
    CountRequest: {
        "answer": {"open": "answered", "recount": "answered"},
        "doubt": {"open": "recount"},
        "cancel": {"open": "cancelled", "recount": "cancelled"},
    },
    StockAdjustment: {
        "approve": {"proposed": "approved"},
        "apply": {"proposed": "applied", "approved": "applied"},
        "decline": {"proposed": "declined", "approved": "declined"},
    },
    Transfer: {
        "approve": {"draft": "approved"},
        "release": {"approved": "released", "released": "released"},
        "ship": {"released": "shipped", "shipped": "shipped"},
        "receive": {"shipped": "received"},
        "close": {"received": "closed"},
        "cancel": {
            "draft": "cancelled",
            "approved": "cancelled",
            "released": "cancelled",
        },
    },
    TransferClaim: {
        "settle": {"open": "settled"},
        "withdraw": {"open": "withdrawn"},
    },
    Lot: {
        "hold": {"active": "held"},
        "release": {"held": "active"},
        "call_back": {"active": "recalled", "held": "recalled"},
        "lift": {"recalled": "held"},
        "expire": {"active": "expired", "held": "expired"},
        "correct": {"expired": "held"},
    },
    Serial: {
        "store": dict.fromkeys(SerialState.values, "in_stock"),
        "pick": {"in_stock": "picked", "returned": "picked"},
        "ship": {"in_stock": "shipped", "picked": "shipped", "returned": "shipped"},
        "come_back": {"shipped": "returned"},
        "scrap": dict.fromkeys(["in_stock", "picked", "returned"], "scrapped"),
    },
    Recall: {
        "stop": {"stopping": "stopped"},
        "lift": {"stopping": "lifted", "stopped": "lifted"},
    },
}
STATES = {
    BufferRule: RuleState,
    QuotaPlan: QuotaState,
    Node: NodeState,
    NodePlan: PlanState,
    Reservation: ReservationState,
    Inbound: InboundState,
    CountRequest: CountState,
    StockAdjustment: AdjustmentState,
    Transfer: TransferState,
    TransferClaim: TransferClaimState,
    Lot: LotState,
    Serial: SerialState,
    Recall: RecallState,
}
ARGUMENTS = {
    (BufferRule, "end"): {"ends_at": LATER},
    (QuotaPlan, "end"): {"ends_at": LATER},
    (Node, "pause"): {"until": LATER, "reason": "flood"},
    (Node, "drain"): {"reason": "lease ends"},
    (Reservation, "consume"): {"at": NOON},
    (Reservation, "release"): {"at": NOON},
    (Reservation, "expire"): {"at": NOON},
    (Reservation, "fail"): {"at": NOON},
    (CountRequest, "answer"): {"counted": 3, "by": "anna", "at": NOON},
    (CountRequest, "doubt"): {"counted": 3, "by": "anna", "due_at": LATER},
    (CountRequest, "cancel"): {"reason": "sold out", "at": NOON},
    (StockAdjustment, "approve"): {"by": "ben", "name": "Ben", "note": "", "at": NOON},
    (StockAdjustment, "apply"): {"movement_id": uuid7(), "at": NOON},
    (StockAdjustment, "decline"): {"by": "ben", "name": "Ben", "note": "no", "at": NOON},
    (Transfer, "approve"): {"name": "Ben", "at": NOON},
    (Transfer, "release"): {"at": NOON},
    (Transfer, "ship"): {"eta_at": LATER, "reference": "", "at": NOON},
    (Transfer, "receive"): {"at": NOON},
    (Transfer, "close"): {"at": NOON},
    (Transfer, "cancel"): {"reason": "sold out", "at": NOON},
    (Lot, "hold"): {"reason": "smells"},
    (Lot, "release"): {"reason": "fine"},
    (Lot, "call_back"): {"recall_id": uuid7(), "reason": "glass"},
    (Lot, "lift"): {"reason": "lab was wrong"},
    (Recall, "stop"): {"at": NOON},
    (Recall, "lift"): {"reason": "lab was wrong", "at": NOON},
    (TransferClaim, "settle"): {"settled_minor": 100, "reference": "", "at": NOON},
    (TransferClaim, "withdraw"): {"reason": "found", "at": NOON},
}
PAIRS = [
    (model, state.value, name)
    for model, moves in ALLOWED.items()
    for state, name in product(STATES[model], moves)
]


@pytest.mark.parametrize(("model", "state", "name"), PAIRS)
def test_a_transition_moves_from_its_sources_only(model, state, name):
    row = model(state=state)
    target = ALLOWED[model][name].get(state)
    move = getattr(row, name)
    arguments = ARGUMENTS.get((model, name), {})

    if target is None:
        with pytest.raises(IllegalTransition):
            move(**arguments)
        assert row.state == state
    else:
        move(**arguments)
        assert row.state == target


@pytest.mark.parametrize("model", ALLOWED)
def test_no_machine_has_a_transition_that_is_not_written_here(model):
    declared = {(name, source, target) for name, source, target in transitions_of(model)}

    assert declared == {
        (name, source, target)
        for name, moves in ALLOWED[model].items()
        for source, target in moves.items()
    }


@pytest.mark.parametrize("model", ALLOWED)
def test_no_state_is_assigned(model):
    row = model()

    with pytest.raises(AttributeError):
        row.state = "closed"
