"""`manage.py fakepay`: runs until told to stop, and needs no database."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
from django.conf import settings

CHECKOUT = Path(__file__).parents[2]


def test_listens_until_it_is_told_to_stop():
    process = subprocess.Popen(
        [sys.executable, "manage.py", "fakepay", "--port", "0"],
        cwd=CHECKOUT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        healthy = httpx.get(f"{url}/healthz").json()
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)

    assert healthy == {"status": "ok"}
    assert process.returncode == 0
    assert "stopped" in errors
