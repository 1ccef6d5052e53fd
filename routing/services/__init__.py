"""Commands of routing: policies in versions, rate cards, and the templates a new account starts with."""

from routing.services.pledges import PledgeDraft, end_pledge, pledge
from routing.services.policies import (
    PolicyDraft,
    edit_policy,
    publish_policy,
    publish_scheduled,
    retire_policy,
    roll_back_policy,
    schedule_policy,
    seed_policies,
    send_back_policy,
    submit_policy,
)
from routing.services.quotes import quote_promises, sweep_quotes
from routing.services.rates import RateCardDraft, ZoneDraft, define_rate_cards
from routing.services.willingness import Answered, count_answers, mark_full

__all__ = [
    "Answered",
    "PledgeDraft",
    "PolicyDraft",
    "RateCardDraft",
    "ZoneDraft",
    "count_answers",
    "define_rate_cards",
    "edit_policy",
    "end_pledge",
    "mark_full",
    "pledge",
    "publish_policy",
    "publish_scheduled",
    "quote_promises",
    "retire_policy",
    "roll_back_policy",
    "schedule_policy",
    "seed_policies",
    "send_back_policy",
    "submit_policy",
    "sweep_quotes",
]
