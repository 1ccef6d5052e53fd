"""The Celery app: a bell that is rung after commit. The record of work is in PostgreSQL.

Beat only names tasks on time. It is given no Django: without models, views and the libraries
beneath them it is a quarter of the size.
"""

import os
import sys
from pathlib import Path

from celery import Celery
from celery.signals import setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
_IS_BEAT = "beat" in sys.argv[1:] and Path(sys.argv[0]).name != "manage.py"

app = Celery("switchyard", fixups=[] if _IS_BEAT else None)
app.config_from_object("django.conf:settings", namespace="CELERY")
if not _IS_BEAT:
    app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Leave logging as Django's settings made it; connecting here stops Celery's own set-up."""
    if _IS_BEAT:
        from django.conf import settings
        from django.utils.log import configure_logging

        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)


@worker_init.connect
def load_before_forking(**_: object) -> None:
    """The pool's processes share what the worker has loaded."""
    from config.warm_up import warm_up

    warm_up(views=False)
