"""The whole of Switchyard on one machine: a retailer's fortnight, and then its life."""

import socket
import subprocess
import sys
import time
import urllib.request
from argparse import ArgumentParser
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from config import embedded
from config.demo import setup
from config.demo.play import Demo, drain, play_fortnight, ring
from config.demo.shoppers import NOW, OPENING
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
        started = time.monotonic()
        if not options["once"]:
            _require_free(options["port"])
        console = Console(stderr=True)
        try:
            with embedded.Stack() as stack:
                _migrate(console, reset=options["reset"])
                if not options["once"]:
                    _start_web(stack, options["port"])
                if not setup.was_played():
                    _start_workers(stack)
                    _play(stack, console)
                broken = self._show(time.monotonic() - started)
                if options["once"]:
                    sys.exit(1 if broken else 0)
                self._live(stack, options["port"], options["speed"], console)
        except embedded.EmbeddedError as error:
            raise CommandError(str(error), returncode=2) from error

    def _show(self, seconds: float) -> bool:
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
        self.stdout.write(f"ready in {seconds:.0f} s")
        return bool(violations) or oversold > 0

    def _live(self, stack: embedded.Stack, port: int, speed: float, console: Console) -> None:
        clock.set_to(_resume_at(), speed=speed)
        _start_workers(stack)
        url = f"http://127.0.0.1:{port}"
        stack.spawn("life", [*_MANAGE, "demo_life"])
        beat_files = stack.home.root / "beat"
        stack.spawn(
            "beat",
            [*_CELERY, "beat", "--loglevel", "WARNING", "-s", str(beat_files), "--pidfile="],
        )
        stack.wait("web", lambda: _answers(f"{url}/healthz"), seconds=60)
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
    executor = MigrationExecutor(connections["default"])
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        console.print("creating the schema …")
        connections.close_all()
        subprocess.run([*_MANAGE, "migrate", "-v", "0"], check=True)  # noqa: S603  # our own command
    elif reset or (setup.was_begun() and not setup.was_played()):
        console.print("forgetting what was played …")
        subprocess.run([*_MANAGE, "flush", "--no-input", "-v", "0"], check=True)  # noqa: S603  # our own command


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


def _start_workers(stack: embedded.Stack) -> None:
    """What answers while the fortnight is played and after it: the payment provider, a worker."""
    if "worker" in stack.children:
        return
    stack.spawn("fakepay", [*_MANAGE, "fakepay"])
    stack.spawn("worker", [*_CELERY, "worker", "--concurrency", "2", "--loglevel", "WARNING"])


def _play(stack: embedded.Stack, console: Console) -> None:
    """Play the fortnight. Asked to stop, it stops between two turns."""
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
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(
                f"Port {port} is taken by another program. Stop it, or choose another: "
                f'make demo ARGS="--port {port + 1}"',
                returncode=2,
            ) from None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  # our own address
            return bool(answer.status == 200)
    except OSError:
        return False
