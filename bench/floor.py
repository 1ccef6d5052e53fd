"""The floor: the least SQL that an order of three lines needs, through pgbench, in this run."""

import os
import re
import subprocess
from pathlib import Path

from bench.ground import socket_of
from bench.report import Figure, Report
from config.embedded.postgres import binary

SCRIPTS = Path(__file__).with_name("floor")
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)
ORDERS_PER_TRANSACTION = {"batch50_uniform": 50}
RUNS = (("batch50_uniform", 1), ("stmt_uniform", 8), ("fn_uniform", 8))
"""(script, clients)."""


def run(report: Report, owner_url: str, *, seconds: int) -> None:
    """Measure every script of the floor, each on fresh tables."""
    for script, clients in RUNS:
        prepare(owner_url)
        measure(owner_url, script, clients=clients, seconds=2)
        rate = measure(owner_url, script, clients=clients, seconds=seconds)
        report.floor[script] = rate
        plural = "client" if clients == 1 else "clients"
        report.add(Figure(f"floor: {script}, {clients} {plural}", rate, "orders/s"))


def measure(owner_url: str, script: str, *, clients: int, seconds: int = 8) -> float:
    """Orders per second of one script of `bench/floor/` with so many clients."""
    host, user, password, _ = socket_of(owner_url)
    env = {**os.environ, "PGPASSWORD": password}
    where = ["-h", host, "-U", user]
    ran = subprocess.run(
        [
            str(binary("pgbench")), *where, "-n", "-M", "prepared", "-c", str(clients),
            "-j", str(min(clients, 2)), "-T", str(seconds), "-f", str(SCRIPTS / f"{script}.sql"),
            "floor",
        ],
        env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = _TPS.search(ran.stdout)
    if found is None:
        raise RuntimeError(f"pgbench told no rate:\n{ran.stdout}\n{ran.stderr}")
    return float(found[1]) * ORDERS_PER_TRANSACTION.get(script, 1)


def prepare(owner_url: str) -> None:
    """Make the floor's own database, anew."""
    host, user, password, database = socket_of(owner_url)
    env = {**os.environ, "PGPASSWORD": password}
    psql = [str(binary("psql")), "-q", "-v", "ON_ERROR_STOP=1", "-h", host, "-U", user]
    for statement in ("DROP DATABASE IF EXISTS floor", "CREATE DATABASE floor"):
        subprocess.run([*psql, "-d", database, "-c", statement], env=env, check=True)
    subprocess.run(
        [*psql, "-d", "floor", "-f", str(SCRIPTS / "schema.sql")],
        env={**env, "PGOPTIONS": "-c client_min_messages=warning"},
        check=True,
    )
