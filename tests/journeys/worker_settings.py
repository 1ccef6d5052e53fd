"""Settings of the worker that a journey starts: those of the tests, on the database of the tests."""

import os

from config.settings.test import *  # noqa: F403 (settings are layers of one namespace)
from config.settings.test import CELERY_BEAT_SCHEDULE, DATABASES

DATABASES["default"]["NAME"] = os.environ["JOURNEY_DATABASE"]
# Nobody waits for a sweep that may as well come now. One that waited for another's end is not worth
# running: where a sweep takes longer than its interval, ticks would come to stand behind sweeps only.
for name, seconds in (("tick", 0.25), ("sweep", 0.5)):
    CELERY_BEAT_SCHEDULE[name] |= {"schedule": seconds, "options": {"expires": seconds}}
