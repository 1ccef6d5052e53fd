"""Commands of routing: policies in versions, rate cards, and the templates a new account starts with."""

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
from routing.services.rates import RateCardDraft, ZoneDraft, define_rate_cards

__all__ = [
    "PolicyDraft",
    "RateCardDraft",
    "ZoneDraft",
    "define_rate_cards",
    "edit_policy",
    "publish_policy",
    "publish_scheduled",
    "retire_policy",
    "roll_back_policy",
    "schedule_policy",
    "seed_policies",
    "send_back_policy",
    "submit_policy",
]
