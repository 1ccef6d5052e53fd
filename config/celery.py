"""The Celery app: a bell that is rung after commit. The record of work is in PostgreSQL.

Beat only names tasks on time. It is given no Django: without models, views and the libraries
beneath them it is a quarter of the size. A worker is given no pages: the checks that would load
them run wherever manage.py does.
"""

import os
import sys
from collections.abc import Sequence
from logging.config import dictConfig
from pathlib import Path
from typing import Final

from celery import Celery
from celery.signals import setup_logging, worker_init

_PROGRAMS: Final = {"celery", "__main__.py"}
_WITH_VALUE: Final = {
    "-A", "--app", "-b", "--broker", "--result-backend", "--loader", "--config", "--workdir",
}  # fmt: skip
"""Options of `celery` itself whose value is a word of its own."""


def sub_command(argv: Sequence[str]) -> str:
    """What `celery` was told to do (`worker`, `beat`, …); empty for every other program."""
    program, *words = argv or [""]
    if Path(program).name not in _PROGRAMS:
        return ""
    rest = iter(words)
    for word in rest:
        if word in _WITH_VALUE:
            next(rest, None)
        elif not word.startswith("-"):
            return word
    return ""


_TOLD: Final = "beat" if "config.beat" in sys.orig_argv else sub_command(sys.argv)
_IS_BEAT: Final = _TOLD == "beat"

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.local")
if _TOLD == "worker":
    os.environ.setdefault("SWITCHYARD_PROCESS", "worker")
    os.environ.setdefault("CELERY_SKIP_CHECKS", "yes")

app = Celery("switchyard", fixups=[] if _IS_BEAT else None)
app.config_from_object("django.conf:settings", namespace="CELERY")
if not _IS_BEAT:
    app.autodiscover_tasks()


@setup_logging.connect
def keep_our_logging(**_: object) -> None:
    """Leave logging as Django's settings made it; connecting here stops Celery's own set-up."""
    if _IS_BEAT:
        from django.conf import settings

        # Without Django's own, which mails errors and for that brings pages, models and templates.
        dictConfig(settings.LOGGING)


@worker_init.connect
def load_before_working(**_: object) -> None:
    """What the first task would wait for; a pool of processes shares it."""
    from config.warm_up import warm_up

    warm_up(views=False)
