"""What the Celery command line was told to do, read before Celery itself reads it; what beat loads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.celery import sub_command

SETTINGS = "config.settings.local"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("celery -A config beat --loglevel INFO", "beat"),
        ("/venv/bin/celery --app config --workdir /srv beat", "beat"),
        ("celery --app=config -q beat", "beat"),
        ("celery -A config worker -n beat", "worker"),
        ("celery -A beat worker -B", "worker"),
        ("/lib/celery/__main__.py -A config worker", "worker"),
        ("celery --version", ""),
        ("manage.py beat", ""),
        ("/lib/gunicorn config.wsgi beat", ""),
        ("", ""),
    ],
)
def test_names_the_sub_command_and_no_value(line: str, told: str) -> None:
    assert sub_command(line.split()) == told


def test_beat_loads_neither_models_nor_pages() -> None:
    """Its settings and its logs name both; a process that only tells the time has no use for them."""
    begin = (
        "import sys, config.beat\n"
        "from celery.signals import setup_logging\n"
        "setup_logging.send(None)\n"
        "print(*sys.modules)"
    )

    ran = subprocess.run(
        [sys.executable, "-c", begin, "config.beat"],
        cwd=Path(__file__).parents[2], env={**os.environ, "DJANGO_SETTINGS_MODULE": SETTINGS},
        capture_output=True, text=True, check=True,
    )  # fmt: skip

    loaded = set(ran.stdout.split())
    assert "config.settings.base" in loaded
    assert not loaded & {"django.db", "django.template", "django.urls", "numpy", "rich"}
