"""The people of the demo's retailer, for as long as it runs."""

import signal
import time
from datetime import timedelta
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from config.demo import setup
from config.demo.counterparts import Counterparts
from config.demo.life import Life
from config.demo.play import Demo
from config.kernel import clock

_TURN = timedelta(minutes=15)
_PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Go on living after the demo's fortnight: started by `manage.py demo`."

    def handle(self, *args: Any, **options: Any) -> None:
        del args, options
        if not setup.was_played():
            raise CommandError("Nothing was played yet: run `manage.py demo` first.", returncode=2)
        stopped: list[int] = []

        def stop(number: int, frame: FrameType | None) -> None:
            del frame
            stopped.append(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, stop)
        lived = setup.lived_until() or clock.now()
        demo = Demo.of(
            setup.known_retailer(),
            Counterparts.of_settings(),
            seed=lived.isoformat(),
            last_number=setup.last_number(),
        )
        life = Life(demo)
        while not stopped:
            now = clock.now()
            if now - lived < _TURN:
                time.sleep(_PAUSE_SECONDS)
                continue
            until = min(now, lived + _TURN)
            life.turn(lived, until)
            setup.mark_lived(until, demo.shoppers.last_number)
            lived = until
