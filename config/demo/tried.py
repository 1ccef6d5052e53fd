"""What the routing team tries as the fortnight ends: a draft, played over the week and beside live."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from config.demo.made import ACTOR, Retailer
from config.kernel.types import Scope
from routing import selectors
from routing.rule_reading import parse_rules
from routing.services import edit_policy
from routing.services.policies import draft_of
from routing.services.shadows import start_shadow
from routing.services.simulations import SimulationDraft, decisions_in, start_simulation
from routing.simulating_samples import Wanted
from routing.states import PolicyState

_HEAVY: Final = {
    "name": "Heavy goods",
    "when": [{"attribute": "heaviest_grams", "test": "at_least", "values": ["2000"]}],
    "nodes": {"kinds": ["dc"]},
    "limits": {"soft": ["nodes"]},
}


def set_going(made: Retailer, at: datetime) -> None:
    """A draft that sends heavy goods from warehouses; it runs beside live, and over the last week."""
    live = selectors.policies(Scope(frozenset({made.account_id})), state=PolicyState.LIVE)
    sample = Wanted("last_7_days", at).sample()
    if not live or not decisions_in(made.account_id, sample, ACTOR):
        return
    draft = replace(
        draft_of(live[0], comment="Heavy goods from the warehouses, where they are packed better."),
        rules=parse_rules([_HEAVY]),
    )
    policy = edit_policy(draft, at=at, actor=ACTOR)
    start_shadow(policy.pk, at=at, actor=ACTOR)
    start_simulation(
        SimulationDraft(made.account_id, (policy.pk,), sample, sweep=True), at=at, actor=ACTOR
    )
