"""Commands of fulfillment. Each owns its transaction, locks orders first, and takes batches."""

from fulfillment.services.alarms import report_overdue, report_silent
from fulfillment.services.asking import change_services, pull_back
from fulfillment.services.closing import close_node
from fulfillment.services.collect import collect, expire_pickups, put_back
from fulfillment.services.jeopardy import report_jeopardy
from fulfillment.services.labels import request_labels
from fulfillment.services.manifests import close_manifest
from fulfillment.services.measure import measure_nodes
from fulfillment.services.pack import manifest_parcels, record_packs, void_parcels
from fulfillment.services.pick import acknowledge, record_picks
from fulfillment.services.recalls import open_recalls, recalled_parcels, run_recall_items
from fulfillment.services.refuse import reject, report_shorts
from fulfillment.services.release import release_due, release_groups
from fulfillment.services.remedies import (
    rescue_due,
    take_remedy,
    undo_remedy,
    why_no_undo,
    why_not_undone,
)
from fulfillment.services.reported import lock_work
from fulfillment.services.requests import answer_requests, time_out_requests
from fulfillment.services.reverse import reverse_shipments
from fulfillment.services.ship import confirm_shipments
from fulfillment.services.slack import assess_due, assess_groups
from fulfillment.services.stage_times import learn_stages
from fulfillment.services.track import record_tracking
from fulfillment.services.workload import count_work

__all__ = [
    "acknowledge",
    "answer_requests",
    "assess_due",
    "assess_groups",
    "change_services",
    "close_manifest",
    "close_node",
    "collect",
    "confirm_shipments",
    "count_work",
    "expire_pickups",
    "learn_stages",
    "lock_work",
    "manifest_parcels",
    "measure_nodes",
    "open_recalls",
    "pull_back",
    "put_back",
    "recalled_parcels",
    "record_packs",
    "record_picks",
    "record_tracking",
    "reject",
    "release_due",
    "release_groups",
    "report_jeopardy",
    "report_overdue",
    "report_shorts",
    "report_silent",
    "request_labels",
    "rescue_due",
    "reverse_shipments",
    "run_recall_items",
    "take_remedy",
    "time_out_requests",
    "undo_remedy",
    "void_parcels",
    "why_no_undo",
    "why_not_undone",
]
