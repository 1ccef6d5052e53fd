"""A day of life with every failure switched on in turn: at the end nothing may be lost or doubled."""

import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from config import embedded
from config.demo import soak
from config.demo.stage import Stage
from config.demo.table import ours, theirs
from config.embedded import ports
from config.kernel.types import ALL_ACCOUNTS

_SHOWN = 5


class Command(BaseCommand):
    help = "Live a day with every failure of the sandbox in turn, and compare both sides after it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--speed", type=float, default=120.0, help="Business seconds per second."
        )
        parser.add_argument(
            "--orders-an-hour", type=float, default=12.0, help="Of all shops together."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        if options["speed"] <= 0 or options["orders_an_hour"] <= 0:
            raise CommandError("--speed and --orders-an-hour are more than 0.", returncode=2)
        console = Console(stderr=True)
        try:
            with embedded.Stack() as stack:
                stage = Stage.of(stack, ports.take(stack.home.root, "soak"))
                if not stage.bring_schema():
                    stage.empty()
                stage.forget_outside()
                stage.start_sandbox()
                stage.start_web()
                console.print("playing the fortnight before …")

                def came(instant: datetime, orders: int) -> None:
                    if stack.signalled:
                        sys.exit(130)
                    console.print(f"{instant:%a %d %b %H:%M}  {orders:,} orders")

                soak.begin(
                    stage,
                    speed=options["speed"],
                    orders_an_hour=options["orders_an_hour"],
                    progress=came,
                )

                def said(what: str, until: datetime) -> None:
                    console.print(f"{what.replace('_', ' '):<16} until {until:%a %H:%M}")

                soak.suffer(stage, stopped=lambda: bool(stack.signalled), said=said)
                if stack.signalled:
                    sys.exit(130)
                whole = soak.settle(stage)
                failed = self._show(stage) or not whole
                if not whole:
                    self.stderr.write("Not everything was worked off in time.")
                sys.exit(1 if failed else 0)
        except embedded.EmbeddedError as error:
            raise CommandError(str(error), returncode=2) from error

    def _show(self, stage: Stage) -> bool:
        """Print what there was, and every verdict; whether one is not nought."""
        lived = Table(title="What there was", show_header=False)
        for label, value in (*ours(ALL_ACCOUNTS), *theirs(stage.counterparts, ALL_ACCOUNTS)):
            lived.add_row(label, value)
        Console(file=sys.stdout, width=78).print(lived)
        table = Table(title="A day with every failure", show_header=False)
        found = list(soak.verdicts(stage.counterparts, ALL_ACCOUNTS))
        for one in found:
            table.add_row(one.what, str(one.number))
        Console(file=sys.stdout, width=78).print(table)
        for one in found:
            for example in one.examples[:_SHOWN]:
                self.stderr.write(f"{one.what}: {example}")
        return any(one.number for one in found)
