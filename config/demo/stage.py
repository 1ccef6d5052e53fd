"""The processes of the demo and the soak, and where each finds the others."""

import logging
import os
import shutil
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config import embedded
from config.demo.counterparts import Counterparts
from config.embedded import ports
from config.env import database
from integrations.sandbox import FIRST_PORT, PORTS

_MANAGE: Final = [sys.executable, "manage.py"]
_SIMULATORS: Final = max(PORTS.values()) + 2
"""Ports in a row that the simulators may take."""
_UP_SECONDS: Final = 60


@dataclass(slots=True)
class Stage:
    """One installation on this machine, with everything outside it that it talks to."""

    stack: embedded.Stack
    port: int
    behind: int
    """The simulators listen behind this port."""
    counterparts: Counterparts

    @classmethod
    def of(cls, stack: embedded.Stack, port: int) -> Self:
        """Choose the simulators' ports, and tell every child to come of all addresses."""
        # What this process asks of the simulators is no news to who watches the bar.
        for name in ("integrations.http", "httpx"):
            logging.getLogger(name).setLevel(logging.WARNING)
        behind = ports.take_row(stack.home.root, "sandbox", width=_SIMULATORS, first=FIRST_PORT)
        stage = cls(stack, port, behind, Counterparts.behind(behind))
        os.environ["SANDBOX_URLS"] = ",".join(
            f"{name}={url}" for name, url in stage.counterparts.urls.items()
        )
        os.environ["PUBLIC_URL"] = stage.url
        os.environ.setdefault("LOG_LEVEL", "WARNING")
        return stage

    @property
    def url(self) -> str:
        """Where the console and the API are."""
        return f"http://127.0.0.1:{self.port}"

    # --- the database

    def bring_schema(self) -> bool:
        """Bring the schema up to date as its owner; whether there was anything to do."""
        executor = MigrationExecutor(connection)
        if not executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        with _as_owner():
            call_command("migrate", verbosity=0)
        return True

    def empty(self) -> None:
        """Forget what was played, here and outside."""
        with _as_owner():
            call_command("flush", interactive=False, verbosity=0)
        self.forget_outside()

    def forget_outside(self) -> None:
        """The simulators begin with nothing. Called before they are started."""
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- the processes

    def start_sandbox(self) -> None:
        """The simulators remember in the home what they know, as the database does."""
        self.stack.spawn(
            "sandbox",
            [*_MANAGE, "sandbox", "--port", str(self.behind), "--folder", str(self._folder)],
        )

    def start_web(self) -> None:
        self.stack.spawn(
            "web",
            [
                sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "2",
                "--worker-class", "gthread", "--threads", "8", "--bind", f"127.0.0.1:{self.port}",
                "--no-control-socket",
            ],
            {"DEBUG": "false", "CONSOLE_ENVIRONMENT": "demo"},
        )  # fmt: skip

    def start_worker(self) -> None:
        if "worker" not in self.stack.children:
            argv = [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "config",
                "worker",
                "--loglevel",
                "WARNING",
            ]
            self.stack.spawn("worker", argv)

    def start_life(self) -> None:
        """The retailer's people, and the clock that has everything due done."""
        self.stack.spawn("life", [*_MANAGE, "demo_life"])
        schedule = str(self.stack.home.root / "beat")
        self.stack.spawn("beat", [sys.executable, "-m", "config.beat", "--schedule", schedule])

    def end_life(self) -> None:
        """The retailer's people go home after what they have in hand. Not supervised after that."""
        life = self.stack.children["life"].process
        if life is not None:
            life.terminate()
            life.wait(_UP_SECONDS)

    def await_sandbox(self) -> None:
        self.stack.wait("sandbox", self.counterparts.are_up, seconds=_UP_SECONDS)

    def await_web(self) -> None:
        self.stack.wait("web", lambda: _answers(f"{self.url}/healthz"), seconds=_UP_SECONDS)

    @property
    def _folder(self) -> Path:
        return self.stack.home.root / "sandbox"


@contextmanager
def _as_owner() -> Iterator[None]:
    """Connect as the role that owns the schema, in this process, which has loaded everything."""
    as_app = connection.settings_dict
    owner = database(embedded.addresses().owner_url)
    connection.close()
    connection.settings_dict = as_app | {name: owner[name] for name in ("USER", "PASSWORD")}
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict = as_app


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own address
            return bool(answer.status == 200)
    except OSError:
        return False
