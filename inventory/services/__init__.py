"""What inventory can be told. `take` and its kin run inside the caller's transaction."""

from inventory.services.adjustments import adjust_stock, approve_adjustments, decline_adjustments
from inventory.services.applying import apply_left_behind, apply_range
from inventory.services.buffers import apply_buffer_rules, apply_due, give_up_buffers, set_buffers
from inventory.services.changes import record_changes
from inventory.services.conditions import change_conditions, convert_packs, put_away
from inventory.services.count_plans import plan_counts
from inventory.services.counts import (
    answer_count,
    answer_counts,
    cancel_counts,
    exclude,
    lift_exclusions,
    request_counts,
)
from inventory.services.deltas import apply_deltas
from inventory.services.differences import accept_theirs, explain_differences, keep_ours
from inventory.services.feeds import apply_snapshot
from inventory.services.haircuts import apply_haircuts, refresh_haircuts
from inventory.services.inbound import receive_inbound
from inventory.services.issue import issue, put_back, record_shortages
from inventory.services.landing import free_unowed
from inventory.services.listening import declare_feeds
from inventory.services.months import carry_forward, carry_forward_due
from inventory.services.nodes import (
    activate_node,
    close_node,
    drain_node,
    fill_closures,
    pause_node,
    resume_due,
    resume_node,
)
from inventory.services.publishing import mark_published, publish_changes, touch
from inventory.services.quotas import end_quotas, plan_quotas, refresh_quotas, turn_quotas
from inventory.services.reservations import commit, expire_held, release
from inventory.services.rules import (
    define_rules,
    end_rules,
    publish_rules,
    withdraw_rules,
)
from inventory.services.silence import watch_feeds
from inventory.services.snapshots import (
    Totals,
    add_part,
    close_snapshot,
    open_snapshot,
    send_snapshot,
    withdraw_snapshot,
)
from inventory.services.take import (
    confirm_held,
    hold,
    lock_positions,
    reserve_future,
    take,
    take_again,
    take_landed,
)
from inventory.services.transfer_claims import settle_transfer_claims, withdraw_transfer_claims
from inventory.services.transfer_moves import receive_transfers, ship_transfers
from inventory.services.transfers import (
    approve_transfers,
    cancel_transfers,
    close_transfers,
    cover_transfers,
    draft_transfers,
    release_transfers,
)

__all__ = [
    "Totals",
    "accept_theirs",
    "activate_node",
    "add_part",
    "adjust_stock",
    "answer_count",
    "answer_counts",
    "apply_buffer_rules",
    "apply_deltas",
    "apply_due",
    "apply_haircuts",
    "apply_left_behind",
    "apply_range",
    "apply_snapshot",
    "approve_adjustments",
    "approve_transfers",
    "cancel_counts",
    "cancel_transfers",
    "carry_forward",
    "carry_forward_due",
    "change_conditions",
    "close_node",
    "close_snapshot",
    "close_transfers",
    "commit",
    "confirm_held",
    "convert_packs",
    "cover_transfers",
    "declare_feeds",
    "decline_adjustments",
    "define_rules",
    "draft_transfers",
    "drain_node",
    "end_quotas",
    "end_rules",
    "exclude",
    "expire_held",
    "explain_differences",
    "fill_closures",
    "free_unowed",
    "give_up_buffers",
    "hold",
    "issue",
    "keep_ours",
    "lift_exclusions",
    "lock_positions",
    "mark_published",
    "open_snapshot",
    "pause_node",
    "plan_counts",
    "plan_quotas",
    "publish_changes",
    "publish_rules",
    "put_away",
    "put_back",
    "receive_inbound",
    "receive_transfers",
    "record_changes",
    "record_shortages",
    "refresh_haircuts",
    "refresh_quotas",
    "release",
    "release_transfers",
    "request_counts",
    "reserve_future",
    "resume_due",
    "resume_node",
    "send_snapshot",
    "set_buffers",
    "settle_transfer_claims",
    "ship_transfers",
    "take",
    "take_again",
    "take_landed",
    "touch",
    "turn_quotas",
    "watch_feeds",
    "withdraw_rules",
    "withdraw_snapshot",
    "withdraw_transfer_claims",
]
