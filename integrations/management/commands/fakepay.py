"""`manage.py fakepay`: the fake payment provider, until interrupted."""

import signal
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.core.management.base import BaseCommand

from integrations.payments.fakepay import DEFAULT_PORT
from integrations.sandbox.fakepay import FakePay


class Command(BaseCommand):
    help = "Run the fake payment provider of the demo on this machine."
    requires_system_checks: list[str] = []  # the base class declares it so

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--port", type=int, default=DEFAULT_PORT, help="Port to listen on; 0 takes a free one."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        del args
        server = FakePay(options["port"])
        signal.signal(signal.SIGTERM, _stop)
        self.stdout.write(server.url)
        self.stdout.flush()
        try:
            server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            self.stderr.write("stopped")
        finally:
            server.server_close()


def _stop(signum: int, frame: FrameType | None) -> None:
    del signum, frame
    raise KeyboardInterrupt
