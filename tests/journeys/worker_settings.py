"""Settings of the worker that a journey starts: those of the tests, on the database of the tests."""

import os

from config.settings.test import *  # noqa: F403 (settings are layers of one namespace)
from config.settings.test import CELERY_BEAT_SCHEDULE, DATABASES

DATABASES["default"]["NAME"] = os.environ["JOURNEY_DATABASE"]
# Nobody waits for a sweep that may as well come now.
CELERY_BEAT_SCHEDULE["tick"]["schedule"] = 0.25
CELERY_BEAT_SCHEDULE["sweep"]["schedule"] = 0.5
