"""Relay and deliver until nothing is left, as a running installation would within moments.

The relay reads behind the oldest transaction of the whole server. Other tests may have one open, in
databases of their own, so what was just committed may take a moment to come below the horizon.
"""

import time
from datetime import datetime

from config.kernel import selectors
from config.kernel.services import deliveries, relay

PATIENCE_SECONDS = 120


def relay_all() -> int:
    """Relay every committed event; answers how many were read. Fails when some stay unread."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    read = relay.relay() + relay.relay()  # the first one of all makes the cursor
    while selectors.outbox_lag().relay_seconds:
        if time.monotonic() > deadline:
            raise AssertionError("the relay did not get to the end")
        time.sleep(0.02)
        read += relay.relay()
    return read


def deliver_all(*, at: datetime) -> int:
    """Relay, and run what is due until nothing is; handlers may record further events."""
    done = 0
    while relay_all() or deliveries.due_shards():
        done += deliveries.run_due(at=at)
    return done
