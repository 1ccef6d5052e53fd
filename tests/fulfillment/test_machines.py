"""Every (state, transition) of fulfillment's machines: it moves as drawn, or refuses by name."""

from datetime import UTC, datetime

import pytest

from config.kernel import ids
from config.kernel.errors import IllegalTransition
from config.kernel.fsm import transitions_of
from fulfillment.models import FulfillmentOrder, NodeRequest, Parcel
from fulfillment.states import (
    AT_THE_NODE,
    OPEN_FULFILLMENT,
    TRACKED,
    FulfillmentState,
    ParcelState,
    RequestState,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)

FULFILLMENT = {
    "acknowledge": ({"released"}, "acknowledged"),
    "start_picking": ({"released", "acknowledged"}, "picking"),
    "finish_packing": ({"released", "acknowledged", "picking"}, "packed"),
    "open_again": ({"packed", "ready_for_pickup"}, "picking"),
    "ship": ({"released", "acknowledged", "picking", "packed"}, "shipped"),
    "take_back": ({"shipped"}, "packed"),
    "complete": ({"shipped"}, "completed"),
    "resume": ({"completed"}, "shipped"),
    "await_collection": ({"released", "acknowledged", "picking"}, "ready_for_pickup"),
    "collect": ({"picking", "ready_for_pickup", "expired"}, "collected"),
    "expire": ({"ready_for_pickup"}, "expired"),
    "cancel": (set(OPEN_FULFILLMENT), "cancelled"),
}
REQUEST = {
    "accept": ({"sent", "timed_out"}, "accepted"),
    "accept_in_part": ({"sent", "timed_out"}, "partly"),
    "refuse": ({"sent", "timed_out"}, "refused"),
    "time_out": ({"sent"}, "timed_out"),
}
PARCEL = {
    "label": ({"packed", "labelled"}, "labelled"),
    "manifest": ({"packed", "labelled"}, "manifested"),
    "hand_over": (set(AT_THE_NODE), "handed_over"),
    "take_back": ({"handed_over"}, "packed"),
    "take_back_labelled": ({"handed_over"}, "labelled"),
    "void": (set(AT_THE_NODE), "voided"),
    **{
        name: (set(TRACKED) - {target}, target)
        for name, target in {
            "travel": "in_transit",
            "go_out": "out_for_delivery",
            "attempt": "attempted",
            "wait_at_pickup_point": "at_pickup_point",
            "deliver": "delivered",
            "turn_back": "returning",
            "come_back": "returned",
            "damage": "damaged",
            "lose": "lost",
        }.items()
    },
}
ARGUMENTS = {
    **{name: {"at": NOON} for name in FULFILLMENT},
    **{name: {"granted": 1, "at": NOON} for name in ("accept", "accept_in_part", "refuse")},
    "label": {"carrier_code": "paper", "tracking_number": "T-1", "at": NOON},
    "hand_over": {"issued_under": ids.uuid7(), "at": NOON},
    "deliver": {"at": NOON},
}
MACHINES = {
    FulfillmentOrder: (FulfillmentState, FULFILLMENT),
    NodeRequest: (RequestState, REQUEST),
    Parcel: (ParcelState, PARCEL),
}


@pytest.mark.parametrize("model", MACHINES)
def test_the_machine_has_these_transitions_and_no_others(model):
    _, drawn = MACHINES[model]

    assert set(transitions_of(model)) == {
        (name, str(source), str(target))
        for name, (sources, target) in drawn.items()
        for source in sources
    }


@pytest.mark.parametrize(
    ("model", "state", "name"),
    [
        (model, state, name)
        for model, (states, drawn) in MACHINES.items()
        for state in states
        for name in drawn
    ],
)
def test_each_pair_moves_as_drawn_or_is_refused(model, state, name):
    sources, target = MACHINES[model][1][name]
    record = model(state=state)
    move = getattr(record, name)
    arguments = {} if (model, name) == (Parcel, "take_back") else ARGUMENTS.get(name, {})

    if state in sources:
        move(**arguments)
        assert record.state == target
    else:
        with pytest.raises(IllegalTransition) as refusal:
            move(**arguments)
        assert record.state == state
        assert name not in refusal.value.extra["allowed"]
