"""Start a real worker process, and end it the way a power cut would."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection

WORKER = Path(__file__).with_name("worker.py")
CHECKOUT = WORKER.parents[2]


@contextmanager
def worker(*words: str) -> Iterator["subprocess.Popen[str]"]:
    """A worker on this test's database, ready to `begin`; killed at the end when it still runs."""
    process = subprocess.Popen(
        [sys.executable, str(WORKER), connection.settings_dict["NAME"], *words],
        cwd=CHECKOUT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
            "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        kill(process)
        process.stdin.close()
        process.stdout.close()


def begin(*processes: "subprocess.Popen[str]") -> None:
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()


def kill(process: "subprocess.Popen[str]") -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()


def let_leases_lapse() -> None:
    """What time would do after a worker was killed."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE kernel_lease SET expires_at = clock_timestamp()")
        cursor.execute(
            "UPDATE kernel_job SET lease_until = clock_timestamp() WHERE lease_until IS NOT NULL"
        )
        cursor.execute(
            "UPDATE kernel_intent SET due_at = clock_timestamp() WHERE state = 'running'"
        )
