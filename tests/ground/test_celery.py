"""What the Celery command line was told to do, read before Celery itself reads it."""

import pytest

from config.celery import sub_command


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
