"""What inventory can be told. `take` and its kin run inside the caller's transaction."""

from inventory.services.adjustments import adjust_stock, approve_adjustments, decline_adjustments
from inventory.services.applying import RANGE, apply_left_behind, apply_range
from inventory.services.buffers import apply_buffer_rules, apply_due, give_up_buffers, set_buffers
from inventory.services.capacity import fold_capacity, open_windows, use_capacity
from inventory.services.caps import end_caps, limit_lines, refresh_caps, set_caps
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
from inventory.services.docks import count_docks
from inventory.services.drift import repair_drift, watch_all_drift, watch_drift
from inventory.services.expecting import cancel_inbound, close_inbound, expect_inbound
from inventory.services.expiry import expire_lots, expire_positions, rebind_lost
from inventory.services.feeds import apply_snapshot
from inventory.services.groups import GroupDraft, define_groups
from inventory.services.haircuts import apply_haircuts, follow_signals, refresh_haircuts
from inventory.services.holds import end_holds, extend_cart, hold_cart, release_cart
from inventory.services.inbound import receive_inbound
from inventory.services.inbound_ahead import back_ahead, reserve_backed, rest_on
from inventory.services.issue import issue, put_back, record_shortages
from inventory.services.items import change_items, put_items
from inventory.services.kits import put_parts, remove_parts
from inventory.services.landing import free_unowed
from inventory.services.lanes import declare_lanes, learn_lanes
from inventory.services.listening import declare_feeds
from inventory.services.lives import LifeDraft, set_lives
from inventory.services.lots import (
    define_lots,
    free_lots,
    hold_lots,
    release_lots,
    settle_due,
    settle_lots,
    stop_lots,
)
from inventory.services.months import carry_forward, carry_forward_due
from inventory.services.node_edits import edit_nodes
from inventory.services.nodes import (
    activate_node,
    close_node,
    drain_node,
    fill_closures,
    pause_node,
    resume_due,
    resume_node,
)
from inventory.services.offers import define_offers, end_offer
from inventory.services.owners import define_owners, set_owner_prices
from inventory.services.packs import put_barcodes, put_packs, remove_barcodes, remove_packs
from inventory.services.pickable import set_pickable_times
from inventory.services.plans import cancel_plans, plan_nodes, turn_plans
from inventory.services.publishing import mark_published, publish_changes, touch
from inventory.services.quotas import end_quotas, plan_quotas, refresh_quotas, turn_quotas
from inventory.services.recalls import (
    ask_to_pull,
    lift_recall,
    recall_lots,
    stop_recall,
    stop_recalls,
)
from inventory.services.republishing import republish
from inventory.services.reservation_moves import move_reservation
from inventory.services.reservations import commit, expire_held, release
from inventory.services.rules import (
    define_rules,
    end_rules,
    publish_rules,
    withdraw_rules,
)
from inventory.services.serials import see_serials
from inventory.services.signals import record_signals
from inventory.services.silence import watch_feeds
from inventory.services.slips import preview_slip, slip_inbound
from inventory.services.snapshots import (
    Totals,
    add_part,
    close_snapshot,
    open_snapshot,
    send_snapshot,
    withdraw_snapshot,
)
from inventory.services.substitutes import (
    approve_substitutes,
    propose_substitutes,
    retire_substitutes,
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
    "RANGE",
    "GroupDraft",
    "LifeDraft",
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
    "approve_substitutes",
    "approve_transfers",
    "ask_to_pull",
    "back_ahead",
    "cancel_counts",
    "cancel_inbound",
    "cancel_plans",
    "cancel_transfers",
    "carry_forward",
    "carry_forward_due",
    "change_conditions",
    "change_items",
    "close_inbound",
    "close_node",
    "close_snapshot",
    "close_transfers",
    "commit",
    "confirm_held",
    "convert_packs",
    "count_docks",
    "cover_transfers",
    "declare_feeds",
    "declare_lanes",
    "decline_adjustments",
    "define_groups",
    "define_lots",
    "define_offers",
    "define_owners",
    "define_rules",
    "draft_transfers",
    "drain_node",
    "edit_nodes",
    "end_caps",
    "end_holds",
    "end_offer",
    "end_quotas",
    "end_rules",
    "exclude",
    "expect_inbound",
    "expire_held",
    "expire_lots",
    "expire_positions",
    "explain_differences",
    "extend_cart",
    "fill_closures",
    "fold_capacity",
    "follow_signals",
    "free_lots",
    "free_unowed",
    "give_up_buffers",
    "hold",
    "hold_cart",
    "hold_lots",
    "issue",
    "keep_drifts",
    "keep_ours",
    "learn_lanes",
    "lift_exclusions",
    "lift_recall",
    "limit_lines",
    "lock_positions",
    "mark_published",
    "move_reservation",
    "open_snapshot",
    "open_windows",
    "pause_node",
    "plan_counts",
    "plan_nodes",
    "plan_quotas",
    "preview_slip",
    "propose_substitutes",
    "publish_changes",
    "publish_rules",
    "put_away",
    "put_back",
    "put_barcodes",
    "put_items",
    "put_packs",
    "put_parts",
    "rebind_lost",
    "recall_lots",
    "receive_inbound",
    "receive_transfers",
    "record_changes",
    "record_shortages",
    "record_signals",
    "refresh_caps",
    "refresh_haircuts",
    "refresh_quotas",
    "release",
    "release_cart",
    "release_lots",
    "release_transfers",
    "remove_barcodes",
    "remove_packs",
    "remove_parts",
    "repair_drift",
    "republish",
    "request_counts",
    "reserve_backed",
    "reserve_future",
    "rest_on",
    "resume_due",
    "resume_node",
    "retire_substitutes",
    "see_serials",
    "send_snapshot",
    "set_buffers",
    "set_caps",
    "set_lives",
    "set_owner_prices",
    "set_pickable_times",
    "settle_due",
    "settle_lots",
    "settle_transfer_claims",
    "ship_transfers",
    "slip_inbound",
    "stop_lots",
    "stop_recall",
    "stop_recalls",
    "take",
    "take_again",
    "take_landed",
    "touch",
    "turn_plans",
    "turn_quotas",
    "use_capacity",
    "watch_all_drift",
    "watch_drift",
    "watch_feeds",
    "withdraw_rules",
    "withdraw_snapshot",
    "withdraw_transfer_claims",
]
