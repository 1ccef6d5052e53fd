"""`manage.py sandbox`: the simulated shops, warehouses, carriers and providers, until interrupted."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from integrations.sandbox import FIRST_PORT, SIMULATORS, fleet


class Command(BaseCommand):
    help = "Run the simulators that an integrator, the tests and the demo talk to, on this machine."
    requires_system_checks: list[str] = []  # the base class declares it so

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--only",
            nargs="+",
            default=[],
            metavar="NAME",
            help=f"Which of {', '.join(SIMULATORS) or 'them'}; all of them without it.",
        )
        parser.add_argument(
            "--port",
            type=int,
            default=FIRST_PORT,
            help=f"They listen one after another behind this port ({FIRST_PORT}); 0 takes free ones.",
        )
        parser.add_argument(
            "--folder", type=Path, help="Where they keep what they know; without it in memory."
        )
        parser.add_argument("--seed", type=int, default=7, help="The same seed draws the same.")

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        try:
            simulators = fleet.build(
                options["only"],
                port=options["port"],
                folder=options["folder"],
                seed=options["seed"],
            )
        except ValueError as wrong:
            raise CommandError(str(wrong)) from wrong
        try:
            fleet.serve(simulators)
        except OSError as taken:
            raise CommandError(f"A port is taken: {taken}", returncode=2) from taken
