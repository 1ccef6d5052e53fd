"""The whole of Switchyard on one machine: a retailer's fortnight, and then its life."""

import math
import os
import sys
import time
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from config import embedded
from config.command_line import BEGAN
from config.demo import setup
from config.demo.play import Demo, drain, play_fortnight, ring
from config.demo.shoppers import NOW, OPENING
from config.embedded import ports
from config.env import database
from config.invariants import check_all
from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from config.reports import summary

DEFAULT_PORT: Final = 8000
_MANAGE = [sys.executable, "manage.py"]
_CELERY = [sys.executable, "-m", "celery", "-A", "config"]
_DRAIN_SECONDS = 60


class Command(BaseCommand):
    help = "Set up a believable retailer, play fourteen days, and go on living. Ctrl-C stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="Port of the console.")
        parser.add_argument(
            "--speed",
            type=float,
            default=60.0,
            help="Business seconds per second after the fortnight (60: an hour a minute).",
        )
        parser.add_argument(
            "--once", action="store_true", help="Play, print, check the invariants and exit."
        )
        parser.add_argument(
            "--reset", action="store_true", help="Forget what was played and start anew."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if not 0 < options["speed"] < math.inf:
            raise CommandError("--speed is more than 0: business time runs forward.", returncode=2)
        if not options["once"]:
            _require_free(options["port"])
        console = Console(stderr=True)
        try:
            with embedded.Stack() as stack:
                _migrate(console, reset=options["reset"])
                payments = _give_address(stack)
                if not options["once"]:
                    _start_web(stack, options["port"])
                if not setup.was_played():
                    _start_workers(stack, payments)
                    _play(stack, console)
                broken = self._show()
                if options["once"]:
                    self._say_ready()
                    sys.exit(1 if broken else 0)
                self._live(stack, options["port"], payments, options["speed"], console)
        except embedded.EmbeddedError as error:
            raise CommandError(str(error), returncode=2) from error

    def _show(self) -> bool:
        """Print the table; answer whether an invariant is violated."""
        table = Table(title="Fourteen days at Harbor & Northlight", show_header=False)
        for label, value in _figures():
            table.add_row(label, value)
        violations = check_all()
        oversold = summary.oversold(scope=ALL_ACCOUNTS)
        table.add_row("oversold", str(oversold))
        table.add_row("invariants", "OK" if not violations else f"{len(violations)} VIOLATED")
        Console(file=sys.stdout, width=78).print(table)
        for violation in violations:
            self.stderr.write(f"{violation.code}: {violation.detail}")
        return bool(violations) or oversold > 0

    def _say_ready(self) -> None:
        self.stdout.write(f"ready in {time.monotonic() - BEGAN:.0f} s")

    def _live(
        self, stack: embedded.Stack, port: int, payments: int, speed: float, console: Console
    ) -> None:
        clock.set_to(_resume_at(), speed=speed)
        url = _url_of(port)
        stack.wait("web", lambda: _answers(f"{url}/healthz"), seconds=60)
        # After the web, which a person waits for: on two cores they would only be in its way.
        _start_workers(stack, payments)
        stack.spawn("life", [*_MANAGE, "demo_life"])
        beat_files = stack.home.root / "beat"
        stack.spawn(
            "beat",
            [sys.executable, "-m", "config.beat", "--schedule", str(beat_files)],
        )
        self._say_ready()
        self.stdout.write(f"\n  Console   {url}/console/")
        self.stdout.write(f"  API docs  {url}/api/v1/docs/\n")
        for username, _, role, node in setup.STAFF:
            where = f" at {node}" if node else ""
            self.stdout.write(
                f"  {username:<8} password {setup.PASSWORD}   {role.replace('_', ' ')}{where}"
            )
        self.stdout.write("\n  Ctrl-C stops everything.")
        self.stdout.flush()
        stack.run_until_signal(on_restart=lambda name: console.print(f"restarted {name}"))
        console.print("stopping …")


def _figures() -> list[tuple[str, str]]:
    total = summary.totals(scope=ALL_ACCOUNTS)
    kept = summary.punctuality(scope=ALL_ACCOUNTS)
    split = summary.splits(scope=ALL_ACCOUNTS)
    share = 100 * kept["on_time"] / kept["delivered"] if kept["delivered"] else 0
    causes = ", ".join(f"{row['cause'].replace('_', ' ')} {row['groups']}" for row in split)
    return [
        ("orders captured", f"{total['captured']:,}"),
        ("held for a reason", f"{total['held']:,} ({total['held_now']:,} still)"),
        ("accepted", f"{total['accepted']:,}"),
        ("backordered", f"{total['backordered']:,} ({total['backordered_now']:,} still)"),
        ("groups split", f"{sum(row['groups'] for row in split):,} ({causes})"),
        (
            "released",
            f"{total['released']:,} in {total['fulfillment_orders']:,} fulfillment orders",
        ),
        ("shipped", f"{total['shipped']:,} in {total['parcels']:,} parcels"),
        ("delivered", f"{total['delivered']:,}"),
        ("cancelled", f"{total['cancelled']:,}"),
        ("on the first promise", f"{kept['on_time']:,} of {kept['delivered']:,} ({share:.1f} %)"),
        ("cases", f"{total['cases']:,} ({total['cases_open']:,} open)"),
    ]


def _migrate(console: Console, *, reset: bool) -> None:
    """Bring the schema up to date as its owner; empty it when asked, or after a broken-off play."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        console.print("creating the schema …")
        with _as_owner():
            call_command("migrate", verbosity=0)
    elif reset or (setup.was_begun() and not setup.was_played()):
        console.print("forgetting what was played …")
        with _as_owner():
            call_command("flush", interactive=False, verbosity=0)


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


def _start_web(stack: embedded.Stack, port: int) -> None:
    """The console, early: whoever opens it sees the fortnight being played."""
    stack.spawn(
        "web",
        [
            sys.executable, "-m", "gunicorn", "config.wsgi", "--workers", "2",
            "--worker-class", "gthread", "--threads", "8", "--bind", f"127.0.0.1:{port}",
            "--no-control-socket",
        ],
        {"DEBUG": "false", "CONSOLE_ENVIRONMENT": "demo"},
    )  # fmt: skip


def _give_address(stack: embedded.Stack) -> int:
    """Choose the port of the payment provider, and tell every child where it will listen."""
    port = ports.take(stack.home.root, "fakepay")
    os.environ["FAKEPAY_URL"] = _url_of(port)
    return port


def _url_of(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _start_workers(stack: embedded.Stack, payments: int) -> None:
    """What answers while the fortnight is played and after it: the payment provider, a worker."""
    if "worker" in stack.children:
        return
    stack.spawn("fakepay", [sys.executable, "-m", "integrations.sandbox", str(payments)])
    stack.wait("fakepay", lambda: _answers(f"{_url_of(payments)}/healthz"), seconds=60)
    stack.spawn("worker", [*_CELERY, "worker", "--loglevel", "WARNING"])


def _play(stack: embedded.Stack, console: Console) -> None:
    """Play the fortnight. Asked to stop, it stops between two turns."""
    with connection.cursor() as cursor:
        # Who loses power now begins anew in any case: no commit need wait for the disk.
        cursor.execute("SET synchronous_commit TO off")
    with console.status("setting the retailer up …"):
        retailer = setup.set_up()
    demo = Demo.of(retailer)
    with _progress(console) as bar:
        task = bar.add_task("playing", total=(NOW - OPENING).total_seconds(), orders="")
        days = {OPENING.date()}

        def step(instant: datetime, came: int) -> None:
            if stack.signalled:
                console.print("stopped; the next start begins anew")
                sys.exit(130)
            bar.update(
                task,
                completed=(instant - OPENING).total_seconds(),
                description=f"{instant:%a %d %b}",
                orders=f"{came:,} orders",
            )
            if not console.is_terminal and instant.date() not in days:
                days.add(instant.date())
                console.print(f"{instant:%a %d %b}  {came:,} orders")

        play_fortnight(demo, step, pump=ring)
    if not drain(seconds=_DRAIN_SECONDS):
        console.print("The worker is still at it; the figures may lag.")
    setup.mark_lived(NOW, demo.shoppers.last_number)


def _resume_at() -> datetime:
    """Where business time stood when the demo was last stopped; the end of the fortnight at first."""
    return max(NOW, setup.lived_until() or NOW)


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[orders]}"),
        TimeElapsedColumn(),
        console=console,
    )


def _require_free(port: int) -> None:
    if not ports.is_free(port):
        raise CommandError(
            f"Port {port} is taken by another program. Stop it, or choose another: "
            f'make demo ARGS="--port {ports.next_free(port)}"',
            returncode=2,
        )


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own address
            return bool(answer.status == 200)
    except OSError:
        return False
