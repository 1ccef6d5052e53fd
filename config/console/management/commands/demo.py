"""The whole of Switchyard on one machine: a retailer's fortnight, and then its life."""

import math
import sys
import time
from argparse import ArgumentParser
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from config import embedded
from config.command_line import BEGAN
from config.demo import fortnight, setup
from config.demo.handing_over import meet_again
from config.demo.shoppers import NOW, OPENING
from config.demo.stage import Stage
from config.demo.table import ours, theirs
from config.embedded import ports
from config.invariants import check_all
from config.kernel import clock
from config.kernel.types import ALL_ACCOUNTS
from config.reports import summary

DEFAULT_PORT: Final = 8000


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
                stage = Stage.of(stack, options["port"])
                if not options["once"]:
                    # First, though nobody asks it yet: it loads while the schema is made.
                    stage.start_web()
                _prepare(stage, console, reset=options["reset"])
                stage.start_sandbox()
                if not setup.was_played():
                    stage.start_worker()
                    _play(stage, console)
                stage.await_sandbox()
                broken = self._show(stage)
                if options["once"]:
                    self._say_ready()
                    sys.exit(1 if broken else 0)
                self._live(stage, options["speed"], console)
        except embedded.EmbeddedError as error:
            raise CommandError(str(error), returncode=2) from error

    def _show(self, stage: Stage) -> bool:
        """Print the table; answer whether something is not as it must be."""
        table = Table(title="Fourteen days at Harbor & Northlight", show_header=False)
        for label, value in (*ours(ALL_ACCOUNTS), *theirs(stage.counterparts, ALL_ACCOUNTS)):
            table.add_row(label, value)
        violations = check_all()
        table.add_row("invariants", "OK" if not violations else f"{len(violations)} VIOLATED")
        Console(file=sys.stdout, width=78).print(table)
        for violation in violations:
            self.stderr.write(f"{violation.code}: {violation.detail}")
        oversold = summary.oversold(scope=ALL_ACCOUNTS)
        return bool(violations) or oversold > 0

    def _say_ready(self) -> None:
        self.stdout.write(f"ready in {time.monotonic() - BEGAN:.0f} s")

    def _live(self, stage: Stage, speed: float, console: Console) -> None:
        now = _resume_at()
        clock.set_to(now, speed=speed)
        stage.await_web()
        # After the web, which a person waits for: on two cores they would only be in its way.
        stage.start_worker()
        meet_again(setup.known_retailer(), stage.counterparts, stage.url, at=now)
        stage.counterparts.set_clocks(now, speed)
        stage.start_life()
        self._say_ready()
        self.stdout.write(f"\n  Console   {stage.url}/console/")
        self.stdout.write(f"  API docs  {stage.url}/api/v1/docs/\n")
        for username, _, role, node in setup.STAFF:
            where = f" at {node}" if node else ""
            self.stdout.write(
                f"  {username:<8} password {setup.PASSWORD}   {role.replace('_', ' ')}{where}"
            )
        self.stdout.write("\n  Ctrl-C stops everything.")
        self.stdout.flush()
        stage.stack.run_until_signal(on_restart=lambda name: console.print(f"restarted {name}"))
        console.print("stopping …")


def _prepare(stage: Stage, console: Console, *, reset: bool) -> None:
    """Bring the schema up to date; empty it when asked, or after a broken-off play."""
    console.print("looking at the schema …")
    if stage.bring_schema():
        if not setup.was_played():
            stage.forget_outside()
    elif reset or (setup.was_begun() and not setup.was_played()):
        console.print("forgetting what was played …")
        stage.empty()


def _play(stage: Stage, console: Console) -> None:
    """Play the fortnight. Asked to stop, it stops between two turns."""
    setting_up = console.status("setting the retailer up …")
    bar = _progress(console)
    task = bar.add_task("playing", total=(NOW - OPENING).total_seconds(), orders="")
    days = {OPENING.date()}

    def opened() -> None:
        setting_up.stop()
        bar.start()

    def step(instant: datetime, came: int) -> None:
        if stage.stack.signalled:
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

    setting_up.start()
    try:
        if not fortnight.live_through(stage, opened=opened, progress=step):
            console.print("The worker is still at it; the figures may lag.")
    finally:
        setting_up.stop()
        bar.stop()


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
