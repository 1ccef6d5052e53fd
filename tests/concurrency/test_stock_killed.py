"""kill -9 of PostgreSQL and of workers in the middle of it all: what was acknowledged is there, once.

On a cluster of the test's own, since others work on the suite's. Every act is sent again after the
recovery, as senders do that heard no answer.
"""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from django.db import connection, connections

from config.embedded import Home, process
from config.embedded.postgres import SUPERUSER, Postgres, binary
from config.env import database
from inventory.models import StockPosition
from tests.books import check_all
from tests.concurrency.processes import Crew, crew, two_shelves
from tests.concurrency.stock_processes import SCOPE, SOURCE

pytestmark = [
    pytest.mark.slow,
    pytest.mark.soak,
    pytest.mark.timeout(3_600),
    pytest.mark.django_db(transaction=True),
]
PROCESSES: Final = 4
SMALL: Final = (("shared_buffers", "64MB"), ("max_connections", "40"), ("autovacuum", "off"))
LATE: Final = (("wal_writer_delay", "10s"), ("wal_writer_flush_after", "1GB"))
"""What waits for nobody is written late: of no effect on whoever waits for the disk at COMMIT."""
FORGETFUL: Final = (*SMALL, *LATE, ("synchronous_commit", "off"))


@contextmanager
def cluster(root: Path, tuning: tuple[tuple[str, str], ...]) -> Iterator[Postgres]:
    """A durable cluster of its own, but for what the tuning says."""
    home = Home(root, tuning=tuning)
    home.found()
    home.furnish()
    server = Postgres(home)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        if home.account is not None:
            shutil.rmtree(home.postgres_base)


def copy_database(home: Home) -> None:
    """What the test database holds, shelves included, lies in the other cluster as well."""
    ours = connection.settings_dict
    dumped = subprocess.run(
        [str(binary("pg_dump")), "-h", ours["HOST"], "-U", ours["USER"], ours["NAME"]],
        env={**os.environ, "PGPASSWORD": ours["PASSWORD"]},
        capture_output=True,
        check=True,
    )
    subprocess.run(
        [
            *(str(binary("psql")), "-X", "-q", "-h", str(home.postgres_sockets)),
            *("-U", SUPERUSER, "-d", "switchyard", "-o", os.devnull),
        ],
        env={**os.environ, "PGPASSWORD": home.keys.superuser},
        input=dumped.stdout,
        check=True,
    )


@contextmanager
def connected_to(home: Home) -> Iterator[None]:
    """Django's connection leads to the other cluster."""
    ours = connections["default"]
    other = connections.create_connection("default")
    address = database(home.owner_url)
    other.settings_dict = {
        **ours.settings_dict,
        **{name: address[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")},
    }
    connections["default"] = other
    try:
        yield
    finally:
        other.close()
        connections["default"] = ours


def kill_server(server: Postgres) -> None:
    """The server and every process of it at once: none may write down what it still remembers."""
    pid = server.pid()
    assert pid is not None
    family = [pid, *_children(pid)]
    os.kill(pid, signal.SIGSTOP)  # it would start again what is killed before it
    for one in family[1:] + family[:1]:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    process.wait_until(lambda: not any(map(process.alive, family)), seconds=30)


def _children(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError, ValueError):
            stat = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(stat[1]) == pid:
                found.append(int(entry.name))
    return found


def wait_for(running: Crew, count: int) -> None:
    give_up = time.monotonic() + 600
    while len(running.acknowledged()) < count:
        assert time.monotonic() < give_up
        assert running.program.poll() is None, "all is done already"
        time.sleep(0.01)


def done(said: dict[int, str]) -> set[int]:
    return {number for number, ended in said.items() if ended in {"done", "repeated"}}


def kept() -> set[int]:
    """The acts whose key is in the database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT external_id::int FROM kernel_externalkey WHERE scope = %s AND source = %s",
            [SCOPE, SOURCE],
        )
        return {number for (number,) in cursor.fetchall()}


def doubled() -> list[tuple[str, int]]:
    """Acts that the ledger or the reservations know more than once."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT external_id, count(*) FROM inventory_movement WHERE source = %s
            GROUP BY 1 HAVING count(*) > 1
            UNION ALL
            SELECT demand_id::text, count(*) FROM inventory_reservation
            GROUP BY 1 HAVING count(*) > 1
            """,
            [SOURCE],
        )
        return list(cursor.fetchall())


def survive(server: Postgres, shelves: list[StockPosition], folder: Path, numbers: range) -> None:
    """Kill a worker, then the server, in the middle; start again, send all again, look."""
    folder.mkdir()
    acts = len(numbers)
    with crew(shelves, folder, numbers, processes=PROCESSES) as running:
        wait_for(running, acts // 4)
        os.kill(running.children[0], signal.SIGKILL)
        wait_for(running, acts // 2)
        kill_server(server)
        running.program.wait()
        told = done(running.acknowledged())
    connection.close()
    server.start()
    lost = told - kept()
    assert lost == set(), f"{len(lost)} of {len(told)} acknowledged acts are lost"
    assert check_all(about="stock.") == []
    with crew(shelves, folder, numbers, processes=PROCESSES) as again:
        again.program.wait()
        said = again.acknowledged()
    assert [ended for ended in said.values() if ended.startswith("failed")] == []
    assert {number for number in told if said[number] != "repeated"} == set()
    assert doubled() == []
    assert check_all(about="stock.") == []


@pytest.mark.parametrize("acts", [500, 10_000])
def test_nothing_acknowledged_is_lost_and_nothing_doubled(acts: int, tmp_path: Path) -> None:
    shelves = two_shelves()
    with cluster(tmp_path / "home", (*SMALL, *LATE)) as server:
        copy_database(server.home)
        with connected_to(server.home):
            survive(server, shelves, tmp_path / "durable", range(acts))
        server.stop()

        forgetful = Postgres(replace(server.home, tuning=FORGETFUL))
        forgetful.start()
        # The negative control: the same, where COMMIT does not wait for the disk.
        with (
            connected_to(forgetful.home),
            pytest.raises(AssertionError, match="acknowledged acts are lost"),
        ):
            survive(forgetful, shelves, tmp_path / "forgetful", range(acts, 2 * acts))
        forgetful.stop()
