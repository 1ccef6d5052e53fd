"""What inventory can be told. `take` and its kin run inside the caller's transaction."""

from inventory.services.changes import record_changes, set_buffers
from inventory.services.counts import (
    answer_count,
    exclude,
    lift_exclusions,
    request_counts,
)
from inventory.services.feeds import apply_snapshot
from inventory.services.inbound import receive_inbound
from inventory.services.issue import issue, put_back, record_shortages
from inventory.services.landing import free_unowed
from inventory.services.nodes import (
    activate_node,
    close_node,
    drain_node,
    fill_closures,
    pause_node,
    resume_due,
    resume_node,
)
from inventory.services.reservations import commit, expire_held, release
from inventory.services.take import (
    confirm_held,
    hold,
    lock_positions,
    reserve_future,
    take,
    take_again,
    take_landed,
)

__all__ = [
    "activate_node",
    "answer_count",
    "apply_snapshot",
    "close_node",
    "commit",
    "confirm_held",
    "drain_node",
    "exclude",
    "expire_held",
    "fill_closures",
    "free_unowed",
    "hold",
    "issue",
    "lift_exclusions",
    "lock_positions",
    "pause_node",
    "put_back",
    "receive_inbound",
    "record_changes",
    "record_shortages",
    "release",
    "request_counts",
    "reserve_future",
    "resume_due",
    "resume_node",
    "set_buffers",
    "take",
    "take_again",
    "take_landed",
]
