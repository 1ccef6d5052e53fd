"""The ground a benchmark stands on: its own cluster with the tuning the floor was measured with."""

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from config import embedded
from config.embedded.home import CHECKOUT

PORT = 8791
TUNING = Path(__file__).with_name("floor") / "tuned.conf"
_START_SECONDS = 60


def home() -> embedded.Home:
    lines = (line.partition("=") for line in TUNING.read_text().splitlines() if line.strip())
    tuning = tuple((name.strip(), value.strip()) for name, _, value in lines)
    return embedded.Home(CHECKOUT / "var" / "bench", tuning=tuning)


def stand() -> embedded.Running:
    """Begin with an empty cluster of our own, and have this process and its children use it."""
    for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CACHE_URL"):
        os.environ.pop(name, None)
    embedded.wipe(home())
    running = embedded.ensure(home=home())
    os.environ.update(
        running.environ(),
        SWITCHYARD_VAR=str(home().root),
        DJANGO_SETTINGS_MODULE="config.settings.local",
        DEBUG="no",
        LOG_LEVEL="WARNING",
    )
    return running


@contextmanager
def serving() -> Iterator[dict[str, "subprocess.Popen[bytes]"]]:
    """Web (gunicorn 2 × gthread 8), worker and beat, as production runs them."""
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    commands = {
        "web": [
            sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "2", "--threads", "8",
            "--worker-class", "gthread", "--bind", f"127.0.0.1:{PORT}", "--log-level", "warning",
            "--keep-alive", "60", "--no-control-socket",
        ],
        "worker": [*celery, "worker", "--loglevel", "WARNING"],
        "beat": [sys.executable, "-m", "config.beat", "--schedule", str(home().root / "beat")],
    }  # fmt: skip
    children: dict[str, subprocess.Popen[bytes]] = {}
    with (home().root / "bench.log").open("ab") as log:
        try:
            for name, argv in commands.items():
                env = {**os.environ, "SWITCHYARD_PROCESS": name}
                children[name] = subprocess.Popen(
                    argv, env=env, cwd=CHECKOUT, stdout=log, stderr=log
                )
            _wait(children["web"])
            yield children
        finally:
            for child in reversed(children.values()):
                child.terminate()
            for child in children.values():
                try:
                    child.wait(15)
                except subprocess.TimeoutExpired:
                    child.kill()
                    child.wait()


def _wait(web: "subprocess.Popen[bytes]") -> None:
    give_up = time.monotonic() + _START_SECONDS
    while time.monotonic() < give_up and web.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/readyz", timeout=5):
                return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"the web process did not come up; see {home().root / 'bench.log'}")


def pss_megabytes(children: Mapping[str, "subprocess.Popen[bytes]"]) -> dict[str, float]:
    """Proportional set size by name, of each process and all its descendants (Linux only)."""
    return _summed(children, _pss_kilobytes, 1 / 1024)


def cpu_seconds(children: Mapping[str, "subprocess.Popen[bytes]"]) -> dict[str, float]:
    """Processor time by name so far, of each process and all its descendants (Linux only)."""
    return _summed(children, _ticks, 1 / os.sysconf("SC_CLK_TCK"))


def _summed(
    children: Mapping[str, "subprocess.Popen[bytes]"], measure: Callable[[int], int], unit: float
) -> dict[str, float]:
    parents = {
        int(entry.name): int(fields[1])
        for entry in Path("/proc").iterdir()
        if entry.name.isdigit() and (fields := _stat(int(entry.name)))
    }
    return {
        name: sum(map(measure, _family(child.pid, parents))) * unit
        for name, child in children.items()
    }


def _family(pid: int, parents: Mapping[int, int]) -> set[int]:
    family = {pid}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name; nothing when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return []


def _ticks(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def _pss_kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def socket_of(url: str) -> tuple[str, str, str, str]:
    """(host or socket folder, user, password, database) of a database URL."""
    parts = urlsplit(url)
    host = dict(parse_qsl(parts.query)).get("host") or parts.hostname or ""
    return host, parts.username or "", parts.password or "", parts.path.lstrip("/")


def migrate() -> None:
    """Bring the schema into the empty database, as its owner."""
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"],
        cwd=CHECKOUT,
        check=True,
    )
