"""Prices and better plans, when they are due, in a process of their own.

What prices and joint plans are worked out with (arrays of futures, a solver) may take hundreds of
megabytes for a while; a process that ends gives all of them back.
"""

import logging
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from django.conf import settings

from config.kernel.types import Actor
from routing.services.books import due_for_prices, make_book
from routing.services.reoptimise import due_for_replanning, replan_account, want_replanning

PRICES_EVERY = timedelta(hours=1)
PLANS_EVERY = timedelta(minutes=15)
SETTLED = timedelta(seconds=30)
"""How long something has to be over before plans answer it: what follows it at once comes with it."""

WITHIN = 600
"""Seconds after which the process is ended: leases lapse, and the next one begins anew."""

NAME = "routing.rematch"
_ROOT = Path(__file__).resolve().parents[1]
_log = logging.getLogger(__name__)


def rematch(at: datetime, *, accounts: frozenset[UUID] | None = None) -> list[str]:
    """Make the books and plans that are due, or, of these accounts, all; what was done, in words."""
    actor = Actor.system(NAME)
    told = []
    for account_id in accounts or due_for_prices(at, older_than=PRICES_EVERY):
        if (book := make_book(account_id, at=at, actor=actor)) is not None:
            want_replanning({account_id: ["prices"]}, at=at - SETTLED)
            told.append(f"priced {book.skus} SKUs at {book.nodes} nodes in {book.took_ms} ms")
    due = due_for_replanning(at, settled=SETTLED, every=PLANS_EVERY)
    runs = (replan_account(account_id, at=at, actor=actor) for account_id in accounts or due)
    told += [
        f"moved {run.moved} of {run.looked_at} in {run.took_ms} ms"
        for run in runs
        if run is not None
    ]
    return told


def rematch_apart(at: datetime) -> None:
    """The sweep's step: where something is due, have a process of its own see to it."""
    if not (
        due_for_prices(at, older_than=PRICES_EVERY)
        or due_for_replanning(at, settled=SETTLED, every=PLANS_EVERY)
    ):
        return
    if not settings.MATCHING_APART:
        rematch(at)
        return
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "rematch"],
            cwd=_ROOT,
            timeout=WITHIN,
            check=False,
            stdout=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        _log.warning("planning again took too long and was ended")
        return
    if done.returncode:
        _log.warning("planning again failed", extra={"code": done.returncode})
