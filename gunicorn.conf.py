"""What gunicorn reads where it is started: the application is loaded once, before it forks.

The numbers of all its workers are kept in one folder, so that each of them answers `/metrics` for all.
"""

import os
import shutil
import sys
import tempfile
from typing import Any

preload_app = True

SWITCH_SECONDS = 0.0005
"""How long a thread that computes may keep the others of its process waiting; Python's own is 5 ms.
A batch of orders asks PostgreSQL two dozen times, and may wait so long after each answer for whoever
parses or renders meanwhile.
"""

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_own = "" if os.environ.get(_FOLDER) else tempfile.mkdtemp(prefix="switchyard-metrics-")
os.environ.setdefault(_FOLDER, _own)


def post_fork(server: Any, worker: Any) -> None:
    del server, worker
    sys.setswitchinterval(SWITCH_SECONDS)


def child_exit(server: Any, worker: Any) -> None:
    """Forget what only a living worker may show."""
    from prometheus_client import multiprocess  # after the folder is named

    del server
    multiprocess.mark_process_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Remove the folder, when it was made here."""
    del server
    if _own:
        shutil.rmtree(_own, ignore_errors=True)
