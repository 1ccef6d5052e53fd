"""The demo's fortnight, from an empty installation until the simulated systems take over."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.db import connection

from config.demo import partners, setup, storefronts
from config.demo.handing_over import hand_over
from config.demo.play import Demo, drain, play_fortnight, ring
from config.demo.shoppers import NOW, OPENING
from config.demo.stage import Stage

_DRAIN_SECONDS: Final = 60


def live_through(
    stage: Stage,
    *,
    opened: Callable[[], None] = lambda: None,
    progress: Callable[[datetime, int], None],
) -> bool:
    """Set the retailer up, play its fortnight and hand over; False when the worker did not keep up.

    `opened` is called when everything is set up, `progress(instant, orders so far)` after every turn.
    """
    with connection.cursor() as cursor:
        # Who loses power now begins anew in any case: no commit need wait for the disk.
        cursor.execute("SET synchronous_commit TO off")
    retailer = setup.set_up()
    stage.await_sandbox()
    there = stage.counterparts
    there.set_clocks(OPENING, 0)
    partners.connect_carriers(retailer, there, at=OPENING)
    partners.connect_gateway(retailer, there, at=OPENING)
    storefronts.list_goods(there)
    opened()
    demo = Demo.of(retailer, there)
    play_fortnight(demo, progress, pump=ring)
    demo.floor.clear_the_floor(NOW)
    whole = drain(seconds=_DRAIN_SECONDS)
    demo.floor.clear_the_floor(NOW)
    hand_over(retailer, there, stage.url, at=NOW)
    setup.mark_lived(NOW, demo.shoppers.last_number)
    return whole
