"""`manage.py fakepay`: the fake payment provider, until interrupted."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from integrations.payments.fakepay import DEFAULT_PORT
from integrations.sandbox.fakepay import serve


class Command(BaseCommand):
    help = "Run the fake payment provider of the demo on this machine."
    requires_system_checks: list[str] = []  # the base class declares it so

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=DEFAULT_PORT, help="Port to listen on; 0 takes a free one."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        serve(options["port"])
