"""`manage.py sandbox`: says who listens where, and stops when it is told to."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from integrations.sandbox import SIMULATORS

CHECKOUT = Path(__file__).parents[2]


def started(*words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "manage.py", "sandbox", *words],
        cwd=CHECKOUT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_runs_all_simulators_until_it_is_told_to_stop(tmp_path):
    process = started("--port", "0", "--folder", str(tmp_path))
    assert process.stdout is not None
    try:
        said = dict(line.split() for line in iter(process.stdout.readline, "ready\n") if line)
        names = {httpx.get(f"{url}/_sandbox").json()["name"] for url in said.values()}
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)

    assert (len(said), len(names)) == (len(SIMULATORS), len(SIMULATORS))
    assert process.returncode == 0, errors


def test_names_what_there_is_when_asked_for_another():
    with pytest.raises(CommandError, match="no simulator is called fax"):
        call_command("sandbox", "--only", "fax")
