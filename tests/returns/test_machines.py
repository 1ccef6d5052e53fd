"""Every (state, transition) of the machines of returns: it moves as drawn, or refuses by name."""

from datetime import UTC, datetime

import pytest

from config.kernel.errors import IllegalTransition
from config.kernel.fsm import transitions_of
from returns.models import Claim, Return
from returns.states import ClaimState, ReturnState

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

RETURN = {
    "ask_for_review": ({"requested"}, "review"),
    "authorize": ({"requested", "review"}, "authorized"),
    "decline": ({"requested", "review"}, "declined"),
    "travel": ({"authorized"}, "in_transit"),
    "expire": ({"authorized"}, "expired"),
    "cancel": ({"requested", "review", "authorized"}, "cancelled"),
    "receive": ({"requested", "review", "authorized", "in_transit", "expired"}, "received"),
    "inspect": ({"received"}, "inspected"),
    "receive_more": ({"inspected", "settled", "closed"}, "received"),
    "settle": ({"inspected", "authorized"}, "settled"),
    "close": ({"settled"}, "closed"),
}
CLAIM = {
    "file": ({"open"}, "filed"),
    "pay": ({"open", "filed"}, "paid"),
    "deny": ({"open", "filed"}, "denied"),
    "withdraw": ({"open", "filed"}, "withdrawn"),
}
ARGUMENTS = {
    "authorize": {"expires_at": NOON, "at": NOON},
    "decline": {"why": "worn"},
    "travel": {"at": NOON},
    "receive": {"at": NOON},
    "inspect": {"at": NOON},
    "settle": {"at": NOON},
    "close": {"at": NOON},
    "file": {"reference": "C-1", "at": NOON},
    "pay": {"amount_minor": 1, "at": NOON},
    "deny": {"at": NOON},
    "withdraw": {"at": NOON},
}
PAIRS = [
    (model, state, name)
    for model, drawn, states in ((Return, RETURN, ReturnState), (Claim, CLAIM, ClaimState))
    for name in drawn
    for state in states.values
]


@pytest.mark.parametrize(("model", "drawn"), [(Return, RETURN), (Claim, CLAIM)])
def test_the_machine_is_the_one_drawn(model, drawn):
    steps = {(name, source, target) for name, source, target in transitions_of(model)}

    assert steps == {
        (name, source, target) for name, (sources, target) in drawn.items() for source in sources
    }


@pytest.mark.parametrize(("model", "state", "name"), PAIRS)
def test_moves_as_drawn_or_refuses(model, state: str, name: str):
    sources, target = (RETURN if model is Return else CLAIM)[name]
    subject = model(state=state)

    if state in sources:
        getattr(subject, name)(**ARGUMENTS.get(name, {}))
        assert subject.state == target
    else:
        with pytest.raises(IllegalTransition):
            getattr(subject, name)(**ARGUMENTS.get(name, {}))
        assert subject.state == state
