"""Every machine of supply: all (state × transition) pairs, allowed and refused."""

from datetime import timedelta
from itertools import product

import pytest

from config.kernel.errors import IllegalTransition
from config.kernel.fsm import transitions_of
from inventory.models import CountRequest, Inbound, Node, Reservation
from inventory.states import CountState, InboundState, NodeState, ReservationState
from tests.factories.kernel import NOON

LATER = NOON + timedelta(hours=1)

ALLOWED = {
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
    CountRequest: {"answer": {"open": "answered"}},
}
STATES = {
    Node: NodeState,
    Reservation: ReservationState,
    Inbound: InboundState,
    CountRequest: CountState,
}
ARGUMENTS = {
    (Node, "pause"): {"until": LATER, "reason": "flood"},
    (Node, "drain"): {"reason": "lease ends"},
    (Reservation, "consume"): {"at": NOON},
    (Reservation, "release"): {"at": NOON},
    (Reservation, "expire"): {"at": NOON},
    (Reservation, "fail"): {"at": NOON},
    (CountRequest, "answer"): {"counted": 3, "at": NOON},
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
